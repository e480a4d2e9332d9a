"""The reserve: how full the battery has to be now for the import cap, and backup, to hold over the next two days.

The board keeps what the site took in each quarter hour of the last week, load less PV. Each of these days, carried over
to now, is one course that the next two may take; the second counts by half, unless the first leaves a gap that it does
not fill again by its end, or there has been no wind for hours: a calm may last. The wind beside it is a weak one, that
fades beyond the hour that its band reaches. What is above the cap has to come out of the battery, what is below it can
charge it again: the largest sum on the way is what has to be there now. The day that asks for most decides;
where the last hours went just as those before some of the days did, the load repeats itself, and only these are asked.
"""

from array import array

import micropython
from micropython import const

from firmware.core.fixed import clamp
from firmware.core.types import ptr16, ptr32

SLOTS = const(96)  # quarter hours of a day
_DAYS = const(7)
_RING = const(672)
_AHEAD = const(192)  # quarter hours
_NONE = const(-0x8000)
_STORE = const(4)  # a stored power is 16 units, so that full scale fits 16 bits
_TOP = const(0x7FFF)
_BAND = const(4)  # quarter hours of the wind's band
_QUARTER_MS = const(900_000)
_CHUNK_MS = const(1000)
_SMOOTH_MS = const(600_000)  # over which what the site takes now is a mean: less is noise, and no day's is like it
_NEAR = const(4)  # quarter hours by which a clock may be set and the days still be those they were
_EVEN = const(4)  # share of a load above that day's which is gone a quarter hour later
_ALIKE = const(16)  # quarter hours by which a day is told from another
_LIKE = const(64)  # part of the import cap: what goes on within it, on the mean of these, repeats itself
_TRUSTED_DAYS = const(3)  # before so many are known, the fixed reserve is kept at least
_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_SIGN16 = const(0x8000)

# What need() is told.
_POS = const(0)
_BACK = const(1)  # quarter hours, whole days
_CAP = const(2)
_BESS = const(3)
_OUT = const(4)  # efficiencies, permille
_IN = const(5)
_LEFT = const(6)  # of this quarter hour, permille
_BACKUP = const(7)  # quarter hours
_NOW = const(8)  # load less PV
_FADE = const(9)  # 1024ths of the wind that are left a quarter hour later
_LOWS = const(10)  # five
_CALM = const(15)  # 1: no wind is to be expected before the second day
_CELLS = const(16)


@micropython.viper
def carry_over(a: ptr32, ring: ptr16, course: ptr32) -> int:
    """Put load less PV and wind of the coming quarter hours, as one past day has it, into `course`; 0: not known."""
    now_pu = ((a[_NOW] & _MASK) ^ _HALF) - _HALF
    back = a[_BACK]
    at = a[_POS] - back
    if at < 0:
        at += _RING
    above = 0
    low = 0
    m = 0
    while m < _AHEAD:
        if m == back:  # from here on that day would be to come: the one before, once more
            at -= SLOTS
            if at < 0:
                at += _RING
        load = ((ring[at] & 0xFFFF) ^ _SIGN16) - _SIGN16
        if load == _NONE:
            return 0
        load *= 1 << _STORE
        if m == 0 and now_pu > load:
            above = now_pu - load
        low = a[_LOWS + m] if m <= _BAND else (low * a[_FADE]) >> 10
        course[m] = load + above - low
        above -= (above + _EVEN - 1) // _EVEN
        at += 1
        if at == _RING:
            at = 0
        m += 1
    return 1


@micropython.viper
def need(a: ptr32, course: ptr32) -> int:
    """Return the energy that has to be there now for this course, power units times quarter hours, 0 .. 2**29."""
    total = 0
    worst = 0
    taken = 0
    half = 0
    backup = 0
    m = 0
    while m < _AHEAD:
        over = ((course[m] & _MASK) ^ _HALF) - _HALF
        if m < a[_BACKUP] and over > 0:
            backup += over * 1000 // a[_OUT]
        over -= a[_CAP]
        if over > 0:
            over = over * 1000 // a[_OUT]
            taken += over
        else:
            if over < 0 - a[_BESS]:
                over = 0 - a[_BESS]
            over = 0 - (0 - over) * a[_IN] // 1000
        if m == 0:
            over = over * a[_LEFT] // 1000
        if m == SLOTS and total * 2 <= taken and a[_CALM] == 0:
            half = 1  # the most of what the first day takes has come back by its end
        if half:
            over = over // 2
        total += over
        if total > worst:
            worst = total
        m += 1
    return worst + backup


@micropython.viper
def unlike(a: ptr32, ring: ptr16) -> int:
    """Return by how much the last hours went otherwise than those before a past day, mean of stored units; -1: not
    known, as of the day a week ago, whose eve has been written over.
    """
    at = a[_POS]
    total = 0
    m = 0
    if a[_BACK] + _ALIKE > _RING:
        return -1
    while m < _ALIKE:
        at -= 1
        if at < 0:
            at += _RING
        then = at - a[_BACK]
        if then < 0:
            then += _RING
        now = ((ring[at] & 0xFFFF) ^ _SIGN16) - _SIGN16
        was = ((ring[then] & 0xFFFF) ^ _SIGN16) - _SIGN16
        if now == _NONE or was == _NONE:
            return -1
        total += now - was if now > was else was - now
        m += 1
    return total // _ALIKE


class Reserve:
    """Learns the days of a site and sizes its reserve, in permille of the battery."""

    def __init__(self, control, battery):
        """`control` is that section of site.json, `battery` a Battery."""
        self.ring = array("h", [_NONE] * _RING)
        self._course = array("i", [0] * _AHEAD)
        self._cells = array("i", [0] * _CELLS)
        self._cells[_BESS] = battery.bess_pu
        self._cells[_OUT] = battery.discharge_permille
        self._cells[_IN] = battery.charge_permille
        self._cells[_BACKUP] = (control["backup_min"] + 14) // 15
        self._cells[_FADE] = control["wind_fade_permille"] * 1024 // 1000
        self._permille_puq = battery.permille_puq
        self._fixed = control["reserve_permille"]
        self._margin = control["reserve_margin_permille"]
        self._banded = control["reserve"] == "banded"
        self._needs = array("h", [-1] * _DAYS)  # permille, by day
        self._like = bytearray(_DAYS)
        self._day = 0
        self._quarter = None
        self._sum = self._seconds = 0
        self._least = battery.soc_min_permille
        self._last_pu = 0
        self.permille = 0 if control["reserve"] == "off" else min(self._least + self._fixed, 1000)

    def add(self, load_pu, dt_ms, quarter):
        """Take load less PV over the last `dt_ms` (0 .. 60,000), and the number of the quarter hour it is now."""
        if self._quarter is None:
            self._last_pu = load_pu
        self._last_pu += ((load_pu - self._last_pu) >> 2) * (dt_ms >> 4) // (_SMOOTH_MS >> 6)
        if quarter != self._quarter:
            self._end_quarter(quarter)
        # By whole seconds, rounded: a mean of 900 of them needs no finer.
        seconds = (dt_ms + _CHUNK_MS // 2) // _CHUNK_MS
        if self._seconds + seconds <= 2 * _QUARTER_MS // _CHUNK_MS:
            self._sum += (load_pu >> _STORE) * seconds
            self._seconds += seconds

    def _end_quarter(self, quarter):
        last = self._quarter
        self._quarter = quarter
        if last is not None and quarter == last + 1 and self._seconds >= 450:
            self.ring[last % _RING] = clamp(self._sum // self._seconds, _NONE + 1, _TOP)
        elif last is not None and abs(quarter - last) > _NEAR:  # the clock was set: which hour was which is not known
            for i in range(_RING):
                self.ring[i] = _NONE
        self._sum = self._seconds = 0

    def look(self, lows, cap_pu, ms, calm=0):
        """Reckon with one more day, `ms` into the quarter hour; `lows` are the wind's, five; `calm`: 1 after hours
        without. Updates `permille`.
        """
        if not self._banded or self._quarter is None:
            return
        cells = self._cells
        self._day = (self._day + 1) % _DAYS
        cells[_POS] = self._quarter % _RING
        cells[_BACK] = SLOTS * (self._day + 1)
        cells[_CAP] = cap_pu
        cells[_LEFT] = 1000 - ms // (_QUARTER_MS // 1000)
        cells[_NOW] = self._last_pu
        cells[_CALM] = calm
        for i in range(_BAND + 1):
            cells[_LOWS + i] = lows[i]
        known = carry_over(cells, self.ring, self._course)
        self._needs[self._day] = min(1000, -(-need(cells, self._course) // self._permille_puq)) if known else -1
        off = unlike(cells, self.ring)
        self._like[self._day] = 1 if 0 <= off << _STORE <= cap_pu // _LIKE else 0
        self._decide()

    def _decide(self):
        worst = known = 0
        repeats = max(self._like)
        for asked, like in zip(self._needs, self._like):
            if asked >= 0:
                known += 1
                if like or not repeats:
                    worst = max(worst, asked)
        permille = worst + self._margin
        if known < _TRUSTED_DAYS:
            permille = max(permille, self._fixed)
        self.permille = min(self._least + permille, 1000)

    def expected_pu(self, quarters):
        """Return load less PV expected in the hour so many quarter hours ahead: the mean of the days, or what it is."""
        total = count = 0
        for back in range(SLOTS, _RING + 1, SLOTS):
            at = (self._quarter or 0) + quarters % SLOTS - back
            for i in range(4):
                load = self.ring[(at + i) % _RING]
                if load != _NONE:
                    total += load
                    count += 1
        return self._last_pu if count == 0 else total * (1 << _STORE) // count
