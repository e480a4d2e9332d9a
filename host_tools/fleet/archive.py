"""An archive: a folder with one run folder a board, `SITE/DEVICE/records.cbor` with its events and checkpoint.

It is what every other tool reads. fetch() brings it up to date with a listener's store and writes only what is new.
"""

import os
from pathlib import Path

from host_tools.errors import ToolError, unreadable
from host_tools.evidence.cose import frames_in

_RECORDS, _EVENTS, _CHECKPOINT = "records.cbor", "events.jsonl", "checkpoint.txt"
_CHUNK = 1 << 20
_MAKE = "fleet fetch ARCHIVE --store URL"


class Place:
    """One board's folder in an archive."""

    __slots__ = ("name", "path")

    def __init__(self, name, path):
        self.name, self.path = name, str(path)


def places(folder):
    """Return the Place of every board below a folder, sorted by name; ToolError when there is none."""
    root = Path(folder)
    if not root.is_dir():
        raise ToolError(f"{folder}: no such folder", f"Make an archive with: {_MAKE}")
    found = [Place(str(path.parent.relative_to(root)), path.parent) for path in sorted(root.rglob(_RECORDS))]
    if not found:
        raise ToolError(f"{folder}: no board's records.cbor below it", f"Make one with: {_MAKE}")
    return found


def fetch(store, folder, progress=lambda done, total: None):
    """Bring an archive up to date with a store; return how many records were added, by board."""
    added = {}
    boards = store.boards()
    for done, board in enumerate(boards, 1):
        _, added[board["site"], board["device"]] = fetch_one(store, folder, board)
        progress(done, len(boards))
    return added


def fetch_one(store, folder, board):
    """Bring one board's folder up to date, `board` being its row of the store; (folder, records added)."""
    site, device = board["site"], board["device"]
    place = Path(folder) / _safe(site) / _safe(device)
    try:
        place.mkdir(parents=True, exist_ok=True)
        added = _records(store, site, device, place / _RECORDS, board["size"])
        _replace(place / _EVENTS, b"".join(line + b"\n" for line in store.events(site, device)))
        if board["checkpoint"]:
            _replace(place / _CHECKPOINT, board["checkpoint"])
    except OSError as error:
        raise unreadable(place, "archive", error) from error
    return place, added


def _safe(name):
    """Return a board's or site's name as one folder's; the listener admits none with a slash."""
    return name if name not in (".", "..") else "_" + name


def _records(store, site, device, path, size):
    """Append the records that the file has not; a file that does not end with a whole record is begun anew."""
    have = _count(path)
    mode = "ab" if have is not None and have <= size else "wb"
    have = have if mode == "ab" else 0
    added = 0
    with open(path, mode) as file:
        for raw in store.stream(site, device, have):
            if have + added >= size:
                break
            file.write(raw)
            added += 1
    return added


def _count(path):
    """Count the records of a file; 0 where there is none, None where it does not end with a whole record."""
    if not path.is_file():
        return 0
    count, data = 0, b""
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            data += chunk
            found, end, damaged = frames_in(data)
            if damaged:
                return None
            count += len(found)
            data = data[end:]
    return None if data else count


def _replace(path, data):
    new = path.with_name(path.name + ".new")
    new.write_bytes(data)
    os.replace(new, path)
