"""How far a run is, on standard error every two seconds."""

import sys
import time

_EVERY_S = 2.0


class Progress:
    """Says virtual time, share and speed; wall time is measured from when this was made."""

    def __init__(self, end_us, stream=sys.stderr):
        self._end_us = max(end_us, 1)
        self._stream = stream
        self._start_s = time.monotonic()
        self._last_s = self._start_s

    @property
    def wall_s(self):
        """Seconds since the run began."""
        return time.monotonic() - self._start_s

    def show(self, now_us, last=False):
        """Print a line if it is time for one."""
        now_s = time.monotonic()
        if not last and now_s - self._last_s < _EVERY_S:
            return
        self._last_s = now_s
        now_us = min(now_us, self._end_us)
        wall_s = max(now_s - self._start_s, 1e-3)
        print(f"simulate: {_clock(now_us)} of {_clock(self._end_us)}, {100 * now_us // self._end_us} %, "
              f"{now_us / 1e6 / wall_s:.0f} times real time", file=self._stream, flush=True)


def _clock(us):
    seconds = us // 1_000_000
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
