"""A year of random quarter hours on the emulated 32-bit board comes to the same records, exactly, as on the host.

Every link of every day must be that of records that the host has booked by its own arithmetic (tests.evidence_writer's
split, Python's integers) and encoded with cbor2; the verifier's book finds nothing wrong in them, and both tracks close
over the whole. A share of the year here, all of it under EVENKEEL_SOAK=1.
"""

import hashlib
import os
import subprocess
from bisect import bisect_right

import cbor2
import pytest

from host_tools.evidence.carbon import CarbonBook
from host_tools.toolchain import paths
from host_tools.toolchain.emulator import Emulator
from tests.device import book_campaign as campaign
from tests.evidence_writer import apportion, to_be_signed

YEAR = 35_040
QUARTERS = YEAR if os.environ.get("EVENKEEL_SOAK") == "1" else 1_440
_SEED = 35_040
_NEEDED = ("book_campaign", "memory_files")
_RUN = "import sys; sys.path.insert(0, '.frozen'); from tests.device.book_campaign import main; main({}, {}, {!r})"


class HostBook:
    """The carbon book, written from SPEC.md section 4."""

    def __init__(self, quarters):
        factors, ratings = campaign.CONFIG["factors"], campaign.CONFIG["ratings"]
        self.tracks = [[factors[name][f"{kind}_mg_per_kwh"] for name in ("wind", "pv", "genset", "grid",
                                                                         "bess_substitute")]
                       for kind in ("direct", "lifecycle")]
        self.diesel = [factors["diesel"][f"{kind}_mg_per_l"] for kind in ("direct", "lifecycle")]
        self.out_permille = ratings["discharge_efficiency_permille"]
        self.eta_ppm = ratings["charge_efficiency_permille"] * self.out_permille
        self.usable_wh = ratings["bess_wh"]
        self.rows = [tuple(map(int, line.split(","))) for line in campaign.table(quarters).splitlines()]
        energy_wh = self.deliverable_wh(500)
        self.pool = [energy_wh, energy_wh * self.tracks[0][4], energy_wh * self.tracks[1][4], 0]

    def deliverable_wh(self, soc_permille):
        return self.usable_wh * soc_permille * self.out_permille // 1_000_000

    def grid(self, at_s):
        """Return (two factors, [valid from, age, kind], flags)."""
        default = [track[3] for track in self.tracks]
        place = bisect_right([row[0] for row in self.rows], at_s)
        if not place:
            return default, [None, None, 2], 1 << 11
        valid_from_s, *factors, kind = self.rows[place - 1]
        age_s, flags = at_s - valid_from_s, 1 << 11 if kind == 2 else 0
        if age_s > campaign.STALE_S:
            factors, flags = [max(pair) for pair in zip(factors, default, strict=True)], flags | 1 << 10
        return factors, [valid_from_s, age_s, kind], flags

    def record(self, number, drawn):
        """Book one quarter hour; return its payload's fields by key."""
        wh, soc, known, fuel_ml, work = drawn
        sources, uses = [wh[5], wh[6], wh[7], wh[1], wh[3]], [wh[0], wh[4], wh[2], wh[8]]
        grid, stated, flags = self.grid((campaign.BEGIN + number) * 900)
        tracks = [[*track[:3], factor, track[4]] for track, factor in zip(self.tracks, grid, strict=True)]
        residual_wh, start = sum(sources) - sum(uses), list(self.pool)
        energy_wh, taken_wh = start[0], min(sources[4], start[0])
        added_wh, rest = divmod(uses[1] * self.eta_ppm + start[3], 1_000_000)
        before_wh = energy_wh - taken_wh + added_wh
        anchored = known and not 0 < soc < 950
        end, lists = [self.deliverable_wh(soc) if anchored else before_wh], []
        for index, factors in enumerate(tracks):
            out_ug = start[1 + index] * taken_wh // energy_wh if energy_wh else 0
            lumps = [a * b for a, b in zip(sources[:4], factors)]
            if fuel_ml is not None:
                lumps[2] = fuel_ml * self.diesel[index]
            lumps.append(out_ug + (sources[4] - taken_wh) * factors[4])
            shares = [sum(column) for column in zip(*(apportion(lump, uses) for lump in lumps), strict=True)]
            left_ug = start[1 + index] - out_ug + shares[1]
            lost_ug = left_ug if anchored and end[0] == 0 else 0
            end.append(left_ug - lost_ug)
            lists.append([*shares, lost_ug, out_ug])
        self.pool = [*end, rest]
        flags |= 1 << 7 if abs(residual_wh) > sum(sources) * 20 // 1000 + 100 else 0
        flags |= (1 << 8 if sources[4] > energy_wh else 0) | (1 << 18 if sources[2] and fuel_ml is None else 0)
        flags |= 1 << 9 if end[0] != before_wh or lists[0][4] or lists[1][4] else 0
        mix = [apportion(part, uses)[0] for part in sources]
        return self._fields(number, flags, wh[9], [sources, uses, residual_wh, mix, start, self.pool,
                            uses[1] - added_wh, end[0] - before_wh, soc if known else None, *tracks, stated, *lists],
                            fuel_ml, work)

    def _fields(self, number, flags, substituted_wh, booked, fuel_ml, work):
        up_s = 900 * number
        first = [1, 1, number, 1, None, *campaign.HASHES, (campaign.BEGIN + number) * 900_000, 900_000, 1000 * up_s, 2,
                 up_s - up_s // 7 * 7, number % 9 - 4, 900, 900, 0, 0, flags, substituted_wh, 0, campaign.METERS]
        fields = dict(enumerate([*first, *booked, [900, 0, 0, 0, 0]], 1))
        return fields | {39: campaign.REGISTERS, 40: [number, campaign.HEAD], 41: None, 42: fuel_ml, 43: work,
                         44: campaign.SERIALS, 45: None if fuel_ml is None else self.diesel}


class Judge:
    """Collects what the verifier's book finds; nothing, where the books agree."""

    def __init__(self):
        self.found = []

    def add(self, code, what, unit):
        if code not in ("BALANCE_LIMIT", "BALANCE_RESIDUAL"):  # the flows are at random
            self.found.append((code, what, unit.seq))


class Unit:
    def __init__(self, seq):
        self.seq = seq


def expected(quarters, seed):
    """Return the link of each day of the host's own records; their carbon closes, and the verifier agrees."""
    book, chance, judge = HostBook(quarters), campaign.Chance(seed), Judge()
    verifier, link, links, previous, flags = CarbonBook(judge), bytes(32), [], None, 0
    begin, sums = list(book.pool), [[0] * 7, [0] * 7]
    for number in range(quarters):
        fields = book.record(number, campaign.quarter(chance))
        payload = cbor2.dumps(fields | {5: link})
        link = hashlib.sha256(to_be_signed(campaign.PROTECTED, payload)).digest()
        verifier.check(Unit(number), fields, previous)
        for index in range(2):
            supplied = [a * b for a, b in zip(fields[23][:4], fields[32 + index][:4])]
            if fields[42] is not None:
                supplied[2] = fields[42] * fields[45][index]
            substituted = max(fields[23][4] - fields[27][0], 0) * fields[32 + index][4]
            sums[index] = list(map(int.__add__, sums[index], [*fields[35 + index], sum(supplied) + substituted]))
        previous, flags = fields, flags | fields[19]
        if number % campaign.DAY == campaign.DAY - 1 or number == quarters - 1:
            links.append(link.hex())
    assert judge.found == []
    for index, (load, _, export, aux, lost, _, supplied) in enumerate(sums, 1):
        assert supplied == load + export + aux + lost + book.pool[index] - begin[index]  # to the microgram
    return [*links, f"{quarters} quarters, flags {flags}"]


def test_the_quarter_hours_hold_every_case():
    last = expected(1_440, _SEED)[-1]
    flags = int(last.split()[-1])
    assert all(flags >> bit & 1 for bit in (7, 8, 9, 10, 11, 18))


@pytest.mark.parametrize("seed", (1, 7))
def test_cpython_and_the_unix_vm_book_as_the_host_does(seed, capsys):
    quarters = QUARTERS // 4 + 5
    campaign.main(quarters, seed)
    assert capsys.readouterr().out.split("\n")[:-1] == expected(quarters, seed)
    told = subprocess.run([paths.UNIX_VM, "-c", _RUN.format(quarters, seed, None)], cwd=paths.ROOT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    assert told.stdout.split("\n")[:-1] == expected(quarters, seed), told.stderr


def test_the_board_books_as_the_host_does(tmp_path):
    """The 32-bit board, its own Book, its own records."""
    (tmp_path / "factors.csv").write_text(campaign.table(QUARTERS))
    needed = [paths.ROOT / "tests" / "device" / f"{name}.py" for name in _NEEDED]
    with Emulator(tmp_path / "flash.bin") as board:
        board.copy(needed, paths.ROOT)
        board.copy([tmp_path / "factors.csv"], tmp_path)
        said = board.exec(_RUN.format(QUARTERS, _SEED, "/"), timeout=3_000)
    assert said.replace("\r", "").split("\n")[:-1] == expected(QUARTERS, _SEED)
