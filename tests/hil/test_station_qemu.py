"""The whole firmware on the emulated Cortex-M3, against real Modbus servers, real flash and cuts of its power.

Only content and counts are asserted: how long anything takes is the host's affair.
"""

import json
import os
import random
import time

import pytest

from firmware.core.scale import choose_unit_w
from host_tools.commands import flash
from host_tools.toolchain import paths
from host_tools.toolchain.emulator import BOARD
from tests.hil import rig, rig_site

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")

_UTC_S = 1_704_067_200  # 2024-01-01T00:00:00Z, the start of a quarter hour
_LOAD_W = 2_000_030
_WIND_W = 600_010
_ANSWERS = 5  # of the load's meter, until a step must be on the wire
_KILLS = 300 if os.environ.get("EVENKEEL_SOAK") == "1" else 6
_LOAD, _GRID, _BESS, _WIND = range(4)


def _edge_site():
    """The reference edge site with a period of 200 ms and a fast meter at the load; no trim: set points are exact."""
    config = json.loads((paths.ROOT / "host_tools" / "sites" / "edge.json").read_text())
    # Powers stand still here, for as long as the host likes; and a host that is busy may need a second for an answer.
    config["control"].update(period_ms=200, stale_ms=2000, frozen_ms=600_000, trim_permille_per_s=0)
    config["limits"].update(grid_import_w=4_000_000, soc_min_permille=100, soc_max_permille=900)
    config["devices"][0]["profile"] = "generic_fast"
    config["buses"][0]["baud"] = 115_200
    return config


CONFIG = _edge_site()
UNIT_W = choose_unit_w(CONFIG["ratings"]["wind_w"])


@pytest.fixture
def site():
    with rig_site.Site(CONFIG, _LOAD_W, _WIND_W) as made:
        yield made


@pytest.fixture
def board(site, tmp_path):
    with rig.Board(tmp_path, site) as made:
        made.provision(CONFIG)
        yield made


def _verified(journal):
    """Return the verdict, which must hold.

    Except for the balance: over an interval of a second, cut while the meters are read for the first time, it is as
    good as this host is fast.
    """
    _, verdict = journal.verify()
    errors = [finding for finding in verdict["findings"] if finding["severity"] == "error"]
    assert {finding["code"] for finding in errors} <= {"BALANCE_LIMIT"}, errors
    assert verdict["integrity"] == verdict["completeness"] == "PASS"
    return verdict


def _until(holds):
    """Wait until something holds; a board that never gets there fails the test."""
    end = time.monotonic() + rig.WAIT_S
    while not holds():
        assert time.monotonic() < end, "the board did not get there"
        time.sleep(0.05)


def _follow(site, power_w):
    """Step the load and wait for the set point; return the answers of its meter that it took."""
    before, commands = site.set_load(power_w)
    want_w = power_w - _WIND_W

    def reached():
        return [count for count, setpoint_w in site.commands[commands:] if abs(setpoint_w - want_w) <= UNIT_W]

    _until(reached)
    return reached()[0] - before


def test_load_steps_are_followed(board, site):
    board.run(_UTC_S + 1)
    board.wait_for("T", "on_grid follow")
    for power_w in (2_612_345, 1_234_567, 3_999_999, _WIND_W - 250_000):
        assert _follow(site, power_w) <= _ANSWERS
    _until(lambda: abs(site.call(lambda t_us, plant: plant.site.grid(t_us))) <= 2 * UNIT_W)
    told, free = board.stop()
    given = site.answers()
    for role, name in ((_LOAD, "load"), (_GRID, "grid"), (_BESS, "pcs"), (_WIND, "wind")):
        answers, _, errors = told[role]
        assert errors == 0
        assert 10 < answers <= given[name]
    assert site.call(lambda _, plant: plant.setpoint_w) == 0  # stopped in good order
    assert free > 28_672  # about 4 KB below what images of this code leave: it varies with what a stop finds in use


def test_a_quarter_hour_is_cut_on_utc_and_verifies(board, site):
    board.run(_UTC_S + 897)
    board.wait_for("SAFE")
    _until(lambda: any(line.startswith("EVK T on_grid follow") for line in board.said))
    board.cut()
    answers = site.answers()["load"]
    _until(lambda: site.answers()["load"] >= answers + 10)
    board.stop()
    journal = board.pull()
    _verified(journal)
    quarter, following, *_, last = journal.records
    assert quarter["start_ms"] + quarter["duration_ms"] == following["start_ms"] == (_UTC_S + 900) * 1000
    assert quarter["clock"] == last["clock"] == 1
    load_wh = _LOAD_W * last["duration_ms"] / 3_600_000
    assert last["uses_wh"]["load"] == pytest.approx(load_wh, abs=1 + load_wh * UNIT_W / _LOAD_W)
    assert 0 < last["ticks_ok"] <= last["ticks_expected"]
    assert abs(last["residual_wh"]) <= 2 + load_wh / 10  # a busy host reads the meters far apart


def test_a_clock_that_was_never_set_is_said_to_be_unknown(board):
    board.run(until_ms=2500)
    board.end()
    journal = board.pull()
    record, = journal.records
    assert (record["kind"], record["start_ms"], record["clock"]) == (1, None, 0)
    assert 2000 < record["duration_ms"] < 900_000
    assert journal.verify()[1]["integrity"] == "PASS"


def test_the_chain_survives_a_power_cut_and_the_gap_is_stated(board, site):
    board.run(_UTC_S + 60)
    board.wait_for("T", "on_grid follow")
    safe = board.cut()
    board.type("c")
    board.wait_for("WRITING")
    board.cut_power()
    board.emulator.start()
    boot, size = board.run(_UTC_S + 660)
    assert boot == 2 and safe <= size <= safe + 1
    board.wait_for("T", "on_grid follow")
    assert _follow(site, 1_500_000) <= _ANSWERS
    board.cut()
    board.stop()
    journal = board.pull()
    verdict = _verified(journal)
    assert "GAP_STATED" in verdict["finding_counts"]
    _check_gap(journal.records, size)


def _check_gap(records, at):
    assert [record["seq"] for record in records] == list(range(len(records)))
    gap, before = records[at], records[at - 1]
    assert (gap["kind"], gap["reason"], before["boot"], gap["boot"]) == (2, 1, 1, 2)
    assert gap["start_ms"] == before["start_ms"] + before["duration_ms"]
    after = next(record for record in records[at + 1:] if record["start_ms"] is not None)
    assert gap["start_ms"] + gap["duration_ms"] == after["start_ms"]
    assert after["start_ms"] > (_UTC_S + 600) * 1000


def test_no_acknowledged_record_is_lost_however_often_the_power_is_cut(board):
    rng = random.Random(715)
    hashes = {}  # records that the board called safe
    boots = 0
    for cut in range(_KILLS):
        utc_s = _UTC_S + 60 * (cut + 1)
        if cut % 3 == 2:
            said = _cut_at_start(board, utc_s, rng)
        else:
            said = _cut_while_writing(board, utc_s, rng)
        boots = _check_words(said, hashes, boots)
        board.emulator.start()
    board.run(_UTC_S + 60 * (_KILLS + 1))
    board.cut()
    board.stop()
    _check_words(board.said, hashes, boots)
    journal = board.pull()
    _verified(journal)
    assert [record["seq"] for record in journal.records] == list(range(len(journal.records)))
    for following in journal.records[1:]:
        assert hashes.get(following["seq"], following["prev"]) == following["prev"]


def _cut_at_start(board, utc_s, rng):
    """Cut the power at any moment of a start, the recovery of the journal among them."""
    board.spawn(utc_s)
    time.sleep(rng.uniform(0.05, 1.0))
    return board.cut_power()


def _cut_while_writing(board, utc_s, rng):
    """Cut the power at any moment between the cut of an interval and the moment when it is safe."""
    board.run(utc_s)
    board.type("c")
    board.wait_for("WRITING")
    begin_s = time.monotonic()
    board.wait_for("SAFE")
    whole_s = time.monotonic() - begin_s
    board.type("c")
    board.wait_for("WRITING")
    time.sleep(rng.uniform(0, whole_s))
    return board.cut_power()


def _check_words(said, hashes, boots):
    """Compare a board's words with what it called safe before; return its boot counter."""
    for line in said:
        words = line.split(" ")
        if words[:2] == ["EVK", "BOOT"] and len(words) == 4:
            assert int(words[2]) > boots
            assert int(words[3]) >= max(hashes, default=0)
            boots = int(words[2])
        if words[:2] == ["EVK", "SAFE"] and len(words) == 4 and len(words[3]) == 64:
            assert int(words[2]) not in hashes  # no number is given twice
            hashes[int(words[2])] = words[3]
    wrong = [line for line in said if 'File "firmware/' in line or '"code": "ERROR"' in line]
    assert not wrong, "\n".join(said)
    return boots


_FAULTS = (rig_site.silent, rig_site.garbled, rig_site.refusing, rig_site.cut_short, rig_site.foreign,
           rig_site.other_function, rig_site.other_length, rig_site.delayed)


def test_faults_of_meters_and_pcs_are_named_survived_and_healed(board, site):
    board.run(_UTC_S + 60)
    board.wait_for("T", "on_grid follow")
    for fault in _FAULTS:
        _break(board, site, fault, "degraded load_silent", "load")
    _break(board, site, rig_site.silent, "fault blind 0 0", "load", "grid")
    _break(board, site, rig_site.refusing, "fault pcs_lost 0 0", "pcs")
    site.call(lambda _, plant: plant.slaves["pcs"].set_trouble(None, True))
    board.wait_for("T", "fault pcs_fault 0 0")
    site.call(lambda _, plant: plant.slaves["pcs"].set_trouble(None, False))
    board.wait_for("T", "on_grid follow")
    site.call(lambda _, plant: plant.slaves["pcs"].set_local(True))
    board.wait_for("T", "local pcs_local")
    site.call(lambda _, plant: plant.slaves["pcs"].set_local(False))
    board.wait_for("T", "on_grid follow")
    assert _follow(site, 1_700_000) <= _ANSWERS
    told, _ = board.stop()
    answers, time_outs, errors = told[_LOAD]
    assert min(answers, time_outs, errors) > 0
    _check_faults(board)


def _break(board, site, fault, told, *roles):
    """Put a fault on devices until the board says so, then heal them until all is well again."""
    site.break_units(fault, *roles)
    board.wait_for("T", told)
    site.break_units(None, *roles)
    board.wait_for("T", "on_grid follow")


def _check_faults(board):
    codes = [event["code"] for event in board.events()]
    assert "ERROR" not in codes and codes.count("DEVICE") >= 4  # what each device did, told at the stop
    codes = [code for code in codes if code != "DEVICE"]
    assert codes[0] == "BOOT" and codes[-2:] == ["ON_GRID", "STOP"]
    assert codes.count("DEGRADED") >= len(_FAULTS) and codes.count("FAULT") >= 3 and "LOCAL" in codes
    journal = board.pull()
    _verified(journal)
    record = journal.records[-1]
    assert record["quality"] == 9 and record["substituted_wh"] > 0 and record["gap_max_ms"] > 500


def test_flash_puts_compiled_modules_on_a_board_and_keeps_its_files(board, monkeypatch):
    monkeypatch.setattr(paths, "FIRMWARE", paths.ROOT / "firmware" / "control")  # the whole takes a minute
    board.emulator.exec("import os\nfor d in ('/lib', '/lib/firmware', '/lib/firmware/old'): os.mkdir(d)")
    count = flash.put(board.emulator.pty, paths.BOARDS / BOARD)
    said = board.emulator.exec(_LOOK).split()
    assert said == ["/lib/firmware/control/reasons.mpy", "follow", str(count), "True", "False"]


_LOOK = """
import os, sys
for name in list(sys.modules):
    if name.startswith("firmware"):
        del sys.modules[name]
sys.path.insert(0, "/lib")
from firmware.control import reasons
def count(path):
    return sum(count(path + "/" + row[0]) if row[1] == 0x4000 else 1 for row in os.ilistdir(path))
print(reasons.__file__, reasons.NAMES[1], count("/lib"), "secret.bin" in os.listdir("/"))
print("old" in os.listdir("/lib/firmware"))
"""
