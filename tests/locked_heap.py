"""Runs something where nothing may be allocated, on CPython, the unix VM and the board alike."""

import gc

import micropython


def allocated():
    """Return the bytes of the heap that are taken, 0 where the runtime does not tell."""
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


def moved(work):
    """Call work() with the heap locked, where the runtime can; return by how many bytes what is taken has moved.

    Beside the lock the total is looked at: what may be, but need not be, on the heap gets round the lock.
    """
    lockable = hasattr(micropython, "heap_lock")
    gc.collect()
    gc.disable()
    before = allocated()
    if lockable:
        micropython.heap_lock()
    try:
        work()
    finally:
        if lockable:
            micropython.heap_unlock()
    after = allocated()
    gc.enable()
    return after - before
