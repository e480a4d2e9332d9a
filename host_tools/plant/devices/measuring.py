"""What every meter does, whatever its registers: sample one power at its refresh instants, with faults of its wiring.

Balanced phases at power factor 1. A CT the wrong way round turns its phase's sign; two CTs that are swapped each see
the current of a conductor 120 degrees away from their voltage, and read -0.5 of the phase's power.
"""

_SWAPPED = -0.5  # cos 120 degrees


class Measuring:
    """One power of the site and its energies, as a meter with these CTs has them. Powers W, energies Wh."""

    refresh_us = 200_000

    @staticmethod
    def supply():
        """Return (V, Hz) at the meter; a plant puts its own in place of this."""
        return 230.0, 50.0

    def begin(self, rng, measure, counters_wh):
        """Take the functions that give power at a time and energies up to a time."""
        self.bias_w = 0.0
        self.wiring = 1  # -1: the clamps look the other way, and the site description says so
        self.sign = 1  # -1: they do, and nobody knows
        self.reversed = 0  # 1 .. 3: the CT of this phase looks the other way
        self.swapped = 0  # 12, 13, 23: the CTs of these phases
        self.phases_w = [0.0, 0.0, 0.0]  # as measured
        self.apparent_va = 0.0  # of one phase
        self._measure = measure
        self._counters_wh = counters_wh
        self._phase = rng.randrange(self.refresh_us) / self.refresh_us  # of a refresh, however long that is
        self._sample = -1
        self._counted_wh = (0.0, 0.0)
        self._amiss_wh = [0.0, 0.0]  # what wrong CTs have put into the counters

    def wire_cts(self, name, value, t_us):
        """Wire the CTs wrongly from now on: `reversed` or `swapped`; the counters keep what they have."""
        self.counters_wh(t_us)
        setattr(self, name, value)
        self._sample = -1

    def factors(self):
        """Return what each phase reads of its true power."""
        factors = [1.0, 1.0, 1.0]
        for digit in str(self.swapped or ""):
            factors[int(digit) - 1] = _SWAPPED
        if self.reversed:
            factors[self.reversed - 1] *= -1
        return factors

    def take_sample(self, t_us):
        """Measure at the last refresh instant; return (power to show, sample number), or None when that is known."""
        phase_us = round(self._phase * self.refresh_us)
        sample = (t_us + self.refresh_us - phase_us) // self.refresh_us
        if sample == self._sample:
            return None
        self._sample = sample
        sampled_us = max(sample * self.refresh_us - self.refresh_us + phase_us, 0)
        true_w = self.sign * self.wiring * (self._measure(sampled_us) + self.bias_w)
        factors = self.factors()
        read_w = true_w * (sum(factors) / 3)
        shown_w = self.untruth.power_w(read_w, sample)
        self.phases_w = [true_w / 3 * factor + (shown_w - read_w) / 3 for factor in factors]
        self.apparent_va = abs(true_w / 3)
        return shown_w, sample

    def counters_wh(self, t_us):
        """Return (import, export) as the meter has counted them."""
        now_wh = self._counters_wh(self.role, t_us)
        share = sum(self.factors()) / 3
        if share != 1.0:
            more = [now - before for now, before in zip(now_wh, self._counted_wh)]
            seen = more if share >= 0 else more[::-1]
            for i in (0, 1):
                self._amiss_wh[i] += abs(share) * seen[i] - more[i]
        self._counted_wh = now_wh
        counted = self.untruth.energies_wh(*(now + amiss for now, amiss in zip(now_wh, self._amiss_wh)))
        return counted if self.sign == self.wiring else counted[::-1]
