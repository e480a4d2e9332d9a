"""Answer a host at the other end of the cable while the firmware runs: the state, and the files of the evidence.

Each request is a line of the console, each answer one line: a host that was cut off asks again for what it has not.

    status                  S, the state as JSON (status.py)
    files                   D PATH BYTES for each file of the evidence, then a D alone
    read PATH POSITION      R PATH POSITION CRC32 BASE64: up to 192 bytes; none at the end of the file
"""

import binascii

from micropython import const

_FOLDERS = ("journal", "events")
_PIECE = const(192)
_WAITING = const(8)
_REST_US = const(10_000)
_PATIENCE = const(200)  # rests without a request, after which the next one is waited for as any other line is


class Cable:
    """Answers from the background, a line a slice; `report(kind, text)` prints, `state()` yields and returns JSON."""

    def __init__(self, files, report, state):
        self._files = files
        self._report = report
        self._state = state
        self._asked = []
        self._running = False

    def take(self, line, hear):
        """Take one request; one too many is dropped, and the host asks again.

        Returns a generator of short slices that answers until the host has been silent for two seconds, None where one
        runs already; `hear()` takes further lines of the console, each to where it belongs.
        """
        if len(self._asked) < _WAITING:
            self._asked.append(line)
        if self._running:
            return None
        self._running = True
        return self._work(hear)

    def _work(self, hear):
        try:
            quiet = 0
            while quiet < _PATIENCE:
                hear()
                if self._asked:
                    quiet = 0
                    yield from self._answer(self._asked.pop(0).split())
                    yield
                else:
                    quiet += 1
                    yield _REST_US
        finally:
            self._running = False

    def _answer(self, words):
        try:
            if words[0] == "status":
                text = yield from self._state()
                self._report("S", text.decode())
            elif words[0] == "files":
                yield from self._list()
            elif len(words) == 3 and words[2].isdigit() and self._known(words[1]):
                self._piece(words[1], int(words[2]))
            else:
                self._report("X", "read takes a file of the evidence and a position")
        except OSError as error:
            self._report("X", "flash refuses: %s" % error)

    def _list(self):
        for folder in _FOLDERS:
            places = [folder]
            places += [folder + "/" + name for name in self._files.names(folder, True)]
            for place in places:
                yield
                for name in self._files.list(place):
                    path = place + "/" + name
                    yield
                    self._report("D", "%s %d" % (path, self._files.size(path) or 0))
        self._report("D", "")

    def _known(self, path):
        """Tell whether a path is one of the evidence: nothing else of the flash is handed out, its secrets least."""
        names = path.split("/")
        return names[0] in _FOLDERS and len(names) > 1 and not [name for name in names if not name or name[0] == "."]

    def _piece(self, path, pos):
        data = self._files.read_at(path, pos, _PIECE) or b""
        text = binascii.b2a_base64(data).decode().strip()
        self._report("R", "%s %d %d %s" % (path, pos, binascii.crc32(data), text))
