"""The emulated board: clock, sleep, UARTs by its module `mps2`; littlefs on flash that outlives a kill."""

import gc
import os
import sys

import board
import micropython
import mps2
import uctypes
from micropython import const

from firmware.core import cbor_plan, crc, machine, snapshot, types, words
from firmware.core.errors import ConfigError, HalError
from firmware.hal import thumb, thumb_answer, thumb_bus, thumb_cbor, thumb_power, thumb_tick
from firmware.hal.half_duplex import HalfDuplex
from firmware.hal.platform import BasePlatform

crc.fast = thumb_bus.crc16
crc.seal = thumb_bus.fill
words.fast = thumb.run
cbor_plan.fast = thumb_cbor.write
snapshot.fast = thumb_tick.measure
machine.hear = thumb_answer.hear
machine.take_power = thumb_power.take_power
machine.take_fast = thumb_power.take_fast
machine.judge = thumb_tick.judge
machine.integrate = thumb_tick.integrate
types.at = uctypes.addressof

_MASK = const(0x3FFFFFFF)
_WEIGH_EVERY = const(15)  # collections, less one
_BLOCK_BYTES = 4096
# Measured for the shortest longest write on a flash that is 35 days full. An open file takes four times progsize in one
# piece of the heap; the look-ahead covers all blocks, so that the file system is walked as seldom as can be.
_LITTLEFS = {"readsize": 64, "progsize": 128, "lookahead": 128}
_MARK = b"evenkeel littlefs"  # in the block behind the file system, written once it is whole


def mark():
    """Note behind the file system that it has been made."""
    mps2.flash_erase(board.JOURNAL_BYTES, _BLOCK_BYTES)
    _mark_place()[:] = _MARK


def is_marked():
    """Return True if a whole file system was made here once."""
    return bytes(_mark_place()) == _MARK


def _mark_place():
    return uctypes.bytearray_at(mps2.flash_addr() + board.JOURNAL_BYTES, len(_MARK))


def mount():
    """Mount littlefs at "/"; make it only on flash that never held one: what is there is evidence."""
    if _is_mounted():
        return
    flash = mps2.Flash(board.JOURNAL_BYTES // _BLOCK_BYTES)
    if not is_marked():
        os.VfsLfs2.mkfs(flash, **_LITTLEFS)
        mark()
    try:
        os.mount(os.VfsLfs2(flash, mtime=False, **_LITTLEFS), "/")
    except OSError as error:
        raise HalError("FLASH", "no readable littlefs (%s); keep a copy of the flash, then erase it" % error)


def _is_mounted():
    # without a file system at "/" the VM answers with zeros
    return os.statvfs("/")[0] != 0


class Platform(BasePlatform):
    """The board QEMU_MPS2_AN385, with its file system mounted."""

    # The module's own functions, so that reading the clock costs one call.
    ms = staticmethod(mps2.ticks_ms)
    us = staticmethod(mps2.ticks_us)
    idle = staticmethod(mps2.idle_us)

    def __init__(self, root=""):
        BasePlatform.__init__(self, root)
        self.operator = None
        self._total, self._eighth, self._collects = 0, 1, 0
        mount()

    def hear_operator(self):
        """Take the operator's lines from the console."""
        if self.operator is None:
            from firmware.hal.console import Console

            self.operator = Console(self.ms, self.post_command, False)
        self.operator.listen()

    def forget(self, names):
        """Drop these modules: their names and constants take the heap, though their code is in flash."""
        for name in names:
            folder, leaf = name.rsplit(".", 1)
            if sys.modules.pop(name, None):
                delattr(sys.modules[folder], leaf)
        self.collect()

    def collect(self):
        """Collect garbage now; from here on taken() counts anew."""
        gc.collect()
        self._total = micropython.mem_total()
        if self._collects & _WEIGH_EVERY == 0:  # that takes a fifth of what the collection does
            self._eighth = max(gc.mem_free() >> 3, 1)
        self._collects += 1

    def collect_at_will(self, allowed):
        """Let garbage be collected whenever memory is short; from the end of that on taken() knows what is free."""
        BasePlatform.collect_at_will(self, allowed)
        self._collects = 0
        self.collect()

    def taken(self):
        """Return how many eighths of what the last collection left free have been allocated since."""
        return (micropython.mem_total() - self._total & _MASK) // self._eighth

    def serial(self, index, baud, parity, stop_bits):
        """Open the board's UART number `index`, in the order of board.py."""
        if not 0 <= index < len(board.UARTS):
            raise ConfigError("UART", "%d: %s has UARTs 0 to %d" % (index, board.NAME, len(board.UARTS) - 1))
        uart, max_baud, drive_pin = board.UARTS[index]
        if baud > max_baud:
            raise ConfigError("BAUD", "%d: UART %d takes %d at most" % (baud, index, max_baud))
        # Its wire is a byte stream of the host: it carries no parity and no stop bits.
        serial = mps2.Uart(uart, baud)
        # A bit of the LED register stands for the DE pin of a transceiver.
        return serial if drive_pin is None else HalfDuplex(serial, mps2.Led(drive_pin))

    def network(self):
        """Return the network behind the bridge of the host."""
        from firmware.hal.net_bridge import Network

        return Network(board.NET_UART)

    def link(self):
        """Open the UART that carries the lockstep protocol of a plant on the host."""
        return mps2.Uart(board.LINK_UART, 1_000_000)
