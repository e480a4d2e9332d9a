"""The dated table of grid factors: factors.csv beside site.json, fixed-width lines sorted by time.

`vvvvvvvvvv,ddddddd,lllllll,k` and a newline: valid from (UTC s), direct and life-cycle mg/kWh, kind. A row holds until
the next. Read by bisection, one line at a time: a table of years costs no memory.
"""

import hashlib

from firmware.core.errors import LedgerError

PATH = "factors.csv"
_LINE = 29
_CHUNK = 16 * _LINE
KIND_DEFAULT = 2
KIND_RESIDUAL = 3


class FactorTable:
    """Grid factors by time, with the site's own default where no row is valid."""

    def __init__(self, files, grid_default, stale_s):
        self._files = files
        self._default = (grid_default["direct_mg_per_kwh"], grid_default["lifecycle_mg_per_kwh"])
        self._default_kind = KIND_RESIDUAL if grid_default["kind"] == "residual" else KIND_DEFAULT
        self._stale_s = stale_s
        self._rows = (files.size(PATH) or 0) // _LINE
        self.hash = b""

    def open(self):
        """Hash the whole table in slices; a generator. Raises LedgerError where a line is not of the format."""
        digest = hashlib.sha256()
        for at in range(0, self._rows * _LINE, _CHUNK):
            digest.update(self._files.read_at(PATH, at, min(_CHUNK, self._rows * _LINE - at)))
            yield
        self.hash = digest.digest()
        if (self._files.size(PATH) or 0) != self._rows * _LINE:
            raise LedgerError("FACTORS", "factors.csv: not whole lines of %d characters; write it again" % _LINE)

    def at(self, utc_s):
        """Return (direct, life cycle in mg/kWh, valid from s or None, age s or None, kind, stale) at `utc_s`.

        A stale row is replaced by the larger of itself and the site's default: never silently greener.
        """
        row = self._find(utc_s) if utc_s is not None and self._rows else None
        if row is None:
            return self._default + (None, None, self._default_kind, False)
        valid_from_s, direct, lifecycle, kind = row
        age_s = utc_s - valid_from_s
        if age_s <= self._stale_s:
            return direct, lifecycle, valid_from_s, age_s, kind, False
        return max(direct, self._default[0]), max(lifecycle, self._default[1]), valid_from_s, age_s, kind, True

    def _find(self, utc_s):
        low, high = 0, self._rows
        while low < high:
            middle = (low + high) // 2
            if self._row(middle)[0] <= utc_s:
                low = middle + 1
            else:
                high = middle
        return self._row(low - 1) if low else None

    def _row(self, index):
        line = self._files.read_at(PATH, index * _LINE, _LINE)
        try:
            return [int(part) for part in line.decode().split(",")]
        except ValueError:
            raise LedgerError("FACTORS", "factors.csv line %d is not of the format; write it again" % (index + 1))
