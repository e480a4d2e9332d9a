"""Make a month (or more) of a windy site for the report's tests: plausible flows, a restart, true-ups, some doubts."""

import math
import random

from tests.evidence_writer import ETA_PPM, Board

START_MS = 1_709_251_200_000  # 2024-03-01T00:00:00Z
_USABLE_WH = 4_000_000
_STEP_WH = 500_000
_EXPORT_WH = 75_000


class Site:
    """Wind that wanders, sun by the hour, a load with a day's course, a battery that evens out, a grid for the rest."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.wind = 0.5

    def flows(self, number, pool_wh):
        """Return (sources, uses) of a quarter hour, in whole Wh."""
        rng, hour = self.rng, number % 96 / 4
        self.wind = min(max(self.wind + rng.gauss(0, 0.03) - 0.01 * (self.wind - 0.45), 0), 1)
        wind = int(600_000 * self.wind**2)
        pv = int(max(0, 90_000 * math.sin((hour - 6) / 12 * math.pi)) * rng.uniform(0.2, 1))
        load = int(250_000 - 40_000 * math.cos(hour / 12 * math.pi) + rng.gauss(0, 6_000))
        genset = 60_000 if number % 700 in (300, 301, 302) else 0
        left = wind + pv + genset - load
        charge = min(max(left, 0), _STEP_WH, max(_USABLE_WH - pool_wh, 0) * 1_000_000 // ETA_PPM)
        discharge = min(max(-left, 0), _STEP_WH, pool_wh + (2_000 if number % 997 == 996 else 0))
        export = min(max(left - charge, 0), _EXPORT_WH)
        wind -= max(left - charge - export, 0)  # what there is no room for is curtailed
        grid = max(-left - discharge, 0)
        aux = 0 if wind > 200 else rng.randrange(120)
        residual = rng.randrange(-40, 160)
        sources = [max(wind, 0), pv, genset, grid + aux + max(residual, 0), discharge]
        return sources, [load + min(residual, 0) + max(0, -min(residual, 0)), charge, export, aux]


def board(days=31, seed=2):
    """Write the quarter hours of so many days; one restart, a few true-ups and estimates."""
    made, site = Board(seed=seed, start_ms=START_MS), Site(seed)
    number = 0
    while number < 96 * days:
        if number == 1000:
            made.gap(2_700_000)
            number += 3
            continue
        changes = {"k43": None if number % 7 == 0 else number % 5 * 1_003}
        if number % 500 == 499:
            changes |= {"k18": 9, "k20": 1_200, "k21": 1}
        trueup = made.pool[0] * 99 // 100 if number % 640 == 639 else None
        made.interval(flows=site.flows(number, made.pool[0]), trueup=trueup, **changes)
        number += 1
    return made
