"""Grid factors known a day ahead: each full hour of UTC the board is told the factors of 24 hours from then on.

They are the means of each hour's life-cycle factors, mg/kWh. Where the file ends nothing more is known: the board is
told of fewer hours, and at last of none. The file may hold anybody's forecast, good or bad.
"""

from struct import pack

from host_tools.errors import ToolError
from host_tools.plant.run_folder import CARBON, LARGEST_FACTOR
from host_tools.plant.series import US_PER_S, Series, load_columns

HOURS = 24
_HOUR_S = 3_600


def load_ahead(path):
    """Read a file of factors; return its life-cycle series. Raises ToolError naming what is wrong."""
    times_us, columns = load_columns(path, CARBON)
    low, high = min(columns[1]), max(columns[1])
    if low < 0 or high > LARGEST_FACTOR:
        raise ToolError(f"{path}: {CARBON[2]} runs from {low:g} to {high:g}",
                        f"Give emission factors from 0 to {LARGEST_FACTOR} mg/kWh.")
    return Series(times_us, columns[1])


class Ahead:
    """What the board hears about the coming hours; news() hands out each message once."""

    def __init__(self, agenda, series=None, start_s=0, end_us=0):
        self._agenda = agenda
        self._series = series
        self._start_s = start_s
        self._end_us = end_us
        self._message = b""
        if series is not None:
            agenda.at(0, self._tell, 0)

    def _tell(self, t_us):
        hour = (self._start_s + t_us // US_PER_S) // _HOUR_S
        factors = []
        for ahead in range(HOURS):
            begin_us = ((hour + ahead) * _HOUR_S - self._start_s) * US_PER_S
            if begin_us + _HOUR_S * US_PER_S // 2 > self._series.duration_us:
                break  # of this hour the file does not know the half
            factors.append(round(self._series.mean(begin_us, begin_us + _HOUR_S * US_PER_S)))
        self._message = pack(f"<IB{len(factors)}I", hour, len(factors), *factors)
        next_us = ((hour + 1) * _HOUR_S - self._start_s) * US_PER_S
        if next_us <= self._end_us:
            self._agenda.at(next_us, self._tell, next_us)

    def news(self):
        """Return u32 hour since 1970, u8 n, n u32 factors in mg/kWh; b"" when nothing is new."""
        message, self._message = self._message, b""
        return message
