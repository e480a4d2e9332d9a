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
           "records": station.chain.size})
