"""Add up energy and carbon over all usable intervals, as whole numbers."""

from host_tools.evidence.fields import CARBON, INTERVAL, MIX, ROLES, SOURCES, USES


class Totals:
    """Sums over the records of a journal."""

    def __init__(self):
        self.intervals = 0
        self.gaps = 0
        self.sources_wh = [0] * 5
        self.uses_wh = [0] * 4
        self.mix_wh = [0] * 5
        self.residual_wh = 0
        self.substituted_wh = 0
        self.refused = {}  # values that were not believed, by role
        self.direct_ug = [0] * 6
        self.lifecycle_ug = [0] * 6

    def add(self, record):
        """Add one record."""
        if record[2] != INTERVAL:
            self.gaps += 1
            return
        self.intervals += 1
        add = int.__add__
        self.sources_wh = list(map(add, self.sources_wh, record[23]))
        self.uses_wh = list(map(add, self.uses_wh, record[24]))
        self.mix_wh = list(map(add, self.mix_wh, record[26]))
        self.direct_ug = list(map(add, self.direct_ug, record[35]))
        self.lifecycle_ug = list(map(add, self.lifecycle_ug, record[36]))
        self.residual_wh += record[25]
        self.substituted_wh += record[20]
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
