"""A wind or PV plant: what weather makes available, as far as its controller lets it through."""

from host_tools.plant.response import Response

LAG_US = 1_000_000
_FADED = 8  # lags after which a cap stands still


class Curtailed:
    """One plant. Powers W, areas W times us; `cap` is what its controller lets through."""

    def __init__(self, series, rating_w):
        self.available = series.value
        self._area = series.integral
        self._highest = series.highest
        self.cap = Response(rating_w, LAG_US)

    def quiet(self, t_us):
        """Return True when nothing of the cap's movement after this time can be seen in the power."""
        cap = self.cap
        if cap.settled(t_us):
            return True
        end_us = t_us + _FADED * LAG_US
        return min(cap.value(t_us), cap.target_w) >= self._highest(t_us, end_us)

    def value(self, t_us):
        """Return the power after curtailment, W."""
        available_w = self.available(t_us)
        cap_w = self.cap.value(t_us)
        return available_w if available_w < cap_w else cap_w

    def both(self, t_us):
        """Return (available, let through) at a time, W."""
        available_w = self.available(t_us)
        cap_w = self.cap.value(t_us)
        return available_w, available_w if available_w < cap_w else cap_w

    def energies(self, first, last, a_us, b_us):
        """Return the areas (available, let through) of a piece; both() at its ends is given.

        Exact where one of weather and cap rules all of it, else by Simpson.
        """
        available = self._area(a_us, b_us)
        middle_us = (a_us + b_us) // 2
        available_w = self.available(middle_us)
        cap_w = self.cap.value(middle_us)
        under = (first[0] <= first[1]) + (available_w <= cap_w) + (last[0] <= last[1])
        if under == 3:
            return available, available
        if under == 0:
            plus, minus = self.cap.integrals(a_us, b_us)
            return available, plus - minus
        return available, (first[1] + 4 * min(available_w, cap_w) + last[1]) * (b_us - a_us) / 6

    def mean(self, a_us, b_us):
        """Return the means (available, let through) of a piece, W."""
        areas = self.energies(self.both(a_us), self.both(b_us), a_us, b_us)
        return areas[0] / (b_us - a_us), areas[1] / (b_us - a_us)
