"""Files on the file system of the runtime: appends, replacement, parts, names, in a folder of their own."""

import os

from firmware.hal.files import Files

FOLDER = "test_files_scratch"


def _root():
    """Return a folder for temporary files: /tmp where there is one, on a board the root of its flash."""
    try:
        os.stat("/tmp")
        return "/tmp"
    except OSError:
        return ""


def scratch():
    """Return Files over an empty folder."""
    outer = Files(_root())
    outer.make_dir(FOLDER)
    files = Files(_root() + "/" + FOLDER + "/")
    for name in files.list(""):
        files.remove(name)
    return files


def test_append_and_read():
    files = scratch()
    assert files.read("a") is None and files.size("a") is None and files.read_at("a", 0, 5) is None
    files.append("a", b"12345")
    files.append("a", bytearray(b"678"))
    assert files.read("a") == b"12345678" and files.size("a") == 8
    assert files.read_at("a", 3, 2) == b"45" and files.read_at("a", 7, 9) == b"8"
    buf = bytearray(4)
    assert files.read_into("a", 6, buf) == 2 and bytes(buf[:2]) == b"78"
    assert files.read_into("a", 8, buf) == 0 and files.read_into("b", 0, buf) == 0
    scratch()


def test_replace_rename_remove():
    files = scratch()
    files.replace("a", b"one")
    files.replace("a", b"two")
    files.replace("b", b"old")
    assert files.read("a") == b"two" and files.list("") == ["a", "b"]
    files.rename("a", "b")
    assert files.list("") == ["b"] and files.read("b") == b"two"
    files.remove("b")
    files.remove("b")
    assert files.list("") == []


def test_what_is_written_in_parts_is_there_at_the_end_and_not_before():
    files = scratch()
    files.append("a", b"one")
    parts = files.appending("a", b"two")
    next(parts)
    next(parts)
    for _ in parts:
        pass
    parts = files.replacing("b", b"whole")
    next(parts)
    assert files.read("b") in (None, b"")
    for _ in parts:
        pass
    assert files.read("a") == b"onetwo" and files.read("b") == b"whole"
    scratch()


def test_copy_of_a_part():
    files = scratch()
    data = bytes(range(256)) * 5
    files.replace("a", data)
    files.copy("a", 700, len(data), "b")
    files.copy("a", 0, 700, "a")
    assert files.read("a") == data[:700] and files.read("b") == data[700:]
    files.copy("a", 0, 0, "a")
    assert files.size("a") == 0 and files.list("") == ["a", "b"]
    scratch()


def test_folders():
    files = scratch()
    assert files.list("none") == []
    files.make_dir("sub")
    files.make_dir("sub")
    files.append("sub/x", b"1")
    files.append("y", b"2")
    assert files.list("sub") == ["x"] and files.list("") == ["y"] and list(files.names("", True)) == ["sub"]
    files.remove("sub/x")
    files.remove_dir("sub")
    assert list(files.names("", True)) == [] and files.free_bytes() > 4096
    scratch()


class _Ram:
    """A block device in memory, small enough to be full soon."""

    def __init__(self):
        self._data = bytearray(24 * 512)

    def readblocks(self, block, buf, off=0):
        """Fill buf from a block."""
        at = block * 512 + off
        buf[:] = self._data[at : at + len(buf)]

    def writeblocks(self, block, buf, off=0):
        """Write buf to a block."""
        at = block * 512 + off
        self._data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        """Answer the count and the size of blocks; erasing needs nothing."""
        return 24 if op == 4 else 512 if op == 5 else 0


def test_full_littlefs_keeps_the_old_content():
    if not hasattr(os, "VfsLfs2"):
        return  # only MicroPython has a littlefs
    device = _Ram()
    os.VfsLfs2.mkfs(device)
    os.mount(os.VfsLfs2(device), "/full")
    files = Files("/full")
    files.append("a", b"a" * 700)
    files.replace("b", b"b" * 600)
    whole = 0
    try:
        while True:
            files.append("c", b"c" * 400)
            whole += 400
    except OSError as error:
        assert error.errno == 28
    for write in (files.append, files.replace):
        for name in ("a", "b"):
            try:
                write(name, b"x" * 3000)
                raise AssertionError("no error")
            except OSError as error:
                assert error.errno == 28
    assert files.read("c") == b"c" * whole and whole > 0
    assert files.read("a") == b"a" * 700 and files.read("b") == b"b" * 600
    os.umount("/full")


def test_missing_folder_is_an_error():
    files = scratch()
    for write in (files.append, files.replace):
        try:
            write("none/x", b"1")
            raise AssertionError("no error")
        except OSError as error:
            assert error.errno == 2
