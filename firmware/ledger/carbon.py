"""The carbon book: exact integers, micrograms from Wh times mg/kWh, and the battery as a pool of mixed origin.

Two tracks are kept alike: direct and life cycle. Order inside an interval: discharge from the pool as it stood at the
start, then charge. Runs once a quarter hour in the background, where integers may be as long as they need.
"""

WIND, PV, GENSET, GRID, BESS = range(5)
LOAD, CHARGE, EXPORT, AUX, WRITE_OFF, BESS_OUT = range(6)
_USES = 4


class Pool:
    """The battery's contents: deliverable AC energy in Wh, carbon in ug by track, remainder of the efficiency."""

    def __init__(self, energy_wh, direct_ug, lifecycle_ug, remainder_ppm=0):
        self.energy_wh = energy_wh
        self.carbon_ug = [direct_ug, lifecycle_ug]
        self.remainder_ppm = remainder_ppm

    def state(self):
        """Return [energy_wh, direct_ug, lifecycle_ug, remainder_ppm]."""
        return [self.energy_wh, self.carbon_ug[0], self.carbon_ug[1], self.remainder_ppm]


def split(amount, shares):
    """Return `amount` split in proportion to `shares` by largest remainder, ties to the lowest index; sums exactly.

    All goes to the first where the shares sum to zero.
    """
    total = sum(shares)
    if total == 0:
        return [amount] + [0] * (len(shares) - 1)
    parts = [amount * share // total for share in shares]
    rests = [amount * share % total for share in shares]
    for _ in range(amount - sum(parts)):
        best = rests.index(max(rests))
        parts[best] += 1
        rests[best] = -1
    return parts


def book(pool, sources_wh, uses_wh, factors, eta_ppm, anchor_wh=None, fuel_ug=(None, None)):
    """Book one interval into `pool`; return a dict of what the record states.

    sources_wh [wind, pv, genset, grid, bess], uses_wh [load, charge, export, aux] in Wh; factors one list of five
    mg/kWh a track, the fifth for stored energy of unknown origin; eta_ppm the round trip AC to AC; anchor_wh the
    energy that a state-of-charge anchor says is there, or None; fuel_ug what the genset's fuel emitted, a track each,
    which counts instead of its energy where it is known.
    """
    discharge_wh = sources_wh[BESS]
    from_pool_wh = min(discharge_wh, pool.energy_wh)
    result = {
        "underflow": discharge_wh > from_pool_wh,
        "load_mix_wh": [split(wh, uses_wh)[LOAD] for wh in sources_wh],
        "carbon": [_track(pool, t, sources_wh, uses_wh, factors[t], from_pool_wh, fuel_ug[t]) for t in range(2)],
    }
    scaled = uses_wh[CHARGE] * eta_ppm + pool.remainder_ppm
    added_wh = scaled // 1_000_000
    pool.remainder_ppm = scaled % 1_000_000
    pool.energy_wh += added_wh - from_pool_wh
    result["loss_wh"] = uses_wh[CHARGE] - added_wh
    result["trueup_wh"] = _true_up(pool, anchor_wh, result["carbon"])
    result["written_off"] = any(track[WRITE_OFF] for track in result["carbon"])
    return result


def _track(pool, track, sources_wh, uses_wh, factors, from_pool_wh, fuel_ug):
    """Book one carbon track; return [load, charge, export, aux, write_off, bess_out] in ug."""
    held_ug = pool.carbon_ug[track]
    out_ug = 0
    if from_pool_wh:
        out_ug = held_ug if from_pool_wh == pool.energy_wh else held_ug * from_pool_wh // pool.energy_wh
    lumps = [sources_wh[k] * factors[k] for k in range(BESS)]
    if fuel_ug is not None:
        lumps[GENSET] = fuel_ug
    lumps.append(out_ug + (sources_wh[BESS] - from_pool_wh) * factors[BESS])
    by_use = [0] * _USES
    for lump in lumps:
        parts = split(lump, uses_wh)
        for use in range(_USES):
            by_use[use] += parts[use]
    pool.carbon_ug[track] = held_ug - out_ug + by_use[CHARGE]
    return by_use + [0, out_ug]


def _true_up(pool, anchor_wh, carbon):
    """Set the pool's energy to the anchor; carbon stays, and is written off only where no energy is left."""
    if anchor_wh is None:
        return 0
    delta_wh = anchor_wh - pool.energy_wh
    pool.energy_wh = anchor_wh
    if anchor_wh == 0:
        for track in range(2):
            carbon[track][WRITE_OFF] = pool.carbon_ug[track]
            pool.carbon_ug[track] = 0
    return delta_wh
