"""The emulated board: clock, sleep, UARTs by its module `mps2`; littlefs on flash that outlives a kill."""

import os

import board
import micropython
import mps2
import uctypes

from firmware.core.errors import ConfigError, HalError
from firmware.hal.half_duplex import HalfDuplex
from firmware.hal.platform import BasePlatform

_BLOCK_BYTES = 4096
_BLOCKS = board.JOURNAL_BYTES // _BLOCK_BYTES
# Larger reads and a wider look-ahead than the defaults: fewer of them an append, shorter flash slices. An open file
# takes four times readsize in one piece, so no more than this on a heap that has been in use for months.
_LITTLEFS = {"readsize": 256, "progsize": 256, "lookahead": 128}
_MARK = b"evenkeel littlefs"  # in the block behind the file system, written once it is whole


@micropython.viper
def _copy(to: ptr32, source: ptr32, words: int):  # noqa: F821
    i = 0
    while i < words:
        to[i] = source[i]
        to[i + 1] = source[i + 1]
        to[i + 2] = source[i + 2]
        to[i + 3] = source[i + 3]
        i += 4


class Flash:
    """Block device over the flash at 0x21000000; erasing sets bits to one and takes FLASH_STALL_US."""

    def __init__(self):
        self._base = mps2.flash_addr()

    def _view(self, block, off, count):
        return uctypes.bytearray_at(self._base + block * _BLOCK_BYTES + off, count)

    # Neither allocates: littlefs calls them thousands of times a file, and must not be left by a MemoryError.
    # It moves whole multiples of readsize and progsize, so four words at a time will do.
    def readblocks(self, block, buf, off=0):
        """Fill `buf` from `block`, starting `off` bytes into it."""
        _copy(buf, self._base + block * _BLOCK_BYTES + off, len(buf) >> 2)

    def writeblocks(self, block, buf, off=0):
        """Write `buf` into the erased part of `block` at `off` bytes."""
        _copy(self._base + block * _BLOCK_BYTES + off, buf, len(buf) >> 2)

    def ioctl(self, op, arg):
        """Answer littlefs: number of blocks, bytes a block, and erase of one block."""
        if op == 4:
            return _BLOCKS
        if op == 5:
            return _BLOCK_BYTES
        if op == 6:
            mps2.flash_erase(arg * _BLOCK_BYTES, _BLOCK_BYTES)
        return 0

    def mark(self):
        """Note behind the file system that it has been made."""
        mps2.flash_erase(_BLOCKS * _BLOCK_BYTES, _BLOCK_BYTES)
        self._view(_BLOCKS, 0, len(_MARK))[:] = _MARK

    def is_marked(self):
        """Return True if a whole file system was made here once."""
        return bytes(self._view(_BLOCKS, 0, len(_MARK))) == _MARK


def mount():
    """Mount littlefs at "/"; make it only on flash that never held one: what is there is evidence."""
    if _is_mounted():
        return
    flash = Flash()
    if not flash.is_marked():
        os.VfsLfs2.mkfs(flash, **_LITTLEFS)
        flash.mark()
    try:
        os.mount(os.VfsLfs2(flash, **_LITTLEFS), "/")
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
        mount()

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

    def link(self):
        """Open the UART that carries the lockstep protocol of a plant on the host."""
        return mps2.Uart(board.LINK_UART, 1_000_000)
