"""Files on littlefs when the power goes at any program operation of the flash: old or new content, no part.

The flash is a fake in memory that loses everything from one operation on, the first lost one half done.
"""

import os

from firmware.hal import files as module
from firmware.hal.files import Files

BLOCKS, SIZE = 16, 512
OLD, NEW, MORE = b"old " * 60, b"new!" * 200, b"more" * 90


class Flash:
    """A block device whose power goes after `left` program operations; None: never."""

    def __init__(self, data):
        self.data = data
        self.left = None
        self.count = 0

    def readblocks(self, block, buf, off=0):
        """Fill buf from a block."""
        at = block * SIZE + off
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, off=0):
        """Program buf into a block, or half of it, or nothing."""
        self.count += 1
        size = len(buf)
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                size = size // 2 if self.left == -1 else 0
        at = block * SIZE + off
        self.data[at : at + size] = buf[:size]

    def ioctl(self, op, arg):
        """Answer the count and the size of blocks; erasing needs nothing."""
        return BLOCKS if op == 4 else SIZE if op == 5 else 0


def image():
    """Return the flash with the old files on it."""
    flash = Flash(bytearray(BLOCKS * SIZE))
    os.VfsLfs2.mkfs(flash)
    os.mount(os.VfsLfs2(flash), "/power")
    Files("/power").replace("r", OLD)
    Files("/power").append("a", OLD)
    os.umount("/power")
    return bytes(flash.data)


def work():
    """Append and replace."""
    files = Files("/power")
    files.append("a", MORE)
    files.replace("r", NEW)


def contents(data):
    """Return what a start finds in the two files."""
    os.mount(os.VfsLfs2(Flash(bytearray(data))), "/power")
    files = Files("/power")
    found = files.read("a"), files.read("r")
    os.umount("/power")
    return found


def cut(start, left):
    """Return (contents, operations) after the power went."""
    flash = Flash(bytearray(start))
    os.mount(os.VfsLfs2(flash), "/power")
    flash.left = left
    try:
        work()
    except OSError:  # littlefs reads back what it programmed and notices
        pass
    try:
        os.umount("/power")
    except OSError:
        pass
    return contents(flash.data), flash.count


def check_every_cut():
    """Cut at every program operation and check both files."""
    start = image()
    done, count = cut(start, None)
    assert done == (OLD + MORE, NEW)
    seen = set()
    for left in range(count):
        found, _ = cut(start, left)
        assert found[0] in (OLD, OLD + MORE) and found[1] in (OLD, NEW), left
        assert found[1] == OLD or found[0] == OLD + MORE
        seen.add(found)
    assert len(seen) >= 2


def test_every_cut_in_place_and_beside():
    if not hasattr(os, "VfsLfs2"):
        return  # only MicroPython has a littlefs
    own = module._BESIDE
    try:
        for beside in ("", ".tmp"):
            module._BESIDE = beside
            check_every_cut()
    finally:
        module._BESIDE = own
