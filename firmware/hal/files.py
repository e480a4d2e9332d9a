"""Read and write files below one folder: synchronised appends, atomic replacement. littlefs, POSIX, CPython.

A file is only ever appended to, replaced whole, renamed or removed: MicroPython cannot truncate. What is written is
bytes, or a tuple of them: pieces that follow each other. Whatever returns has reached the flash. Refusals of the file
system come through as OSError.
"""

import os

from micropython import const

from firmware.core.background import FLASH_US

_ENOENT = const(2)
_EEXIST = const(17)
_ENOSPC = const(28)
_CHUNK = const(512)
_DIRECTORY = const(0x4000)


class Files:
    """The files below `root`; paths are relative, with forward slashes, no leading one."""

    def __init__(self, root):
        self._root = root.rstrip("/") + "/"

    def append(self, path, data):
        """Append `data` and synchronise: one open, one write, one close."""
        for _ in self.appending(path, data):
            pass

    def appending(self, path, data):
        """Yield between the parts of append() that cannot be cut further: open, write, synchronise."""
        return self._writing(path, "ab", data)

    def _writing(self, path, mode, data):
        yield FLASH_US
        with open(self._root + path, mode) as file:
            yield FLASH_US
            _write(file, data)
            yield FLASH_US
            _sync(file)

    def read(self, path):
        """Return the whole file as bytes, or None where there is none."""
        file = self._open(path)
        if file is None:
            return None
        with file:
            return file.read()

    def read_at(self, path, pos, count):
        """Return up to `count` bytes from byte `pos`, or None where there is no such file."""
        file = self._open(path)
        if file is None:
            return None
        with file:
            file.seek(pos)
            return file.read(count)

    def reader(self, path):
        """Return a file to seek and read in, for whoever does so in slices and closes it; None where there is none."""
        return self._open(path)

    def read_into(self, path, pos, buf):
        """Fill `buf` from byte `pos` of the file; return the count of bytes, 0 where there is no file."""
        file = self._open(path)
        if file is None:
            return 0
        with file:
            file.seek(pos)
            return file.readinto(buf)

    def replace(self, path, data):
        """Make `data` the content of the file: after a power cut the old or the new is there, whole."""
        for _ in self.replacing(path, data):
            pass

    def replacing(self, path, data):
        """Yield between the parts of replace() that cannot be cut further."""
        yield from self._writing(path + _BESIDE, "wb", data)
        if _BESIDE:
            yield FLASH_US
            self.rename(path + _BESIDE, path)

    def copy(self, source, begin, end, target):
        """Make bytes begin..end of `source` the content of `target`, all or nothing, a chunk at a time."""
        temporary = target + ".tmp"
        with open(self._root + source, "rb") as reader, open(self._root + temporary, "wb") as writer:
            reader.seek(begin)
            _pour(reader, writer, end - begin)
            _sync(writer)
        self.rename(temporary, target)

    def size(self, path):
        """Return the size in bytes, or None where there is no such file."""
        try:
            return os.stat(self._root + path)[6]
        except OSError as error:
            if error.errno != _ENOENT:
                raise
        return None

    def names(self, path, folders=False):
        """Iterate over the names of files, or of folders, in a folder, in no order; none where there is none."""
        try:
            entries = _entries((self._root + path).rstrip("/") or "/")
        except OSError as error:
            if error.errno != _ENOENT:
                raise
            return
        for entry in entries:
            if (entry[1] == _DIRECTORY) == folders:
                yield entry[0]

    def list(self, path):
        """Return the names of the files in a folder, sorted."""
        return sorted(self.names(path))

    def make_dir(self, path):
        """Make a folder unless it is there."""
        try:
            os.mkdir(self._root + path)
        except OSError as error:
            if error.errno != _EEXIST:
                raise

    def remove_dir(self, path):
        """Remove an empty folder."""
        os.rmdir(self._root + path)

    def free_bytes(self):
        """Return how many bytes of the file system are free; it is walked for that, and takes as long as a write."""
        facts = os.statvfs(self._root)
        return facts[0] * facts[4]

    def rename(self, old, new):
        """Rename a file; a file that has the new name is replaced."""
        os.rename(self._root + old, self._root + new)
        _sync_folder(self._root + new)

    def remove(self, path):
        """Remove a file; that there is none is no fault."""
        try:
            os.remove(self._root + path)
        except OSError as error:
            if error.errno != _ENOENT:
                raise

    def _open(self, path):
        try:
            return open(self._root + path, "rb")
        except OSError as error:
            if error.errno != _ENOENT:
                raise
        return None


def _write(file, data):
    for piece in data if isinstance(data, tuple) else (data,):
        # a raw file may take a part and say so
        if file.write(piece) != len(piece):
            raise OSError(_ENOSPC)


def _pour(reader, writer, count):
    buf = memoryview(bytearray(_CHUNK))
    while count > 0:
        got = reader.readinto(buf[: min(_CHUNK, count)])
        if not got:
            break
        _write(writer, buf[:got])
        count -= got


def _sync_vm(file):
    file.flush()  # MicroPython: littlefs writes, POSIX calls fsync


def _sync_host(file):
    file.flush()
    os.fsync(file.fileno())


def _folder_vm(path):
    """Do nothing: a littlefs rename is on flash when it returns, and the VM has no call for POSIX."""


def _folder_host(path):
    folder = os.open(path[: path.rindex("/")], os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _entries_vm(path):
    return os.ilistdir(path)


def _entries_host(path):
    return [(entry.name, _DIRECTORY if entry.is_dir() else 0) for entry in os.scandir(path)]


# CPython needs to be told to synchronise; MicroPython has neither fsync() nor scandir().
_sync = _sync_host if hasattr(os, "fsync") else _sync_vm
# POSIX truncates at once, so the new content is written beside the old and renamed. littlefs keeps the old
# until the new one is synchronised: writing in place is as safe and costs a fourth of the work.
_BESIDE = ".tmp" if hasattr(os, "fsync") or hasattr(os, "VfsPosix") else ""
_sync_folder = _folder_host if hasattr(os, "fsync") else _folder_vm
_entries = _entries_host if hasattr(os, "scandir") else _entries_vm
