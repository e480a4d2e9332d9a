"""The bound of a site with a battery: the least cost of a stretch whose load and wind are all known beforehand.

That is a linear programme, solved here exactly and without a solver: cost to come as a function of the energy stored is
convex and piecewise linear, so it is kept as its slopes in rising order, and one step back in time is a merge of two
such lists. Energies in kWh, powers in kW, prices per kWh of import; `stored` is on the battery's side.
"""

from bisect import bisect_left
from dataclasses import dataclass

_UNSERVED = 1e6  # a price above all others
_TINY = 1e-9


@dataclass(frozen=True)
class Site:
    """What the plan may do: import up to the cap, store inside the window; export is never allowed."""

    cap_kw: float
    bess_kw: float
    bess_kwh: float
    efficiency: float = 0.88 ** 0.5  # each way
    low_kwh: float = 0.0
    high_kwh: float | None = None
    grid_charging: bool = True

    @property
    def top_kwh(self):
        """Return the upper end of the window."""
        return self.bess_kwh if self.high_kwh is None else self.high_kwh


@dataclass
class Plan:
    """What the optimum comes to: energies in kWh over the stretch, and the price paid for the import."""

    import_kwh: float
    unserved_kwh: float
    stored_kwh: float  # at the end
    price: float  # of the import alone
    steps: list  # energy stored behind each step


def _choices(site, load_kw, wind_kw, price, hours):
    """Return (least change of the energy stored, its cost, [(slope, length), ...] rising) of one step."""
    eta = site.efficiency
    net = load_kw - wind_kw
    over = max(net - site.cap_kw, 0.0)
    give_kw = min(max(net, 0.0), site.bess_kw)
    served_kw = min(over, give_kw)  # the part of it that would not be served otherwise
    surplus_kw = min(max(-net, 0.0), site.bess_kw)
    buy_kw = min(max(site.cap_kw - max(net, 0.0), 0.0), site.bess_kw - surplus_kw) if site.grid_charging else 0.0
    parts = [(price * eta, (give_kw - served_kw) * hours / eta), (_UNSERVED * eta, served_kw * hours / eta)]
    # From the most that can be given up: first what was saved for its price is given back, then what was unserved.
    pieces = [parts[0], parts[1]] if served_kw < give_kw else [parts[1]]
    down = sum(length for _, length in pieces)
    cost = (max(net, 0.0) - give_kw) * hours
    cost = min(cost, site.cap_kw * hours) * price + max(cost - site.cap_kw * hours, 0.0) * _UNSERVED
    up = [(0.0, surplus_kw * hours * eta), (price / eta, buy_kw * hours * eta)]
    if over > 0:
        up = []
    return -down, cost, [piece for piece in pieces + up if piece[1] > _TINY]


def _back(site, slopes, base, step):
    """Return (slopes, value at the lower end) of the cost to come before a step, of those behind it."""
    least, cost, pieces = step
    # V(s) = min over d of c(d) + W(s + d): with d = -x an infimal convolution, which merges slopes.
    most = least + sum(length for _, length in pieces)
    top_cost = cost + sum(slope * length for slope, length in pieces)
    merged = list(slopes)
    for slope, length in pieces:
        merged.insert(bisect_left(merged, (-slope, length)), (-slope, length))
    base += top_cost
    cut = most  # how far its lower end lies below the window
    kept = []
    room = site.top_kwh - site.low_kwh
    for slope, length in merged:
        if cut > 0:
            gone = min(cut, length)
            base += slope * gone
            cut -= gone
            length -= gone
        length = min(length, room)
        room -= length
        if length > _TINY:
            if kept and kept[-1][0] == slope:
                kept[-1] = (slope, kept[-1][1] + length)
            else:
                kept.append((slope, length))
    return kept, base


def optimum(site, load_kw, wind_kw, hours, start_kwh, worth, prices=None):
    """Return the Plan of least cost; `prices` of import by step (None: 1), `worth` of a kWh stored at the end."""
    count = len(load_kw)
    prices = [1.0] * count if prices is None else prices
    slopes, base = [(-worth, site.top_kwh - site.low_kwh)], 0.0
    steps = [_choices(site, load_kw[i], wind_kw[i], prices[i], hours) for i in range(count)]
    behind = [None] * count
    for i in range(count - 1, -1, -1):
        behind[i] = slopes
        slopes, base = _back(site, slopes, base, steps[i])
    return _forward(site, steps, behind, start_kwh, (load_kw, wind_kw, prices, hours))


def _forward(site, steps, behind, stored, inputs):
    load_kw, wind_kw, prices, hours = inputs
    bought = unserved = paid = 0.0
    track = []
    for i, (least, _, pieces) in enumerate(steps):
        before = stored
        stored = max(stored + least, site.low_kwh)
        skip = stored - (before + least)
        for slope, length in pieces:
            gone = min(skip, length)
            skip -= gone
            stored = _climb(site, behind[i], stored, slope, length - gone)
        change = stored - before
        ac_kw = (change / site.efficiency if change > 0 else change * site.efficiency) / hours
        grid_kw = max(load_kw[i] - wind_kw[i] + ac_kw, 0.0)
        bought += min(grid_kw, site.cap_kw) * hours
        paid += min(grid_kw, site.cap_kw) * hours * prices[i]
        unserved += max(grid_kw - site.cap_kw, 0.0) * hours
        track.append(stored)
    return Plan(bought, unserved, stored, paid, track)


def _climb(site, slopes, stored, slope, length):
    """Return the energy stored after up to `length` more at this slope, as far as the cost to come falls by more."""
    at = site.low_kwh
    for steep, span in slopes:
        if slope + steep >= -_TINY or length <= 0:
            break
        at += span
        if at > stored:
            more = min(at - stored, length)
            stored += more
            length -= more
    return stored


def direct_use_kwh(load_kwh, import_kwh, unserved_kwh, gained_kwh, efficiency):
    """Return load less import and unserved, plus what the battery has gained, at one way's efficiency."""
    return load_kwh - import_kwh - unserved_kwh + gained_kwh * efficiency
