"""The event log under load for days, cut off at every byte that it writes, and with any text in it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.log import event_log, events
from tests.device.memory_files import MemoryFiles
from tests.device.test_events import ShortLog, followed, lines, opened, run
from tests.test_journal import CutFiles, PowerCut

_DAY_S = 86_400
_DAYS = 16


def test_seven_days_are_kept_under_load_and_what_is_dropped_is_counted():
    files = MemoryFiles()
    made, utc = opened(files)
    kept_s = []
    for now_s in range(0, _DAYS * _DAY_S, 20):  # a device that cannot make up its mind, every 20 s
        code = ("DEGRADED", "ON_GRID")[now_s // 20 % 2]
        made.note("supervisor", code, "The load's meter is silent: substitute in use.")
        utc.advance(20_000)
        if now_s % 900 == 0:
            run(made.flush())
            oldest = json.loads(files.read(event_log.path(event_log.numbers(files)[0])).split(b"\n")[0])
            kept_s.append(oldest["seq"] == 0 or now_s - oldest["uptime_ms"] // 1000 >= 7 * _DAY_S)
        assert sum(map(len, files.content.values())) <= 5 * (event_log.EventLog.file_bytes + 2048)
    assert all(kept_s)
    rows = [json.loads(line) for line in lines(files)]
    assert rows[0]["seq"] > 0  # else nothing had to go
    dropped = sum(int(row["text"].split()[0]) for row in rows if row["code"] == "EVENTS_DROPPED")
    days = (rows[-1]["uptime_ms"] - rows[0]["uptime_ms"]) / 1000 / _DAY_S
    written = sum(row["source"] == "supervisor" for row in rows)
    assert dropped == pytest.approx(days * _DAY_S / 20 - written, abs=200)  # of an hour, at either end


def test_a_day_at_once_is_kept():
    made, _ = opened(MemoryFiles())
    for _ in range(150):
        made.note("supervisor", "ON_GRID", "x" * 60)
        run(made.flush())
    assert made.dropped == 0


def work(files, told):
    """Write events over two starts; the count after each flush goes to `told`."""
    for boot in (1, 2):
        made, _ = opened(files, boot)
        made.log.__class__ = ShortLog
        for number in range(6):
            made.note("main", f"N{number}", "text")
            if number % 2:
                run(made.flush())
                told.append((made.count, made.head))


def test_cut_at_every_step_loses_nothing_that_was_told():
    files = CutFiles(1 << 30)
    work(files, [])
    total = (1 << 30) - files.steps
    for steps in range(0, total, 3):
        files, told = CutFiles(steps), []
        with pytest.raises(PowerCut):
            work(files, told)
        files.steps = 1 << 30
        made, _ = opened(files, 3, told and list(told[-1]) or None)
        assert made.log.lost is None
        made.note("main", "AFTER", "")
        run(made.flush())
        assert not told or made.count > told[-1][0]
        found = lines(files)
        first = json.loads(found[0])
        assert followed(found, bytes.fromhex(first["prev"]), first["seq"]) == (made.count, made.head)


@settings(max_examples=60)
@given(st.lists(st.text(max_size=2000), max_size=12))
def test_any_text_makes_a_line_that_is_not_too_long(texts):
    files = MemoryFiles()
    made, _ = opened(files)
    for text in texts:
        made.note("main", "N", text)
    run(made.flush())
    found = lines(files)
    assert followed(found) == (made.count, made.head) and len(found) == len(texts) - made.dropped
    assert all(len(line) < event_log.LINE_BYTES for line in found)


@settings(max_examples=60)
@given(st.binary(max_size=3000), st.integers(0, 3000))
def test_a_rotten_file_never_stops_the_board(junk, at):
    files = MemoryFiles()
    made, _ = opened(files)
    for number in range(8):
        made.note("main", f"N{number}", "")
    run(made.flush())
    said = [made.count, made.head]
    content = files.content["events/00000000.jsonl"]
    files.content["events/00000000.jsonl"] = content[:at] + junk
    made, _ = opened(files, 2, said)
    made.note("main", "AFTER", "")
    run(made.flush())
    assert made.count > said[0] and events.Events is type(made)
    assert json.loads(lines(files)[-1])["code"] == "AFTER"
