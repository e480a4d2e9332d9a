"""Compare records with the files they name by hash: factor table, site description, firmware sources."""

import bisect
import hashlib
import json
import os

from host_tools.errors import ToolError, read_bytes
from host_tools.evidence.fields import INTERVAL, SOURCES, USES

_TRUE_UP = 1 << 9
_HOUR_MS = 3_600_000
_STALE = 1 << 10
_ADVICE_FACTORS = "Lines are valid_from_s,direct_mg_per_kwh,lifecycle_mg_per_kwh,kind, sorted by time."


class FactorTable:
    """factors.csv: the hash of the table and the row of the grid factor of each interval."""

    def __init__(self, findings, path):
        data = read_bytes(path, "factor table")
        self.findings = findings
        self.hash = hashlib.sha256(data).digest()
        self.rows = [_factor_row(path, number, line) for number, line in enumerate(data.splitlines(), 1)]
        self.times = [row[0] for row in self.rows]
        if self.times != sorted(set(self.times)):
            raise ToolError(f"factor table {path} is not sorted by time", _ADVICE_FACTORS)

    def check(self, unit, record, previous):
        """Check hash and grid factor of one record."""
        if record[8] != self.hash:
            self.findings.add("FACTORS_DIFFER", f"it names the table {record[8].hex()[:16]}...", unit)
        elif record[2] == INTERVAL and record[34][0] is not None:
            self._check_row(unit, record)

    def _check_row(self, unit, record):
        used = (record[34][0], record[32][3], record[33][3], record[34][2])
        if record[19] & _STALE:
            self._check_stale(unit, used)
        elif used not in self.rows:
            self.findings.add("FACTOR_ROW", f"the table has no row {used}", unit)
        elif record[9] is not None:
            index = bisect.bisect_right(self.times, record[9] // 1000) - 1
            if index < 0 or self.rows[index] != used:
                self.findings.add("FACTOR_ROW", f"the row of {used[0]} s is not the one in force then", unit)


    def _check_stale(self, unit, used):
        """Check a row that was too old: never a greener one than it stands in the table."""
        row = next((row for row in self.rows if row[0] == used[0]), None)
        if row is None or used[1] < row[1] or used[2] < row[2]:
            self.findings.add("FACTOR_ROW", f"stale, and greener than the row of {used[0]} s in the table", unit)


def _factor_row(path, number, line):
    parts = line.split(b",")
    if len(parts) != 4 or not all(part.isdigit() for part in parts):
        raise ToolError(f"factor table {path}, line {number}: not four whole numbers", _ADVICE_FACTORS)
    return tuple(map(int, parts))


class SiteFile:
    """site.json: its hash, the ratings as limits of energy, the storage efficiency, the fixed factors."""

    def __init__(self, findings, path):
        data = read_bytes(path, "site description")
        self.findings = findings
        self.hash = hashlib.sha256(data).digest()
        try:
            site = json.loads(data)
            ratings = site["ratings"]
            self.limits = _limits_w(ratings)
            self.efficiency_ppm = _efficiency_ppm(ratings)
            self.full_mwh = _full_mwh(ratings)
            self.factors = _fixed_factors(site.get("factors", {}))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            message = f"site description {path} cannot be used: {error!r}"
            raise ToolError(message, "Give the site.json that the board was set up with.") from error

    def check(self, unit, record, previous):
        """Check hash, ratings, efficiency and factors of one record."""
        if record[7] != self.hash:
            what = f"it names the site description {record[7].hex()[:16]}..."
            self.findings.add("SITE_DIFFERS", what, unit)
        elif record[2] == INTERVAL:
            self._check_ratings(unit, record)
            self._check_efficiency(unit, record)
            if record[19] & _TRUE_UP and self.full_mwh is not None:
                self._check_trueup(unit, record)
            self._check_factors(unit, record)

    def _check_ratings(self, unit, record):
        for name, energy_wh in zip(SOURCES + USES, record[23] + record[24]):
            limit_w = self.limits.get(name)
            if limit_w is not None and (energy_wh - 1) * _HOUR_MS > limit_w * 3 // 2 * record[10]:
                what = f"{name} {energy_wh} Wh in {record[10]} ms, rated {limit_w} W"
                self.findings.add("RATING_EXCEEDED", what, unit)

    def _check_efficiency(self, unit, record):
        if self.efficiency_ppm is None:
            return
        added, rest = divmod(record[24][1] * self.efficiency_ppm + record[27][3], 1_000_000)
        if (record[24][1] - record[29], record[28][3]) != (added, rest):
            what = f"loss {record[29]} Wh, expected {record[24][1] - added} Wh at {self.efficiency_ppm} ppm"
            self.findings.add("POOL_LOSS", what, unit)

    def _check_trueup(self, unit, record):
        """Compare what a true-up leaves with the state of charge: else it could thin out the stored carbon at will."""
        soc_permille, end_wh = record[31], record[28][0]
        expected_wh = None if soc_permille is None else self.full_mwh * soc_permille // 1_000_000
        if end_wh != expected_wh:
            what = f"a true-up leaves {end_wh} Wh, a state of charge of {soc_permille} permille is {expected_wh} Wh"
            self.findings.add("POOL_LOSS", what, unit)

    def _check_factors(self, unit, record):
        for (key, index), (name, value) in self.factors.items():
            if record[key] is not None and record[key][index] != value:
                what = f"{name} is {record[key][index]}, site.json says {value}"
                self.findings.add("SITE_FACTOR", what, unit)


def _limits_w(ratings):
    names = {"wind": "wind_w", "pv": "pv_w", "genset": "genset_w", "load": "load_w", "grid_import": "grid_w",
             "grid_export": "grid_w", "bess_discharge": "bess_w", "bess_charge": "bess_w"}
    limits = {use: ratings[key] for use, key in names.items() if key in ratings}
    if any(type(value) is not int for value in limits.values()):
        raise ValueError("a rating is not a whole number")
    return limits


def _efficiency_ppm(ratings):
    """Give the round trip AC to AC in ppm; None where site.json leaves it to the default."""
    parts = [ratings.get(name) for name in ("charge_efficiency_permille", "discharge_efficiency_permille")]
    return parts[0] * parts[1] if None not in parts else None


def _full_mwh(ratings):
    """Give what a full battery delivers, in mWh; None where site.json leaves that to the default."""
    parts = [ratings.get(name) for name in ("bess_wh", "discharge_efficiency_permille")]
    return parts[0] * parts[1] if None not in parts else None


def _fixed_factors(factors):
    """Collect the factors that do not change with time: (field key, index) -> (name with unit, value)."""
    found = {}
    for index, unit in enumerate(("direct_mg_per_l", "lifecycle_mg_per_l")):
        value = factors.get("diesel", {}).get(unit)
        if value is not None:
            found[45, index] = (f"diesel {unit}", value)
    for name, index in (("wind", 0), ("pv", 1), ("genset", 2), ("bess_substitute", 4)):
        for key, unit in ((32, "direct_mg_per_kwh"), (33, "lifecycle_mg_per_kwh")):
            value = factors.get(name, {}).get(unit)
            if value is not None:
                found[key, index] = (f"{name} {unit}", value)
    return found


class Firmware:
    """The firmware's sources: the hash that records of this firmware carry."""

    def __init__(self, findings, folder):
        self.findings = findings
        self.hash = firmware_hash(folder)

    def check(self, unit, record, previous):
        """Check the firmware hash of one record."""
        if record[6] != self.hash:
            what = f"it names {record[6].hex()[:16]}..., the sources give {self.hash.hex()[:16]}..."
            self.findings.add("FIRMWARE_DIFFERS", what, unit)


def firmware_hash(folder):
    """Hash the sources: SHA-256 over sorted lines "path sha256hex", paths from the repository's root."""
    root = os.path.abspath(folder)
    inner = os.path.join(root, "firmware")
    top = inner if os.path.isdir(inner) else root
    if not os.path.isdir(top):
        raise ToolError(f"{folder}: no such folder", "Give the folder of the firmware sources.")
    lines = []
    for here, _, names in os.walk(top):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(here, name)
                shown = "/".join(("firmware", *os.path.relpath(path, top).split(os.sep)))
                lines.append(f"{shown} {hashlib.sha256(read_bytes(path, 'firmware source')).hexdigest()}\n")
    if not lines:
        raise ToolError(f"{folder} holds no .py file", "Give the folder of the firmware sources.")
    return hashlib.sha256("".join(sorted(lines)).encode()).digest()
