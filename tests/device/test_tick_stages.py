"""The tick's viper stages against the same laws in plain Python: a seeded sweep of a site's life, also at the ends of
the scale, on CPython, the 64-bit VM (where a word has no sign of its own) and the 32-bit board."""

import gc

from firmware.core.types import BESS, GRID, LOAD, ROLES, WIND
from tests import tick_reference
from tests.tick_pair import Pair

FULL = 1 << 19
TOP = 0x90000 - 1  # the most that a driver hands over
VALUES = (0, 1, -1, FULL, -FULL, TOP, -TOP, 1000, -1000)
STEPS_MS = (0, 1, 20, 100, 999, 1000, 1000, 4000)


class Dice:
    """Numbers that are the same on every machine."""

    def __init__(self, seed):
        self._state = seed

    def roll(self, sides):
        self._state = (self._state * 1_103_515_245 + 12_345) % (1 << 31)
        return (self._state >> 12) % sides

    def pick(self, values):
        return values[self.roll(len(values))]


def _power(dice):
    return dice.pick(VALUES) if dice.roll(2) else dice.roll(2 * FULL) - FULL


def _site(dice, follow):
    scale = dice.pick((1000, 40_000, FULL))
    return {"bess": scale, "import": dice.pick((0, scale, FULL)), "export": dice.pick((0, scale)), "soc_min": 100,
            "soc_max": 900, "follow": follow, "gain": dice.pick((0, 20, 500)), "base_ms": dice.pick((1000, 3_600_000)),
            "home": 500, "homing": dice.pick((0, 1000)), "ramp": dice.pick((1, 1000, 1 << 20)), "wind": FULL,
            "aim": dice.pick((0, 0, -scale, FULL)), "term": dice.pick((0, 0, scale, -FULL)),
            "pull_max": dice.pick((1, FULL - 1)), "dead_band": dice.pick((0, 0, 7, scale)),
            "pcs_dead_band": dice.pick((0, 0, 9, scale)),
            "facts": dice.pick(((20, 10, 20, 50, 10), (100, 150, 0, 50, 0), (1000, 400, 100, 0, 0),
                                (20, 900, 0, 2000, 10)))}


def _live(pair, dice, steps):
    calm = 0
    for _ in range(steps):
        if not calm:
            calm = dice.roll(6)
            for role in range(ROLES):
                if dice.roll(8):
                    pair.put(role, _power(dice))
            pair.balance = dice.roll(2)
        calm -= calm > 0
        for role in range(ROLES):
            if dice.roll(20):
                pair.sample(role)
        if dice.roll(20):
            pair.put_soc(dice.pick((0, 99, 100, 103, 500, 889, 890, 891, 899, 900, 1000)))
        lost = [name for name, _ in tick_reference.LOST if dice.roll(20) == 0]
        pair.step(dice.pick(STEPS_MS), dice.roll(30) > 0, dice.roll(30) == 0, dice.roll(30) == 0, dice.roll(50) == 0,
                  lost)


def _sweep(seed, roles, steps):
    for follow in (True, False):
        dice = Dice(seed)
        _live(Pair(_site(dice, follow), roles, dice.pick((1, 5, 5000))), dice, steps)
        gc.collect()


def test_the_stages_keep_the_laws_on_a_small_site():
    for seed in range(4):
        _sweep(seed, (LOAD, GRID, BESS), 60)


def test_the_stages_keep_the_laws_on_a_site_with_every_role():
    for seed in range(10, 16):
        _sweep(seed, range(ROLES), 60)


def test_the_stages_keep_the_laws_over_the_turn_of_the_tick():
    dice = Dice(99)
    pair = Pair(_site(dice, False), (LOAD, GRID, BESS, WIND), 1, (1 << 30) - 20_000)
    _live(pair, dice, 120)
