"""The heap that the whole firmware takes once it is wired up and its journal is open."""

import gc

import board

from firmware.hal.open import open_platform
from firmware.main import build


def main():
    """Print the figures."""
    gc.collect()
    bare_bytes = gc.mem_alloc()
    station = build(open_platform(board, "board", "/bench"))
    gc.collect()
    print({"heap_bytes": gc.mem_alloc(), "free_bytes": gc.mem_free(), "before_bytes": bare_bytes,
           "piece_bytes": _largest(), "records": station.chain.size})


def _largest():
    """Return how much can be had in one piece."""
    least, most = 0, gc.mem_free()
    while most - least > 16:
        middle = (least + most) // 2
        try:
            bytearray(middle)
            least = middle
        except MemoryError:
            most = middle
        gc.collect()
    return least
