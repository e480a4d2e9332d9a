"""What the board does at every start, before the REPL: mount its flash."""

import gc

from firmware.hal.mps2 import mount

gc.enable()  # the firmware turns it off, and a soft reset of this port does not turn it on again
mount()
