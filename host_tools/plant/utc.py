"""UTC as the board is told it: the run's start plus virtual time, with trust, steps and loss."""

from datetime import UTC, datetime
from struct import pack

from host_tools.errors import ToolError

UNKNOWN, SET, SYNCHRONISED = 0, 1, 2
QUARTER_MS = 900_000


def parse_utc(text):
    """Return seconds since 1970 of an ISO time with Z or an offset. Raises ToolError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year < 1970:
        raise ToolError(f"{text!r} is no UTC time", "Write it as 2024-01-01T00:00:00Z.")
    return int(moment.timestamp())


def show_utc(seconds):
    """Return an ISO time with Z of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class UtcSource:
    """What the board hears about UTC; news() hands out each change once."""

    def __init__(self, start_s):
        self._start_ms = start_s * 1000
        self._offset_ms = 0
        self._trust = SYNCHRONISED
        self._error_ms = 0
        self._told = False  # the board has heard of UTC
        self._news = True

    def unset(self, _now_us, _value):
        """Take UTC away."""
        self._tell(UNKNOWN, 0)

    def set(self, _now_us, trust):
        """Give UTC with a trust, error 0."""
        self._tell(trust, 0)

    def step(self, _now_us, step_ms):
        """Find that UTC was wrong by some milliseconds, and give the new one."""
        self._offset_ms += step_ms
        self._tell(self._trust or SET, step_ms)

    def _tell(self, trust, error_ms):
        self._trust = trust
        self._error_ms = error_ms
        self._news = self._told or trust != UNKNOWN

    def news(self, now_us):
        """Return the 11 bytes that tell the board UTC at this time, or b"" when nothing is new."""
        if not self._news:
            return b""
        self._news = False
        self._told = True
        quarter, ms = divmod(self._start_ms + self._offset_ms + now_us // 1000, QUARTER_MS)
        return pack("<IIBh", quarter, ms, self._trust, self._error_ms)
