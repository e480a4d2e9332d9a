"""What stored energy is worth in carbon, hour by hour, from the grid's factors a day ahead: backward induction.

The state of charge stands in 17 levels, the wind in the eight of wind_chain.py. From the last known hour back to this
one each pair gets the least carbon that is still to come: what the wind leaves uncovered is taken out of the battery
where the grid emits more now than the stored energy will be worth later, and the grid charges it where it emits less
than that. How the wind goes on is not known, only how likely each way is.

Out come two states of charge: down to the first one discharging pays this hour, up to the second one charging from the
grid does. One hour is reckoned a call. Within the hour they are found anew for the wind as it is by then.
"""

from array import array

import micropython
from micropython import const

from firmware.control.wind_chain import LEVELS, VALUES, expect
from firmware.core.fixed import clamp, mul_div
from firmware.core.types import ptr32

HOURS = const(24)
_LEAST_HOURS = const(6)  # with fewer the end of what is known would decide, not the factors
_FACTOR_MAX = const(10_000_000)  # mg/kWh
_LEVELS = const(16)
_STEP = const(256)  # counts of a level
_FULL = const(4096)
_PRICE_MAX = const(2000)
_COUNT_MAX = const(16_383)
_CLEARLY = const(64)
MISSING = const(0)
KNOWN = const(1)
STALE = const(2)
REJECTED = const(3)
WORDS = ("FACTORS_MISSING", "FACTORS_KNOWN", "FACTORS_STALE", "FACTORS_REJECTED")
SENTENCES = (
    "No factors are known a day ahead: surplus is stored and a deficit covered as they come.",
    "The factors of the coming hours are known: stored energy is used where the grid emits most.",
    "The factors known a day ahead have run out: surplus is stored and a deficit covered as they come.",
    "The factors a day ahead are refused as implausible: surplus is stored and a deficit covered as they come.",
)

# Cells of an hour.
_PRICE = const(0)
_BESS = const(1)  # counts an hour
_OUT = const(2)
_IN = const(3)
_WEAR = const(4)  # price units
_CAP = const(5)  # counts an hour
_DOWN_TO = const(6)
_UP_TO = const(7)
_CELLS = const(8)


@micropython.viper
def bound(a: ptr32, v: ptr32):
    """Find the counts down to which discharging and up to which charging pays at this hour's price."""
    give = a[_PRICE] * a[_OUT] // 1000 - a[_WEAR]
    give += give // _CLEARLY  # what is not clearly worth more later is used now
    take = a[_PRICE] * 1000 // a[_IN] + a[_WEAR]
    take += take // _CLEARLY
    worth = 0
    before = 0
    down = 0
    up = 0
    i = 0
    while i < _LEVELS:
        worth = (v[i] - v[i + 1]) // _STEP
        # The worth of a level stands for its middle; between two middles it runs in a straight line.
        if worth > give:
            down = i * _STEP + _STEP
        elif i > 0 and before > give and before > worth:
            down = i * _STEP - _STEP // 2 + (before - give) * _STEP // (before - worth)
        if worth > take:
            up = i * _STEP + _STEP
        elif i > 0 and before > take and before > worth:
            up = i * _STEP - _STEP // 2 + (before - take) * _STEP // (before - worth)
        before = worth
        i += 1
    a[_DOWN_TO] = down
    a[_UP_TO] = up


@micropython.viper
def least(a: ptr32, v: ptr32, at: int, net: int) -> int:
    """Return the least carbon from the beginning of an hour on, of `at` counts and this net load, by bound()'s rule."""
    spent = 0
    room = a[_BESS]
    if net < 0:
        store = 0 - net if 0 - net < room else room
        room -= store
        at += store * a[_IN] // 1000
        if at > _FULL:
            at = _FULL
        net = 0
    elif at > a[_DOWN_TO] and net > 0:
        use = (at - a[_DOWN_TO]) * a[_OUT] // 1000
        if use > net:
            use = net
        if use > room:
            use = room
        at -= use * 1000 // a[_OUT]
        spent = 0 - use * (a[_PRICE] - a[_WEAR])
        room = 0
    if at < a[_UP_TO] and room > 0:
        buy = (a[_UP_TO] - at) * 1000 // a[_IN]
        if buy > room:
            buy = room
        if buy > a[_CAP] - net:
            buy = a[_CAP] - net
        if buy > 0:
            at += buy * a[_IN] // 1000
            if at > _FULL:
                at = _FULL
            spent = buy * (a[_PRICE] + a[_WEAR])
    i = at // _STEP
    part = at - i * _STEP
    value = v[i]
    if part:
        value += (v[i + 1] - value) // _STEP * part
    return value + spent


class CarbonPlan:
    """Plans from up to 24 hourly factors; `keep_permille` and `goal_permille` are the two states of charge."""

    def __init__(self, battery, chain, import_pu, wear_mg_per_kwh):
        """Make it for a Battery, a WindChain and an import cap; the wear is that of a kWh given or taken."""
        self._battery = battery
        self._chain = chain
        self._wear = wear_mg_per_kwh
        self._cells = cells = array("i", [0] * _CELLS)
        cells[_BESS] = self._counts(battery.bess_pu)
        cells[_OUT] = battery.discharge_permille
        cells[_IN] = battery.charge_permille
        cells[_CAP] = self._counts(import_pu)
        self._values = array("i", [0] * (LEVELS * VALUES))
        self._next = array("i", [0] * (LEVELS * VALUES))
        self._expected = array("i", [0] * VALUES)
        self._factors = array("i", [0] * HOURS)
        self._first = 0  # hour since 1970 of the first factor
        self._known = 0  # hours
        self._hour = 0  # the one that is planned for
        self._left = 0  # hours still to be reckoned
        self._scale = 1
        self.state = MISSING
        self.keep_permille = self.goal_permille = 0

    def _counts(self, power_pu):
        power_pu = clamp(power_pu, -0x80000, 0x80000)
        return clamp(mul_div(power_pu, _FULL, self._battery.window_puh), -_COUNT_MAX, _COUNT_MAX)

    def take(self, hour, factors):
        """Take mg/kWh of the hours from `hour` (since 1970) on, at most 24; None or an empty list: none are known."""
        self._known = self._left = 0
        if not factors:
            self.state = STALE if self.state in (KNOWN, STALE) else MISSING
            return
        if len(factors) > HOURS or min(factors) < 0 or max(factors) > _FACTOR_MAX or max(factors) < 16:
            self.state = REJECTED
            return
        for i, factor in enumerate(factors):
            self._factors[i] = factor
        self._first = hour
        self._known = len(factors)
        self.state = KNOWN

    def begin(self, hour):
        """Begin to plan for `hour` (since 1970); work() then is to be called until it returns False."""
        ahead = self._known - (hour - self._first)
        if self.state != KNOWN:
            return
        if hour < self._first or ahead < _LEAST_HOURS:
            self.take(hour, None)
            return
        self._hour = hour
        self._left = ahead
        known = self._factors[hour - self._first:self._known]
        self._scale = max(max(known) // 16, 1)
        self._cells[_WEAR] = self._price(self._wear)
        mean = max(self._price(sum(known) // ahead) * self._cells[_OUT] // 1000 - self._cells[_WEAR], 0)
        for i in range(LEVELS * VALUES):
            self._values[i] = mean * _STEP * (_LEVELS - i % VALUES)

    def again(self):
        """Have work() find the two states of charge of this hour once more, for the wind as it is by then."""
        if self.state == KNOWN and not self._left:
            self._left = 1

    def _price(self, mg_per_kwh):
        return mul_div(mg_per_kwh // 16, _PRICE_MAX, self._scale)

    def work(self, load_pu, wind_pu):
        """Reckon one hour: `load_pu(quarter hours ahead)` less PV, and the wind now. True: not done."""
        if not self._left:
            return False
        self._left -= 1
        ahead, cells, chain = self._left, self._cells, self._chain
        cells[_PRICE] = self._price(self._factors[self._hour - self._first + ahead])
        if ahead == 0:
            expect(chain.counts, self._values, chain.level(wind_pu), self._expected)
            bound(cells, self._expected)
            window, least_permille = self._battery.window_permille, self._battery.soc_min_permille
            self.keep_permille = least_permille + cells[_DOWN_TO] * window // _FULL
            self.goal_permille = least_permille + cells[_UP_TO] * window // _FULL
            return False
        self._step(load_pu(4 * ahead))
        return True

    def _step(self, load_pu):
        """Go from the least carbon behind an hour to the least behind its beginning, at every level of the wind."""
        chain, after, expected = self._chain, self._next, self._expected
        for level in range(LEVELS):
            expect(chain.counts, self._values, level, expected)
            bound(self._cells, expected)
            net = self._counts(load_pu - chain.means[level])
            row = level * VALUES
            for i in range(VALUES):
                after[row + i] = least(self._cells, expected, i * _STEP, net)
            # Only differences between states of charge matter: what is least at a level of the wind counts as zero,
            # else the levels, which keep apart from hour to hour, would drift out of range.
            lowest = min(after[row:row + VALUES])
            for i in range(row, row + VALUES):
                after[i] -= lowest
        self._values, self._next = after, self._values
