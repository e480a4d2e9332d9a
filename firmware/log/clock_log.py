"""Note what becomes of the clock: set, stepped, synchronised, holding, taken away."""

_WORDS = ("unknown", "set", "synchronised", "holding: synchronised over a day ago")
_UNKNOWN = 0
_QUARTER_MS = 900_000
_STEP_MS = 1000  # as in ledger.interval: less is a correction, and no event


class ClockLog:
    """Compares UTC with uptime, second by second; `utc` is core.utc.Utc."""

    def __init__(self, utc):
        self._utc = utc
        self._trust = _UNKNOWN
        self._quarter = 0  # UTC less uptime: quarters, and ms in one; both stay small integers
        self._ms = 0

    def look(self, note):
        """Note a change since the last look; a step of less than a second is none."""
        utc = self._utc
        trust = utc.trust_now()
        ms = utc.ms - utc.up_s % 900 * 1000 - utc.up_ms
        quarter = utc.quarter - utc.up_s // 900
        if ms < 0:
            ms, quarter = ms + _QUARTER_MS, quarter - 1
        if trust == self._trust and ms == self._ms and quarter == self._quarter:
            return
        step_ms = (quarter - self._quarter) * _QUARTER_MS + ms - self._ms
        known = trust != _UNKNOWN and self._trust != _UNKNOWN
        self._quarter, self._ms = quarter, ms
        if known and (step_ms >= _STEP_MS or step_ms <= -_STEP_MS):
            note("clock", "CLOCK_STEP", "UTC was moved by %d ms; it is %s" % (step_ms, _WORDS[trust]))
        elif trust != self._trust:
            note("clock", "CLOCK", "UTC is %s" % _WORDS[trust])
        self._trust = trust
