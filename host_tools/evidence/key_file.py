"""Change a key file: add, end, revoke keys and witnesses, each change kept in its history with time and reason."""

import json

from host_tools.errors import ToolError
from host_tools.evidence import keys
from host_tools.evidence.witness_state import replace

_MARKS = {"begin": "not_before_s", "end": "not_after_s", "revoke": "revoked_s"}
_NAMES = {"add": "added", "begin": "begins", "end": "ends", "revoke": "revoked", "witness": "witness added"}


class KeyFile:
    """The document of a key file. `now_s` is the time of the change, UTC; nothing is written before `save`."""

    def __init__(self, path, now_s, missing_ok=False):
        self.path = path
        self.now_s = now_s
        try:
            with open(path, encoding="utf-8") as file:
                keys.load(path)
                self.document = json.load(file)
        except FileNotFoundError:
            if not missing_ok:
                raise ToolError(f"{path}: no such key file", "Make one with --add board/keys.json.") from None
            self.document = {"version": 1, "keys": []}
        except OSError as error:
            raise ToolError(f"{path} cannot be read: {error.strerror}", "Check the path.") from error

    @property
    def rows(self):
        """Return the rows of the keys."""
        return self.document["keys"]

    @property
    def history(self):
        """Return what was changed, oldest first."""
        return self.document.setdefault("history", [])

    def add(self, rows, reason, replaces=None):
        """Add the keys of a board, unless they are there; end those of the board that it replaces. How many."""
        known = {row["kid"] for row in self.rows}
        new = [row for row in rows if row["kid"] not in known]
        for row in new:
            self.rows.append(row)
            self._note("add", row["kid"], reason)
        if replaces:
            self._replace(new, replaces, reason)
        return len(new)

    def _replace(self, new, at_s, reason):
        """End the keys that a new board of the same name and use has replaced at a time, and begin its own there."""
        for row in new:
            self.mark(row["kid"], "begin", at_s, reason)
            for old in self.rows:
                same = (old["site"], old["device"], old["use"]) == (row["site"], row["device"], row["use"])
                if same and old not in new and old["not_after_s"] is None:
                    self.mark(old["kid"], "end", at_s - 1, reason)

    def mark(self, kid, what, at_s, reason):
        """Let a key begin, end or be revoked at a time (UTC s)."""
        row = next((row for row in self.rows if row["kid"] == kid), None)
        if row is None:
            raise ToolError(f"there is no key {kid} in {self.path}", "`keys FILE` lists them.")
        if what == "revoke" and row["revoked_s"] is not None and row["revoked_s"] < at_s:
            raise ToolError(f"{kid} is revoked since {row['revoked_s']} s already", "A revocation is never made later.")
        row[_MARKS[what]] = at_s
        self._note(what, kid, reason, at_s)

    def add_witness(self, vkey, reason):
        """Trust a witness; False if it is trusted already."""
        known = self.document.setdefault("witnesses", [])
        if vkey in known:
            return False
        known.append(vkey)
        self._note("witness", vkey.rsplit("+", 1)[0], reason)
        return True

    def _note(self, what, key, reason, at_s=None):
        entry = {"noted_s": self.now_s, "what": _NAMES[what], "key": key, "reason": reason}
        self.history.append(entry if at_s is None else entry | {"at_s": at_s})

    def save(self):
        """Write the file durably."""
        replace(self.path, (json.dumps(self.document, indent=1) + "\n").encode())
