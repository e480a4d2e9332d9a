"""Recompute the energy and carbon book of one interval exactly, from the record's own figures.

Carbon in ug is energy in Wh times factor in mg/kWh, so nothing is ever rounded. Discharge comes first, from
the storage as it was at the start; then the sources are split over the uses; then the charge goes in; then
any true-up. Each rule has its own finding, and a rule that rests on a broken one is not reported again.
"""

from operator import add, mul

from host_tools.evidence.fields import INTERVAL

PPM = 1_000_000
_TRUE_UP = 1 << 9
_NOTE_PERMILLE = 20
_LIMIT_PERMILLE = 100
_RESIDUAL_FLOOR_WH = 100
_TRACKS = ((1, 32, 35, "direct"), (2, 33, 36, "life cycle"))


def split(lump, parts, total):
    """Split a whole number in proportion to `parts`, by largest remainder, ties to the lowest index."""
    if not lump:
        return [0] * len(parts)
    if not total:
        return [lump] + [0] * (len(parts) - 1)
    shares, rests = [], []
    for part in parts:
        share, rest = divmod(lump * part, total)
        shares.append(share)
        rests.append(rest)
    up = _winners(rests, lump - sum(shares))
    return list(map(add, shares, up))


def expected_uses(lumps, uses, total):
    """Split whole numbers over four uses in proportion, by largest remainder, ties to the lowest; add up the parts."""
    first, second, third, _ = uses
    if first == total:  # all to the load, and so it is where nothing was used at all
        return [sum(lumps), 0, 0, 0]
    sum_1 = sum_2 = sum_3 = 0
    for lump in lumps:
        if not lump:
            continue
        share_1, rest_1 = divmod(lump * first, total)
        share_2, rest_2 = divmod(lump * second, total)
        share_3, rest_3 = divmod(lump * third, total)
        rests = rest_1 + rest_2 + rest_3
        left = -(-rests // total)
        rest_4 = left * total - rests
        # the `left` largest remainders get one more each: those that come before 4 - left others at least
        least, over_12, over_13, over_23 = 4 - left, rest_1 >= rest_2, rest_1 >= rest_3, rest_2 >= rest_3
        sum_1 += share_1 + (over_12 + over_13 + (rest_1 >= rest_4) >= least)
        sum_2 += share_2 + (1 - over_12 + over_23 + (rest_2 >= rest_4) >= least)
        sum_3 += share_3 + (2 - over_13 - over_23 + (rest_3 >= rest_4) >= least)
    return [sum_1, sum_2, sum_3, sum(lumps) - sum_1 - sum_2 - sum_3]


def _winners(rests, left):
    """Choose the `left` largest of some remainders, ties to the lowest index: 1 for each of them, else 0."""
    order = sorted(range(len(rests)), key=lambda index: -rests[index])[:left]
    return [int(index in order) for index in range(len(rests))]


def expected_mix(sources, uses, total):
    """Give the part of each source that the same split gives to the load."""
    first, second, third, _ = uses
    if first == total:
        return sources
    mix = []
    for lump in sources:
        share, rest = divmod(lump * first, total)
        if rest:
            rest_2, rest_3 = lump * second % total, lump * third % total
            rest_4 = -(rest + rest_2 + rest_3) % total
            left = (rest + rest_2 + rest_3 + rest_4) // total
            # the load has the lowest index: it wins unless `left` others have a larger remainder
            share += (rest_2 > rest) + (rest_3 > rest) + (rest_4 > rest) < left
        mix.append(share)
    return mix


class CarbonBook:
    """Check the book of every record; `findings` gets what does not follow from the rules."""

    def __init__(self, findings):
        self.findings = findings

    def check(self, unit, record, previous):
        """Check one record against itself and the one before it."""
        start, end = record[27], record[28]
        if previous is not None and previous[28] != start:
            what = f"it starts with {start}, the record before ended with {previous[28]}"
            self.findings.add("POOL_CHAIN", what, unit)
        if record[2] != INTERVAL:
            if start[1:] != end[1:]:
                self.findings.add("POOL_CARBON", "stored carbon or remainder changes in a gap", unit)
            return
        if unit.seq == 0:
            self._check_first(unit, record)
        sources, uses = record[23], record[24]
        used_wh = sum(uses)
        self._check_balance(unit, record[25], sum(sources), used_wh)
        expected = expected_mix(sources, uses, used_wh)
        if record[26] != expected:
            self.findings.add("MIX_SPLIT", f"load_mix_wh is {record[26]}, expected {expected}", unit)
        drawn_wh = min(sources[4], start[0])
        self._check_energy(unit, record, drawn_wh, uses[1])
        emptied = record[19] & _TRUE_UP and end[0] == 0
        for track in _TRACKS:
            self._check_track(unit, record, track, drawn_wh, used_wh)
            if emptied or record[track[2]][4]:
                self._check_write_off(unit, track[3], record[track[2]][4], end[track[0]], emptied)

    def _check_first(self, unit, record):
        energy_wh, direct_ug, lifecycle_ug, remainder = record[27]
        expected = (energy_wh * record[32][4], energy_wh * record[33][4], 0)
        if (direct_ug, lifecycle_ug, remainder) != expected:
            what = f"{energy_wh} Wh carry {direct_ug} and {lifecycle_ug} ug, expected {expected[:2]}"
            self.findings.add("POOL_START", what, unit)

    def _check_balance(self, unit, residual_wh, supplied_wh, used_wh):
        if supplied_wh != used_wh + residual_wh:
            what = f"{supplied_wh} Wh are not {used_wh} Wh and a residual of {residual_wh} Wh"
            self.findings.add("BALANCE_SUM", what, unit)
        above_wh = abs(residual_wh) - _RESIDUAL_FLOOR_WH
        if above_wh * 1000 > supplied_wh * _NOTE_PERMILLE:
            code = "BALANCE_LIMIT" if above_wh * 1000 > supplied_wh * _LIMIT_PERMILLE else "BALANCE_RESIDUAL"
            self.findings.add(code, f"residual {residual_wh} Wh of {supplied_wh} Wh", unit)

    def _check_energy(self, unit, record, drawn_wh, charged_wh):
        start, end, loss_wh, trueup_wh = record[27], record[28], record[29], record[30]
        added_wh = charged_wh - loss_wh
        expected_wh = start[0] + added_wh - drawn_wh + trueup_wh
        if end[0] != expected_wh:
            self.findings.add("POOL_ENERGY", f"it ends with {end[0]} Wh, expected {expected_wh} Wh", unit)
        added_ppm = added_wh * PPM + end[3] - start[3]
        fits = added_ppm % charged_wh == 0 if charged_wh else added_ppm == 0
        if not fits or not 0 <= added_ppm <= charged_wh * PPM:
            what = f"no efficiency gives a loss of {loss_wh} Wh on {charged_wh} Wh with these remainders"
            self.findings.add("POOL_LOSS", what, unit)
        if trueup_wh and not record[19] & _TRUE_UP:
            self.findings.add("FLAG_CONTENT", f"a true-up of {trueup_wh} Wh without its flag", unit)

    def _check_track(self, unit, record, track, drawn_wh, used_wh):
        """Check one carbon track: out of the storage, over the uses, into the storage."""
        index, factor_key, carbon_key, name = track
        load, charge, export, aux, write_off, out = record[carbon_key]
        sources, factors = record[23], record[factor_key]
        stored_wh, stored_ug = record[27][0], record[27][index]
        expected_ug = stored_ug * drawn_wh // stored_wh if stored_wh else 0
        if out != expected_ug:
            what = f"{name}: {out} ug left the storage, expected {expected_ug} ug"
            self.findings.add("POOL_DISCHARGE", what, unit)
        lumps = list(map(mul, sources, factors))
        if record[42] is not None and record[45] is not None:  # the genset's, by the litres it burnt
            lumps[2] = record[42] * record[45][index - 1]
        lumps[4] = out + (sources[4] - drawn_wh) * factors[4]
        given = [load, charge, export, aux]
        if given != (expected := expected_uses(lumps, record[24], used_wh)):
            self._report_uses(unit, name, given, expected)
        expected_ug = stored_ug + charge - out - write_off
        if record[28][index] != expected_ug:
            what = f"{name}: it ends with {record[28][index]} ug, expected {expected_ug} ug"
            self.findings.add("POOL_CARBON", what, unit)

    def _report_uses(self, unit, name, given, expected):
        if sum(given) != sum(expected):
            what = f"{name}: the uses carry {sum(given)} ug, the sources {sum(expected)} ug"
            self.findings.add("CARBON_SUM", what, unit)
        else:
            what = f"{name}: the uses carry {given} ug, expected {expected} ug"
            self.findings.add("CARBON_SPLIT", what, unit)

    def _check_write_off(self, unit, name, written_off_ug, end_ug, emptied):
        if emptied and end_ug:
            what = f"{name}: {end_ug} ug stay in a storage that was set to empty"
            self.findings.add("POOL_WRITE_OFF", what, unit)
        elif written_off_ug and not emptied:
            what = f"{name}: {written_off_ug} ug written off although the storage was not set to empty"
            self.findings.add("POOL_WRITE_OFF", what, unit)
