"""Records as they lie one after the other, for whoever carries them and need not understand them."""

from firmware.core.errors import LogError
from firmware.log.journal import FOLDER_RECORDS  # noqa: F401 - with its records go the folders that they lie in
from firmware.log.record import Frame


def length(view):
    """Return the length in bytes of the record that a buffer begins with, 0 where no whole one is."""
    try:
        return Frame(view, len(view)).length
    except (LogError, IndexError):
        return 0


def digest(view):
    """Return the 32 bytes that the record behind this one carries as its `prev`."""
    return Frame(view, len(view)).digest(view)
