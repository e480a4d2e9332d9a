"""Add up energy and carbon over all usable intervals, as whole numbers."""

from operator import itemgetter

from host_tools.evidence.fields import CARBON, GAP, INTERVAL, KEY_CHANGE, MIX, ROLES, SOURCES, USES

_AT_ONCE = 256
_refused = itemgetter(4)


class Totals:
    """Sums over the records of a journal."""

    def __init__(self, whole=True):
        self.whole = whole
        self.intervals = 0
        self.gaps = 0
        self.key_changes = 0
        self.residual_wh = 0
        self.substituted_wh = 0
        self.refused = {}  # values that were not believed, by role
        self._waiting = [[0] * 26]  # the arrays below, one behind the other: sums so far, and records to be added

    sources_wh = property(lambda self: self._sums()[0:5])
    uses_wh = property(lambda self: self._sums()[5:9])
    mix_wh = property(lambda self: self._sums()[9:14])
    direct_ug = property(lambda self: self._sums()[14:20])
    lifecycle_ug = property(lambda self: self._sums()[20:26])

    def _sums(self):
        self._waiting = [list(map(sum, zip(*self._waiting)))]
        return self._waiting[0]

    def add(self, record):
        """Add one record."""
        if record[2] != INTERVAL:
            self.gaps += record[2] == GAP
            self.key_changes += record[2] == KEY_CHANGE
            return
        self.intervals += 1
        if not self.whole:
            return
        self._waiting.append(record[23] + record[24] + record[26] + record[35] + record[36])
        if len(self._waiting) > _AT_ONCE:
            self._sums()
        self.residual_wh += record[25]
        self.substituted_wh += record[20]
        if not any(map(_refused, record[22])):
            return
        for row in record[22]:
            if row[4]:
                self.refused[ROLES[row[0]]] = self.refused.get(ROLES[row[0]], 0) + row[4]

    def intensity(self, carbon_ug):
        """Give the carbon of the load in g/kWh: summed carbon over summed energy; None without load."""
        return carbon_ug[0] / self.uses_wh[0] / 1000 if self.uses_wh[0] else None

    def as_json(self):
        """Give the machine-readable form; units stand in the names."""
        return {
            "intervals": self.intervals,
            "gaps": self.gaps,
            "key_changes": self.key_changes,
            "sources_wh": dict(zip(SOURCES, self.sources_wh)),
            "uses_wh": dict(zip(USES, self.uses_wh)),
            "load_mix_wh": dict(zip(MIX, self.mix_wh)),
            "residual_wh": self.residual_wh,
            "substituted_wh": self.substituted_wh,
            "refused_values": self.refused,
            "carbon_direct_ug": dict(zip(CARBON, self.direct_ug)),
            "carbon_lifecycle_ug": dict(zip(CARBON, self.lifecycle_ug)),
            "load_direct_g_per_kwh": self.intensity(self.direct_ug),
            "load_lifecycle_g_per_kwh": self.intensity(self.lifecycle_ug),
        }
