"""What the board does at every start, before the REPL: mount its flash."""

from firmware.hal.mps2 import mount

mount()
