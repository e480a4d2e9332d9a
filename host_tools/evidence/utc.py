"""Write and read UTC, always as 2024-05-17T15:30:00Z; milliseconds only where there are any."""

import datetime

from host_tools.errors import ToolError

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_LAST_MS = 253_402_300_799_999


def show(time_ms):
    """Format UTC milliseconds; null is "unknown"."""
    if time_ms is None:
        return "unknown"
    if not 0 <= time_ms <= _LAST_MS:
        return f"{time_ms} ms"
    text = (_EPOCH + datetime.timedelta(milliseconds=time_ms)).isoformat(timespec="milliseconds")
    return text[:19] + (text[19:23] if time_ms % 1000 else "") + "Z"


def parse(text):
    """Read UTC such as 2024-05-17T15:30:00Z as milliseconds; ToolError for anything else."""
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"):
        try:
            moment = datetime.datetime.strptime(text, form).replace(tzinfo=datetime.UTC)
        except ValueError:
            continue
        return round((moment - _EPOCH).total_seconds() * 1000)
    raise ToolError(f"{text!r} is no time in UTC", "Write it as 2024-05-17T15:30:00Z.")
