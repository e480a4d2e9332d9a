"""STATES.md says what the table of states says, row for row, and every state and reason is told of."""

import re

from firmware.control import backup, reasons, stale, states
from firmware.site import schema
from tests.states_document import PATH, SLOTS, rows

_TEXT = PATH.read_text(encoding="utf-8")


def _code_rows():
    names = {number: name[3:].lower() for name, number in vars(states).items() if name.startswith("IF_")}
    for at in range(0, len(states.TABLE), states.ROW):
        bit, state, reason, may = states.TABLE[at:at + states.ROW]
        condition = "all_well" if at == states.ALL_WELL else names[bit]
        word = "own" if reason == states.OWN_REASON else reasons.NAMES[reason]
        if may & states.BY_SLOT:
            assert word.startswith("load_")
            word = word.replace("load", "INPUT")
        battery = "zero" if not may & states.ALLOWED else "operator" if may & states.OBEYS else "runs"
        sent = {name for name, flag in (("set point", states.COMMANDS), ("limits", states.LIMITS)) if may & flag}
        yield condition, states.NAMES[state], word, battery, sent


def test_the_page_is_the_table():
    written = [(row.condition, row.state, row.reason, row.battery, set(row.sent)) for row in rows()]
    assert written == list(_code_rows())
    assert all(row.words for row in rows())


def test_every_condition_has_one_row_but_the_dry_run():
    bits = {number for name, number in vars(states).items() if name.startswith("IF_")}
    in_table = [states.TABLE[at] for at in range(0, states.ALL_WELL, states.ROW)]
    assert len(in_table) == len(set(in_table)) and bits - set(in_table) == {states.IF_DRY}
    assert max(bits) < states.SLOT and states.SLOT + 3 <= 30


def test_every_state_is_told_of():
    assert {row.state for row in rows()} | {"limited", "dry_run"} == set(states.NAMES)
    assert all(f"**{name}**" in _TEXT for name in ("limited", "dry_run"))


def test_reasons_by_input_stand_in_the_order_of_the_slots():
    assert states.SLOTS == SLOTS
    for row in rows():
        if "INPUT" in row.reason:
            first = reasons.NAMES.index(row.reason_of("load"))
            slots = SLOTS if row.condition == "stopped" else SLOTS[:5]
            assert list(reasons.NAMES[first:first + len(slots)]) == [row.reason_of(slot) for slot in slots]


def test_what_is_told_beside_the_state_is_on_the_page():
    told = re.findall(r"^\| (\w+) \|", _TEXT.split("## What is told beside the state")[1].split("\n## ")[0], re.M)
    assert told[1:] == [word for _, word, _ in backup.BESIDE]


def test_every_policy_is_told_of_and_can_be_chosen():
    told = re.findall(r"^\| (\w+) \|", _TEXT.split("## What a silent input becomes")[1].split("\n## ")[0], re.M)
    assert tuple(told[1:]) == stale.POLICIES
    (row,) = [row for row in schema.ROWS if row[0] == "devices[].on_stale"]
    assert row[2] == stale.POLICIES and row[4] == stale.POLICIES[stale.FORM]
