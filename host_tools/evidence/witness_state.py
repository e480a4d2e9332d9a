"""What a witness remembers, durably: for each board the largest tree it has cosigned. It never cosigns another history.

A folder: witness.key (Ed25519, PEM), state.json, and the last cosigned checkpoint of each board. The state is on disk
before a cosignature leaves the witness; two runs at once wait for each other.
"""

import contextlib
import fcntl
import json
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from host_tools.errors import ToolError, unreadable
from host_tools.evidence import cosignature, proofs

_KEY, _STATE = "witness.key", "state.json"
_ADVICE = "Make one with `python3 -m host_tools witness --state FOLDER --init NAME`."


class Refused(Exception):
    """The witness does not cosign: a code and one sentence."""

    def __init__(self, code, what):
        super().__init__(what)
        self.code = code
        self.what = what


def make(folder, name):
    """Make a witness's folder with a new key; return its verifier key."""
    try:
        cosignature.Witness(cosignature.checked_name(name), bytes(32))
    except ValueError as error:
        raise ToolError(str(error), "Use a name such as witness.example/w1.") from None
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
    try:
        os.makedirs(folder, exist_ok=True)
        with os.fdopen(os.open(os.path.join(folder, _KEY), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except FileExistsError:
        raise ToolError(f"{folder} holds a witness already", "Choose another folder.") from None
    except OSError as error:
        raise unreadable(folder, "folder", error) from error
    replace(os.path.join(folder, _STATE), json.dumps({"version": 1, "name": name, "logs": {}}).encode())
    return State(folder).vkey()


class State:
    """A witness: its name and key, and what it has seen."""

    def __init__(self, folder):
        self.folder = folder
        try:
            with open(os.path.join(folder, _STATE), encoding="utf-8") as file:
                document = json.load(file)
            with open(os.path.join(folder, _KEY), "rb") as file:
                self._private = serialization.load_pem_private_key(file.read(), None)
            self.name = document["name"]
            self.logs = {origin: (row["size"], bytes.fromhex(row["root"]), row["time_s"])
                         for origin, row in document["logs"].items()}
        except OSError as error:
            raise ToolError(f"{folder} is no witness's folder: {error.strerror}", _ADVICE) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ToolError(f"the witness's state in {folder} cannot be read: {error!r}",
                            "Restore it from a backup; an empty one would cosign any history.") from error

    def vkey(self):
        """Give the verifier key, for other people's key files."""
        return cosignature.Witness(self.name, self._private.public_key().public_bytes_raw()).vkey()

    def seen(self, origin):
        """Give (size, root) of the largest tree of a board that was cosigned; (0, None) if none was."""
        return self.logs.get(origin, (0, None, 0))[:2]

    def expect(self, anchor, old_size):
        """Check that a proof starts at the size that was seen; Refused if it does not."""
        seen = self.seen(anchor.origin)[0]
        if old_size != seen and anchor.size >= seen:
            what = f"the proof starts at {old_size} records, this witness has seen {seen}"
            raise Refused("WITNESS_OLD_SIZE", what)

    def admit(self, anchor, proof):
        """Check that a checkpoint goes on from what was seen, by a consistency proof; Refused if it does not."""
        size, root = self.seen(anchor.origin)
        if anchor.size < size:
            what = f"it states {anchor.size} records, this witness has seen {size}: set back, or its end cut"
            raise Refused("WITNESS_SMALLER", what)
        if anchor.size == size and root not in (None, anchor.root):
            raise Refused("WITNESS_FORKED", f"it states another root over the same {size} records than the one seen")
        if size and not proofs.is_consistent(size, root, anchor.size, anchor.root, proof):
            what = f"the first {size} of its {anchor.size} records are not those that this witness has seen"
            raise Refused("WITNESS_FORKED", what)

    def cosign(self, anchor, note, now_s):
        """Remember a tree durably, then cosign it: the note with the signature line added, as bytes."""
        time_s = max(now_s, self.logs.get(anchor.origin, (0, None, 0))[2])
        self.logs[anchor.origin] = (anchor.size, anchor.root, time_s)
        logs = {origin: {"size": size, "root": root.hex(), "time_s": then_s}
                for origin, (size, root, then_s) in self.logs.items()}
        document = {"version": 1, "name": self.name, "logs": logs}
        replace(os.path.join(self.folder, _STATE), json.dumps(document, indent=1).encode())
        body = note.split(b"\n\n")[0] + b"\n"
        cosigned = note + cosignature.cosign(self.name, self._private, body, time_s).encode() + b"\n"
        replace(os.path.join(self.folder, anchor.origin.replace("/", "_") + ".txt"), cosigned)
        return cosigned


@contextlib.contextmanager
def locked(folder):
    """Hold the witness's folder for this run alone."""
    try:
        lock = os.open(os.path.join(folder, "lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        raise ToolError(f"{folder} is no witness's folder: {error.strerror}", _ADVICE) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def replace(path, data):
    """Replace a file so that after a power cut the old or the new content is there, and the new one from here on."""
    try:
        with open(path + ".new", "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".new", path)
        folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise unreadable(path, "file", error) from error
