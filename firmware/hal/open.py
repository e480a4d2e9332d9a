"""Which platform this is: the board's facts decide, and the run mode."""

import sys

from firmware.core.errors import HalError


def open_platform(board, mode, root):
    """Return the platform of `board` (its board.py) for a run mode: "lockstep", "wire" (real time) or "board"."""
    if board.PLATFORM == "mps2":
        from firmware.hal.mps2 import Platform

        return Platform(root)
    if mode == "lockstep":
        from firmware.hal.lockstep import Platform

        return Platform(root, sys.stdin.buffer, sys.stdout.buffer)
    if mode == "wire":
        from firmware.hal.unix import Platform

        return Platform(root)
    raise HalError("RUN_MODE", "%s is no run mode of %s; use lockstep or wire" % (mode, board.NAME))
