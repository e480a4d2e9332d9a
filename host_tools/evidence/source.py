"""Find the records in a file, a run folder or a folder of journal segments, in steady memory.

Reading goes on behind damage: the next strict frame is searched for, and what lies between is handed on as
one Damage, or as the almost-records it consists of.
"""

import io
import os

from host_tools.errors import ToolError, unreadable
from host_tools.evidence.cose import (
    FRAME_MAX,
    Damage,
    Incomplete,
    frame_at,
    loose_at,
    loose_frame,
    make_frame,
)

_CHUNK = 1 << 18
_DAMAGE_MAX = 4 * FRAME_MAX
_START = b"\xd2\x84"


class Source:
    """The files of a journal; the end anchor, if PATH is a folder, and the event log that lie beside them."""

    def __init__(self, files, checkpoint=None, events=()):
        self.files = files
        self.checkpoint = checkpoint
        self.events = events
        self.several = len(files) > 1

    def units(self):
        """Yield a Frame or a Damage for every stretch of bytes, in order; no byte is passed over."""
        for path in self.files:
            yield from _units_of(path, os.path.basename(path) if self.several else None)


def open_source(path):
    """Find the record files that PATH stands for; ToolError when there are none."""
    if os.path.isfile(path):
        return Source([path], events=_event_files(os.path.dirname(path)))
    if not os.path.isdir(path):
        advice = "Name a records.cbor, a run folder or a journal folder."
        raise ToolError(f"{path}: no such file or folder", advice)
    for folder in (path, os.path.join(path, "journal")):
        files = _record_files(folder)
        if files:
            anchors = (os.path.join(path, "checkpoint.txt"), os.path.join(folder, "checkpoint.txt"))
            return Source(files, next(filter(os.path.isfile, anchors), None), _event_files(path))
    advice = "A run folder holds records.cbor, a journal folder holds segments such as 00000000.cbor."
    raise ToolError(f"{path}: no records in this folder", advice)


def _event_files(folder):
    """List events.jsonl, or else the numbered files of the board's own folder in order."""
    whole = os.path.join(folder, "events.jsonl")
    if os.path.isfile(whole):
        return [whole]
    folder = os.path.join(folder, "events")
    return _numbered(folder, ".jsonl") if os.path.isdir(folder) else []


def _numbered(folder, ending):
    """List the files NNN.ending of a folder, and of the numbered folders in it, in order of their numbers."""
    size = len(ending)
    places = [folder, *(entry.path for entry in os.scandir(folder) if entry.is_dir() and entry.name.isdecimal())]
    found = [(int(name[:-size]), os.path.join(place, name)) for place in places for name in os.listdir(place)
             if name.endswith(ending) and name[:-size].isdecimal()]
    return [path for _, path in sorted(found)]


def _record_files(folder):
    """List records.cbor, or else the numbered segments in order of their first number."""
    whole = os.path.join(folder, "records.cbor")
    if os.path.isfile(whole):
        return [whole]
    if not os.path.isdir(folder):
        return []
    return _numbered(folder, ".cbor")


class _Window:
    """A stretch of a file in memory, addressed by file offset and read on as needed, never back."""

    def __init__(self, file):
        self.file = file
        self.data = b""
        self.base = 0

    def more(self, offset):
        """Read on, dropping what lies before `offset`; False at the end of the file."""
        chunk = self.file.read(_CHUNK)
        if not chunk:
            return False
        self.data = self.data[offset - self.base :] + chunk
        self.base = offset
        return True

    def frame(self, offset):
        """Find the cuts of a strict frame at `offset`; None when there is none."""
        while True:
            try:
                return frame_at(self.data, offset - self.base)
            except Incomplete:
                if self.end() - offset > 2 * FRAME_MAX or not self.more(offset):
                    return None

    def next_frame(self, offset):
        """Find where the next strict frame starts, at `offset` or behind; the end of the file if nowhere."""
        while True:
            found = self.data.find(_START, offset - self.base)
            if found < 0:
                offset = max(offset, self.end() - 1)
                if not self.more(offset):
                    return self.end()
                continue
            offset = self.base + found
            if self.frame(offset):
                return offset
            offset += 1

    def end(self):
        """Give the file offset behind the last byte in memory."""
        return self.base + len(self.data)

    def again(self, offset, size):
        """Read a stretch once more from the file, for the diagnosis of damage."""
        here = self.file.tell()
        self.file.seek(offset)
        data = self.file.read(size)
        self.file.seek(here)
        return data


def _units_of(path, name):
    try:
        with open(path, "rb") as file:
            yield from _scan(_Window(file), name)
    except OSError as error:
        raise unreadable(path, "records", error) from error


def units_of_bytes(data):
    """Yield a Frame or a Damage for every stretch of some bytes in memory."""
    yield from _scan(_Window(io.BytesIO(data)), None)


def _scan(window, name):
    """Yield the units of one file."""
    offset = 0
    while True:
        cuts = window.frame(offset)
        if cuts:
            position = offset - window.base
            yield make_frame(name, offset, window.data, position, cuts)
            offset += cuts[4] - position
        elif offset == window.end() and not window.more(offset):
            return
        else:
            end = window.next_frame(offset + 1)
            yield from _explain_region(name, offset, end - offset, window)
            offset = end


def _explain_region(name, offset, size, window):
    """Yield the almost-records that fill a damaged region exactly, or the region as one Damage."""
    pieces = _split(window.again(offset, size)) if size <= _DAMAGE_MAX else None
    if pieces is None:
        yield Damage(name, offset, size, "FRAME_BROKEN", f"{size} bytes that are no record")
        return
    for raw, (code, what, protected, payload, signature, _) in pieces:
        frame = loose_frame(name, offset, raw, protected, payload, signature)
        yield Damage(name, offset, len(raw), code, what, frame)
        offset += len(raw)


def _split(data):
    """Cut a region into almost-records that fill it; None when that does not come out even."""
    pieces = []
    position = 0
    while position < len(data):
        found = loose_at(data, position)
        if found is None:
            return None
        pieces.append((data[position : found[5]], found))
        position = found[5]
    return pieces
