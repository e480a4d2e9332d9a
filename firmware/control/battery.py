"""What the dispatcher has to know of the battery, in the units it reckons in."""


class Battery:
    """Rating in site power units, energies in units times (quarter) hours, efficiencies and window in permille."""

    def __init__(self, ratings, caps, bess_pu, unit_w):
        """`ratings` and `caps` are the sections ratings and limits of site.json, `unit_w` the watts of a unit."""
        self.bess_pu = bess_pu
        self.soc_min_permille = caps["soc_min_permille"]
        self.window_permille = caps["soc_max_permille"] - caps["soc_min_permille"]
        self.window_puh = max(ratings["bess_wh"] // 1000 * self.window_permille // unit_w, 1)
        self.permille_puq = max(ratings["bess_wh"] // (250 * unit_w), 1)  # energy of one permille
        self.charge_permille = ratings["charge_efficiency_permille"]
        self.discharge_permille = ratings["discharge_efficiency_permille"]
