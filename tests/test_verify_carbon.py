"""Records that are validly signed and wrong: every rule of the carbon book is recomputed."""

import hashlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools.errors import ToolError
from host_tools.evidence.carbon import expected_uses
from host_tools.evidence.references import firmware_hash
from tests.evidence_writer import START_MS, Board, apportion, day
from tests.tamper import HOLDS, Case, found, verdicts


def _board():
    board = day(3)
    board.interval(flows=([90_001, 2, 30_003, 50_005, 20_007], [120_000, 60_001, 9_001, 900]))
    board.interval()
    return board


def _judge(tmp_path, board, **options):
    return Case(tmp_path, board).judge(**options)


def _more(key, index, by=1):
    def change(record):
        record[key] = list(record[key])
        record[key][index] += by
    return change


def _swap_uses(record):
    record[35] = [record[35][0] - 1_000_000, record[35][1], record[35][2] + 1_000_000, *record[35][3:]]


def _both(first, second):
    def change(record):
        first(record)
        second(record)
    return change


def _set(key, value):
    def change(record):
        record[key] = value(record[key]) if callable(value) else value
    return change


# what is changed in record 3, and what must be found there
WRONG = {
    "residual": (_set(25, lambda v: v + 1), ["BALANCE_SUM"]),
    "mix": (_more(26, 0), ["MIX_SPLIT"]),
    "pool energy": (_more(28, 0), ["POOL_CHAIN", "POOL_ENERGY"]),
    "loss": (_set(29, lambda v: v + 1), ["POOL_ENERGY", "POOL_LOSS"]),
    "loss and pool": (_both(_more(28, 0, -1), _set(29, lambda v: v + 1)), ["POOL_CHAIN", "POOL_LOSS"]),
    "remainder": (_more(28, 3), ["POOL_CHAIN", "POOL_LOSS"]),
    "true-up without flag": (_both(_more(28, 0, 5), _set(30, 5)), ["FLAG_CONTENT", "POOL_CHAIN"]),
    "pool carbon": (_more(28, 1, -1), ["POOL_CARBON", "POOL_CHAIN"]),
    "life cycle pool carbon": (_more(28, 2, -1), ["POOL_CARBON", "POOL_CHAIN"]),
    "carbon out": (_more(35, 5, -1), ["CARBON_SUM", "POOL_CARBON", "POOL_DISCHARGE"]),
    "carbon of the load": (_more(35, 0, -1), ["CARBON_SUM"]),
    "life cycle of the load": (_more(36, 0, -1), ["CARBON_SUM"]),
    "carbon moved to export": (_swap_uses, ["CARBON_SPLIT"]),
    "write-off": (_more(35, 4), ["POOL_CARBON", "POOL_WRITE_OFF"]),
    "greener grid": (_more(32, 3, -1), ["CARBON_SUM"]),
    "underflow flag": (_set(19, 1 << 8), ["FLAG_CONTENT"]),
    "default flag": (_set(19, 1 << 11), ["FLAG_CONTENT"]),
    "reboot flag": (_set(19, 1 << 1), ["FLAG_CHANGE"]),
    "configuration flag": (_set(19, 1 << 12), ["FLAG_CHANGE"]),
    "hidden substitute": (_set(20, 7), ["SUBSTITUTE_HIDDEN"]),
    "more valid than there were": (_set(16, 9_001), ["TICKS_INCONSISTENT"]),
    "meters out of order": (_set(22, [[1, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]]), ["METERS_ORDER"]),
    "clock unknown": (_set(12, 0), ["CLOCK_FIELDS"]),
    "partial without flag": (_set(19, 1 << 16), ["NOT_ALIGNED"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_figures_are_found_though_signed(name, tmp_path):
    change, codes = WRONG[name]
    board = _board()
    change(board.records[3])
    result = _judge(tmp_path, board)
    assert sorted({code for code, _ in found(result)}) == codes
    assert {seq for code, seq in found(result) if code != "POOL_CHAIN"} <= {3}
    assert verdicts(result) == ("PASS", "PASS", "FAIL") and result.exit_code == 1


def test_pool_changed_between_records(tmp_path):
    board = day(2)
    board.pool[1] -= 1
    board.interval()
    assert found(_judge(tmp_path, board)) == [("POOL_CHAIN", 2)]


def test_first_pool_must_be_conservative(tmp_path):
    board = Board()
    board.pool[1] = 0
    board.interval()
    assert found(_judge(tmp_path, board)) == [("POOL_START", 0)]


def test_carbon_may_not_vanish_in_a_gap(tmp_path):
    board = day(2)
    board.gap()
    board.records[2][28] = [board.pool[0], board.pool[1] - 5, *board.pool[2:]]
    board.pool[1] -= 5
    board.interval()
    assert ("POOL_CARBON", 2) in found(_judge(tmp_path, board))


def test_empty_storage_writes_off_its_carbon(tmp_path):
    board = day(2)
    board.interval(trueup=0)
    board.interval()
    board.interval(trueup=77_000)
    assert verdicts(_judge(tmp_path, board)) == HOLDS
    kept = board.records[2]
    kept[28] = [0, 9, *kept[28][2:]]
    assert ("POOL_WRITE_OFF", 2) in found(_judge(tmp_path, board))


def test_large_residual_is_a_note_larger_an_error(tmp_path):
    for residual, counts in ((150, {}), (4_200, {"BALANCE_RESIDUAL": 1}), (-30_000, {"BALANCE_LIMIT": 1})):
        board = Board()
        board.interval(flows=([100_000, 0, 0, 0, 0], [100_000 - residual, 0, 0, 0]))
        assert _judge(tmp_path, board).counts == counts, residual


def test_hundreds_of_random_quarter_hours_close(tmp_path):
    board = Board(seed=5)
    for number in range(300):
        trueup = board.random.choice([None] * 9 + [0, board.random.randrange(300_000)])
        board.interval(trueup=trueup)
        if number % 50 == 49:
            board.gap(1_800_000)
    result = _judge(tmp_path, board)
    assert verdicts(result) == HOLDS, found(result)[:5]
    assert any(record[19] >> 8 & 1 for record in board.records if record[2] == 1)
    totals = result.totals
    assert totals.uses_wh[0] == sum(r[24][0] for r in board.records if r[2] == 1)
    assert totals.intensity(totals.direct_ug) == totals.direct_ug[0] / totals.uses_wh[0] / 1000


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**45), st.lists(st.integers(0, 2**40) | st.integers(0, 3), min_size=4, max_size=4))
def test_split_is_exact_and_by_largest_remainder(lump, uses):
    shares = expected_uses([lump], uses, sum(uses))
    assert sum(shares) == lump and min(shares) >= 0
    assert shares == apportion(lump, uses)


# --- against files

def _factors(tmp_path, kind=1):
    table = tmp_path / "factors.csv"
    rows = [(START_MS // 1000 + 900 * i, 40_000 + i, 52_000 + i, kind) for i in range(-1, 6)]
    table.write_text("".join(f"{time:010},{direct:07},{lca:07},{kind}\n" for time, direct, lca, kind in rows))
    return table, rows


def _priced(table, rows, shift=0):
    board = Board()
    digest = hashlib.sha256(table.read_bytes()).digest()
    for number in range(4):
        valid_s, direct, lifecycle, kind = rows[1 + number + shift]
        board.interval(flows=([50_000, 0, 0, 0, 0], [50_000, 0, 0, 0]))
        record = board.records[-1]
        record[8], record[34] = digest, [valid_s, max(0, -900 * shift), kind]
        for key, factor in ((32, direct), (33, lifecycle)):
            record[key] = [*record[key][:3], factor, record[key][4]]
    return board


def test_factor_table_is_followed(tmp_path):
    table, rows = _factors(tmp_path)
    assert verdicts(_judge(tmp_path, _priced(table, rows), factors=table)) == HOLDS
    old = _judge(tmp_path, _priced(table, rows, -1), factors=table)
    assert old.counts == {"FACTOR_ROW": 4}
    board = _priced(table, rows)
    board.records[2][32] = [*board.records[2][32][:3], 1, board.records[2][32][4]]
    assert found(_judge(tmp_path, board, factors=table)) == [("FACTOR_ROW", 2)]
    other = tmp_path / "other.csv"
    other.write_text("0000000000,0000001,0000001,0\n")
    assert _judge(tmp_path, _priced(table, rows), factors=other).counts == {"FACTORS_DIFFER": 4}


def _site(tmp_path, **changes):
    ratings = dict.fromkeys(("load_w", "grid_w", "wind_w", "bess_w"), 4_000_000) | {
        "charge_efficiency_permille": 1000, "discharge_efficiency_permille": 880} | changes
    path = tmp_path / "site.json"
    factors = {"wind": {"lifecycle_mg_per_kwh": 11_000}}
    path.write_text(json.dumps({"ratings": ratings, "factors": factors}))
    return path


def _with_config(path):
    board = day(4)
    for record in board.records:
        record[7] = hashlib.sha256(path.read_bytes()).digest()
    return board


def test_site_description_bounds_energy_and_efficiency(tmp_path):
    path = _site(tmp_path)
    assert verdicts(_judge(tmp_path, _with_config(path), site=path)) == HOLDS
    assert _judge(tmp_path, day(4), site=path).counts == {"SITE_DIFFERS": 4}
    path = _site(tmp_path, wind_w=10_000)
    assert "RATING_EXCEEDED" in _judge(tmp_path, _with_config(path), site=path).counts
    path = _site(tmp_path, discharge_efficiency_permille=900)
    assert "POOL_LOSS" in _judge(tmp_path, _with_config(path), site=path).counts


@pytest.mark.parametrize("trueup, soc_permille, holds", ((500_038, 501, True), (500_039, 501, False),
                                                         (900_000_000, 501, False), (500_038, None, False)))
def test_a_true_up_sets_the_storage_to_what_its_state_of_charge_says(tmp_path, trueup, soc_permille, holds):
    path = _site(tmp_path, bess_wh=1_134_182)  # 1,134,182 Wh * 501 permille * 880 permille
    board = day(3)
    board.interval(trueup=trueup, _31=soc_permille)
    board.interval()
    for record in board.records:
        record[7] = hashlib.sha256(path.read_bytes()).digest()
    result = _judge(tmp_path, board, site=path)
    assert found(result) == ([] if holds else [("POOL_LOSS", 3)])


def test_what_a_litre_emits_is_fixed_too(tmp_path):
    path = tmp_path / "site.json"
    diesel = {"direct_mg_per_l": 2_692_000, "lifecycle_mg_per_l": 3_320_000}
    path.write_text(json.dumps({"ratings": {}, "factors": {"diesel": diesel}}))
    board = day(3)
    for number, factors in enumerate(([2_692_000, 3_320_000], [0, 3_320_000])):
        board.records[number] |= {42: 16_500, 45: factors}
    for record in board.records:
        record[7] = hashlib.sha256(path.read_bytes()).digest()
    assert [seq for code, seq in found(_judge(tmp_path, board, site=path)) if code == "SITE_FACTOR"] == [1]


def test_firmware_hash_is_recomputed(tmp_path):
    top = tmp_path / "firmware"
    (top / "core").mkdir(parents=True)
    (top / "main.py").write_bytes(b"a")
    (top / "core" / "cbor.py").write_bytes(b"b")
    (top / "notes.md").write_bytes(b"not code")
    lines = [f"firmware/{name} {hashlib.sha256(data).hexdigest()}\n"
             for name, data in (("core/cbor.py", b"b"), ("main.py", b"a"))]
    expected = hashlib.sha256("".join(lines).encode()).digest()
    assert firmware_hash(tmp_path) == firmware_hash(top) == expected
    board = day(2)
    for record in board.records:
        record[6] = expected
    assert verdicts(_judge(tmp_path, board, firmware=top)) == HOLDS
    (top / "main.py").write_bytes(b"c")
    assert _judge(tmp_path, board, firmware=top).counts == {"FIRMWARE_DIFFERS": 2}


def test_unusable_reference_files_are_typed(tmp_path):
    bad = tmp_path / "bad"
    unsorted = b"9,1,1,0\n5,1,1,0\n"
    trials = ((b"1,2\n", "factors"), (unsorted, "factors"), (b"[]", "site"), (b"{", "site"))
    for content, option in trials:
        bad.write_bytes(content)
        with pytest.raises(ToolError):
            _judge(tmp_path, day(1), **{option: bad})
    with pytest.raises(ToolError):
        firmware_hash(tmp_path / "nowhere")


FIXTURES = [HealthCheck.function_scoped_fixture]
KEYS = st.sampled_from([23, 24, 26, 27, 28, 35, 36])


@settings(deadline=None, max_examples=60, suppress_health_check=FIXTURES)
@given(key=KEYS, index=st.integers(0, 3), by=st.sampled_from([-1, 1, 1000]))
def test_any_energy_or_carbon_figure_changed_is_found(tmp_path, key, index, by):
    board = _board()
    record = board.records[3]
    record[key] = list(record[key])
    record[key][index] = max(record[key][index] + by, 0)
    assert _judge(tmp_path, board).plausibility == "FAIL"
