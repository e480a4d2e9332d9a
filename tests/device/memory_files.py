"""A fake of firmware.hal.files.Files that keeps its files in memory: for tests of what stands above it."""

NO_ROOM = 28


def joined(data):
    """Return what is to be written, bytes or a tuple of pieces, as bytes."""
    return b"".join(data) if isinstance(data, tuple) else bytes(data)


class MemoryFiles:
    """Files as bytes by path; `room` bytes may still be written, None is no limit."""

    def __init__(self):
        self.content = {}
        self.room = None
        self.free = None  # bytes of the flash, None: a lot

    def append(self, path, data):
        """Append; where the room ends, a part is written and OSError raised, as POSIX may do it."""
        fits = len(data) if self.room is None else min(self.room, len(data))
        self.content[path] = self.content.get(path, b"") + bytes(data[:fits])
        self._spend(len(data))

    def appending(self, path, data):
        """Append in one of three slices."""
        yield
        self.append(path, data)
        yield

    def replace(self, path, data):
        """Replace, all or nothing."""
        self.stage(path, data)
        self.commit(path)

    def replacing(self, path, data):
        """Replace in two slices."""
        self.stage(path, data)
        yield
        self.commit(path)

    def stage(self, path, data):
        """Write the new content, bytes or pieces of them, beside the file."""
        data = joined(data)
        self._spend(len(data))
        self.content[path + ".tmp"] = bytes(data)

    def commit(self, path):
        """Put the staged content in the file's place."""
        self.content[path] = self.content.pop(path + ".tmp")

    def copy(self, source, begin, end, target):
        """Copy a part, all or nothing."""
        self.replace(target, self.content[source][begin:end])

    def _spend(self, count):
        if self.room is not None:
            self.room = max(self.room - count, -1)
            if self.room < 0:
                self.room = 0
                raise OSError(NO_ROOM)

    def read(self, path):
        """Return the content or None."""
        return self.content.get(path)

    def read_into(self, path, pos, buf):
        """Fill buf from byte pos."""
        part = self.content.get(path, b"")[pos : pos + len(buf)]
        memoryview(buf)[: len(part)] = part
        return len(part)

    def read_at(self, path, pos, count):
        """Return up to `count` bytes from byte pos."""
        return self.content[path][pos : pos + count]

    def rename(self, old, new):
        """Rename."""
        self.content[new] = self.content.pop(old)

    def size(self, path):
        """Return the size or None."""
        return len(self.content[path]) if path in self.content else None

    def names(self, path, folders=False):
        """Return the names of the files, or of the folders, in a folder."""
        below = [name[len(path) + 1 :] for name in self.content if name.startswith(path + "/")]
        if folders:
            return list({name[: name.index("/")] for name in below if "/" in name})
        return [name for name in below if "/" not in name]

    def free_bytes(self):
        """Return the room that is left, as a flash with much of it does."""
        return 1 << 20 if self.free is None else self.free - sum(map(len, self.content.values()))

    def remove_dir(self, path):
        """Do nothing: a folder without files is none here."""

    def make_dir(self, path):
        """Do nothing: folders need no making here."""

    def remove(self, path):
        """Remove, if there."""
        self.content.pop(path, None)
