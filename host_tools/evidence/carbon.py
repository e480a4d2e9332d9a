"""Recompute the energy and carbon book of one interval exactly, from the record's own figures.

Carbon in ug is energy in Wh times factor in mg/kWh, so nothing is ever rounded. Discharge comes first, from
the storage as it was at the start; then the sources are split over the uses; then the charge goes in; then
any true-up. Each rule has its own finding, and a rule that rests on a broken one is not reported again.
"""

from host_tools.evidence.fields import GAP

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
    for _ in range(lump - sum(shares)):
        winner = rests.index(max(rests))
        shares[winner] += 1
        rests[winner] = -1
    return shares


class CarbonBook:
    """Check the book of every record; `findings` gets what does not follow from the rules."""

    def __init__(self, findings):
        self.findings = findings

    def check(self, unit, record, previous):
        """Check one record against itself and the one before it."""
        if previous is not None and previous[28] != record[27]:
            what = f"it starts with {record[27]}, the record before ended with {previous[28]}"
            self.findings.add("POOL_CHAIN", what, unit)
        if record[2] == GAP:
            self._check_gap(unit, record)
            return
        if unit.seq == 0:
            self._check_first(unit, record)
        sources, uses = record[23], record[24]
        used_wh = sum(uses)
        self._check_balance(unit, record, sum(sources), used_wh)
        self._check_mix(unit, record, sources, uses, used_wh)
        drawn_wh = min(sources[4], record[27][0])
        self._check_energy(unit, record, drawn_wh, uses[1])
        for track in _TRACKS:
            self._check_track(unit, record, track, drawn_wh, used_wh)

    def _check_gap(self, unit, record):
        if record[27][1:] != record[28][1:]:
            self.findings.add("POOL_CARBON", "stored carbon or remainder changes in a gap", unit)

    def _check_first(self, unit, record):
        energy_wh, direct_ug, lifecycle_ug, remainder = record[27]
        expected = (energy_wh * record[32][4], energy_wh * record[33][4], 0)
        if (direct_ug, lifecycle_ug, remainder) != expected:
            what = f"{energy_wh} Wh carry {direct_ug} and {lifecycle_ug} ug, expected {expected[:2]}"
            self.findings.add("POOL_START", what, unit)

    def _check_balance(self, unit, record, supplied_wh, used_wh):
        residual_wh = record[25]
        if supplied_wh != used_wh + residual_wh:
            what = f"{supplied_wh} Wh are not {used_wh} Wh and a residual of {residual_wh} Wh"
            self.findings.add("BALANCE_SUM", what, unit)
        above_wh = abs(residual_wh) - _RESIDUAL_FLOOR_WH
        if above_wh * 1000 > supplied_wh * _NOTE_PERMILLE:
            code = "BALANCE_LIMIT" if above_wh * 1000 > supplied_wh * _LIMIT_PERMILLE else "BALANCE_RESIDUAL"
            self.findings.add(code, f"residual {residual_wh} Wh of {supplied_wh} Wh", unit)

    def _check_mix(self, unit, record, sources, uses, used_wh):
        expected = [split(energy_wh, uses, used_wh)[0] for energy_wh in sources]
        if record[26] != expected:
            self.findings.add("MIX_SPLIT", f"load_mix_wh is {record[26]}, expected {expected}", unit)

    def _check_energy(self, unit, record, drawn_wh, charged_wh):
        start, end, loss_wh, trueup_wh = record[27], record[28], record[29], record[30]
        expected_wh = start[0] + charged_wh - loss_wh - drawn_wh + trueup_wh
        if end[0] != expected_wh:
            self.findings.add("POOL_ENERGY", f"it ends with {end[0]} Wh, expected {expected_wh} Wh", unit)
        added_ppm = (charged_wh - loss_wh) * PPM + end[3] - start[3]
        fits = added_ppm == 0 if charged_wh == 0 else added_ppm % charged_wh == 0
        if not fits or not 0 <= added_ppm <= charged_wh * PPM:
            what = f"no efficiency gives a loss of {loss_wh} Wh on {charged_wh} Wh with these remainders"
            self.findings.add("POOL_LOSS", what, unit)
        if trueup_wh and not record[19] & _TRUE_UP:
            self.findings.add("FLAG_CONTENT", f"a true-up of {trueup_wh} Wh without its flag", unit)

    def _check_track(self, unit, record, track, drawn_wh, used_wh):
        """Check one carbon track: out of the storage, over the uses, into the storage."""
        index, factor_key, carbon_key, name = track
        carbon, factors = record[carbon_key], record[factor_key]
        stored_wh, stored_ug = record[27][0], record[27][index]
        expected_ug = stored_ug * drawn_wh // stored_wh if stored_wh else 0
        if carbon[5] != expected_ug:
            what = f"{name}: {carbon[5]} ug left the storage, expected {expected_ug} ug"
            self.findings.add("POOL_DISCHARGE", what, unit)
        lumps = [energy * factor for energy, factor in zip(record[23][:4], factors)]
        lumps.append(carbon[5] + (record[23][4] - drawn_wh) * factors[4])
        self._check_uses(unit, name, carbon, lumps, record[24], used_wh)
        end_ug = record[28][index]
        expected_ug = stored_ug + carbon[1] - carbon[5] - carbon[4]
        if end_ug != expected_ug:
            what = f"{name}: it ends with {end_ug} ug, expected {expected_ug} ug"
            self.findings.add("POOL_CARBON", what, unit)
        self._check_write_off(unit, record, name, carbon[4], end_ug)

    def _check_uses(self, unit, name, carbon, lumps, uses, used_wh):
        given = carbon[:4]
        if sum(given) != sum(lumps):
            what = f"{name}: the uses carry {sum(given)} ug, the sources {sum(lumps)} ug"
            self.findings.add("CARBON_SUM", what, unit)
            return
        expected = [0, 0, 0, 0]
        for lump in lumps:
            if lump:
                expected = list(map(int.__add__, expected, split(lump, uses, used_wh)))
        if given != expected:
            what = f"{name}: the uses carry {given} ug, expected {expected} ug"
            self.findings.add("CARBON_SPLIT", what, unit)

    def _check_write_off(self, unit, record, name, written_off_ug, end_ug):
        emptied = record[19] & _TRUE_UP and record[28][0] == 0
        if emptied and end_ug:
            what = f"{name}: {end_ug} ug stay in a storage that was set to empty"
            self.findings.add("POOL_WRITE_OFF", what, unit)
        elif written_off_ug and not emptied:
            what = f"{name}: {written_off_ug} ug written off although the storage was not set to empty"
            self.findings.add("POOL_WRITE_OFF", what, unit)
