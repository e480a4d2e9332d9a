"""Copy the evidence of a board into a folder: only what is new, whatever interrupted the last time, judged as it comes.

Segments of the journal only grow, so a copy goes on where it ended. The checkpoint is read first: then the records that
come behind it are at least those that it states.
"""

import os
import re
from pathlib import Path

from host_tools.errors import ToolError, unreadable
from host_tools.evidence.cose import frames_in, make_frame
from host_tools.evidence.envelope import Judge

_SEGMENT = re.compile(r"journal/(?:[0-9]{5,}/)?[0-9]{8,}\.cbor")
_CHECKPOINT = "journal/checkpoint.txt"
_NOT_EVIDENCE = ("journal/head.cbor",)


class Pull:
    """One pull from an open board into `folder`; `progress(bytes so far, bytes in all, records)` is called often."""

    def __init__(self, board, folder, judge=None, progress=lambda done, total, records: None):
        self._board, self._folder, self._judge, self._progress = board, Path(folder), judge, progress
        self.records = self.added = self.kept = 0
        self.problems = []
        self._done = self._total = 0

    def run(self):
        """Copy; the records judged are in `records`, what is wrong with one in `problems`."""
        files = {path: size for path, size in self._board.files().items() if path not in _NOT_EVIDENCE}
        if not any(map(_SEGMENT.fullmatch, files)):
            raise ToolError("there is no record on the board", "A board writes its first at the end of a quarter hour.")
        self._total = sum(files.values())
        order = sorted(files, key=lambda path: (path != _CHECKPOINT, path))
        for path in order:
            try:
                self._copy(path, files[path])
            except OSError as error:
                raise unreadable(self._folder / path, "copy", error) from error

    def _copy(self, path, size):
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _SEGMENT.fullmatch(path):
            self._whole(path, size, target)
            return
        have = target.stat().st_size if target.exists() else 0
        if have > size:  # another board's, or a file system put back: begin anew
            target.unlink()
            have = 0
        # What an earlier pull has left is judged too: a spoilt copy must not pass for the board's word.
        pending = self._judge_bytes(path, target.read_bytes()) if have else b""
        self._done += have
        self.kept += have
        with open(target, "ab") as file:
            for piece in self._board.read(path, have, size):
                file.write(piece)
                file.flush()
                self.added += len(piece)
                self._done += len(piece)
                pending = self._judge_bytes(path, pending + piece)
                self._progress(self._done, self._total, self.records)
        if pending:
            self.problems.append((path, "FRAME_BROKEN", f"{len(pending)} bytes at its end are no whole record"))

    def _whole(self, path, size, target):
        """Copy a file that is replaced rather than grown, so that the old or the new one is there."""
        new = target.with_name(target.name + ".new")
        with open(new, "wb") as file:
            for piece in self._board.read(path, 0, size):
                file.write(piece)
                self._done += len(piece)
                self._progress(self._done, self._total, self.records)
        os.replace(new, target)

    def _judge_bytes(self, path, data):
        """Judge the whole records at the start of the bytes; return what is left."""
        found, end, damaged = frames_in(data)
        for position, cuts in found:
            if self._judge is not None:
                unit = self._judge.judge(make_frame(None, position, data, position, cuts))
                if unit.problem:
                    self.problems.append((path, *unit.problem))
            self.records += 1
        if damaged:
            self.problems.append((path, "FRAME_BROKEN", "bytes that are no record"))
            return b""
        return data[end:]


def judge_of(registry):
    """Return a Judge for the one board whose keys these are; None where there are several or none."""
    devices = registry.devices() if registry else ()
    return Judge(registry, next(iter(devices))) if len(devices) == 1 else None
