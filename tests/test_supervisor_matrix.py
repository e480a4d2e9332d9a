"""Every input lost, frozen or insane, singly and in pairs, at every state and by every policy: as STATES.md says.

What is expected comes from that page by the few lines of Oracle, not from the code. That the set point stays inside
every limit and on its ramp is checked at every tick of every case, in tests/matrix_rig.py.
"""

import functools
import itertools

import pytest

from firmware.control import reasons, share, states
from firmware.drivers import commanded
from tests import states_document
from tests.matrix_rig import EXPORT_W, HOLD_S, IMPORT_W, INPUTS, RATED_W, ROLE_OF, STALE_MS, Rig, site

KINDS = ("lost", "frozen", "insane")
POLICIES = ("form", "hold", "worst", "zero", "stop")
METERS = ("load", "grid", "wind", "pv", "genset")
_SAYS = {"local": commanded.LOCAL, "fault": commanded.FAULT}
LIMITS = {"rating", "soc_low", "soc_high", "import_cap", "export_cap", "pcs_limited"}
_TOLD = {row.reason_of(slot) for row in states_document.rows() for slot in states_document.SLOTS}
_OF_TRACKER = set(reasons.NAMES) - _TOLD - LIMITS - {"manual", "override"}
OWN = {"on_grid": _OF_TRACKER, "dry_run": _OF_TRACKER, "manual": {"manual", "override"},
       "island": {"island_battery"}, "genset": {"island_genset"}, "limited": set()}
LOOKS_S = (4, 14, 40)  # after the fault: silent and held, the state of charge held, everything over
FAULTS = [((name, kind),) for name in INPUTS for kind in KINDS]
FAULTS += [(one, other) for one, other in itertools.combinations([fault for (fault,) in FAULTS], 2)
           if one[0] != other[0]]


class Situation:
    """A state to be in when the fault comes: its conditions, whether the battery works there and how."""

    def __init__(self, conditions=(), works=True, moves=True, dry=False, prepare=None, **site):
        self.conditions = frozenset((condition, "") for condition in conditions)
        self.works = works  # the battery gives or takes for good
        self.moves = moves  # and its power changes
        self.dry = dry
        self.prepare = prepare or (lambda rig: None)
        self.site = site


def _tell(name, rule=None):
    bit = 1 << getattr(states, name)

    def prepare(rig):
        rig.made.supervisor.tell(bit, bit)
        if rule is not None:
            rig.carry_by(rule)

    return prepare


def _pcs(name):
    return lambda rig: rig.made.field.pcs.say(_SAYS[name], True)


SITUATIONS = {
    "on_grid": Situation(),
    "limited": Situation(bess_w=80_000),
    "degraded": Situation(["wind_limit_lost"],
                          prepare=lambda rig: setattr(rig, "lost", 1 << states.IF_WIND_LIMIT_LOST)),
    "island": Situation(["island"], prepare=_tell("IF_ISLAND", share.FORM)),
    "genset": Situation(["genset"], prepare=_tell("IF_GENSET", share.SHARE)),
    "dark": Situation(["dark"], False, False, prepare=_tell("IF_DARK", share.ZERO)),
    "fault": Situation(["pcs_fault"], False, False, prepare=_pcs("fault")),
    "local": Situation(["local"], False, False, prepare=_pcs("local")),
    "stopping": Situation(["stopping"], False, False, prepare=_tell("IF_STOPPING")),
    "manual": Situation(["manual"], True, False, mode="manual"),
    "override": Situation(["override"], True, False,
                          prepare=lambda rig: rig.platform.commands.append("override_w -90000 900 test")),
    "dry_run": Situation([], False, False, True, mode="dry_run"),
}


_ALSO = {"override": "manual", "dark": "island"}


class Oracle:
    """What STATES.md says of one case."""

    def __init__(self, situation, policy, faults):
        self.situation, self.policy, self.faults = situation, policy, dict(faults)

    def silent(self):
        """Return what is silent once everything has been found."""
        silent = {name for name, kind in self.faults.items() if kind != "frozen"}
        still = [name for name, kind in self.faults.items() if kind == "frozen" and name in ROLE_OF]
        if not silent & set(ROLE_OF):  # it takes every other meter to find one that stands still
            accused = [name for name in ("grid", "load") if name in still] or (still if len(still) == 1 else [])
            silent |= {name for name in accused[:1] if name != "pcs" or self._pcs_moves()}
            if {"grid", "load"} <= set(still) and not self.situation.moves:
                silent -= {"grid"}  # then the others do not say that it moves
        return silent

    def _pcs_moves(self):
        """Tell whether the battery's power changes while its reading stands still: it is not at rest from the start."""
        of_soc = self.faults.get("soc")
        return self.situation.works and (self.situation.moves and of_soc != "insane" or of_soc in ("lost", "frozen"))

    def expected(self, after_s):
        """Return what may be found: a PCS whose power stands still passes for one at its limit as well."""
        conditions = self.conditions(after_s)
        found = [states_document.decide(conditions, self.situation.dry)]
        if self.faults.get("pcs") == "frozen":
            others = [one for one in conditions if one[0] != "pcs_lost"]
            found.append(states_document.decide(others, self.situation.dry))
        return found

    def conditions(self, after_s):
        """Return the conditions that hold some seconds after the fault, (condition, slot), of one kind the first."""
        found = list(self.situation.conditions)
        silent = self.silent()
        meters = [name for name in METERS if name in silent]
        if "pcs" in silent:
            found.append(("pcs_lost", ""))
        if meters:
            found.append(self._of_meters(meters, len(meters) + ("pcs" in silent), after_s))
        if "soc" in silent:
            of_soc = self._of_soc(after_s, self.faults["soc"])
            # A number that is none is known at once, a meter that stands still last.
            first = self.faults["soc"] == "insane" or all(self.faults[name] == "frozen" for name in meters)
            found = of_soc + found if first else found + of_soc
        if self.faults.get("soc") == "frozen" and self._works():
            found.append(("soc_frozen", ""))
        return found

    def _works(self):
        """Tell whether the battery gives or takes until a state of charge that stands still is found: 4 to 9 s here.

        A meter that stands still is found later. With the load at worst there is nothing that the battery may do.
        """
        gone = [name for name, kind in self.faults.items() if kind != "frozen"]
        meters = [self._of_meters(gone, len(gone), 9)] if gone and gone[0] in METERS else []
        lost = [("pcs_lost", "")] if "pcs" in gone else []
        if ("worst", "load") in meters:
            return False
        return self.situation.works and states_document.decide(lost + meters, False)[2] != "zero"

    def _of_soc(self, after_s, kind):
        age_s = after_s if kind == "lost" else 1000  # a number that is none is at once
        if age_s * 1000 <= 10 * STALE_MS:
            return []
        if self.policy == "hold" and age_s * 1000 <= 10 * STALE_MS + HOLD_S * 1000:
            return [("soc_held", "")]
        return [("soc_lost", "")] + ([("stopped", "soc")] if self.policy == "stop" else [])

    def _of_meters(self, meters, count, after_s):
        first = meters[0]
        if self.policy in ("stop", "zero"):
            return {"stop": "stopped", "zero": "zeroed"}[self.policy], first
        if self.policy == "form":
            return ("blind", "") if count > 1 else ("formed", first)
        held = self.policy == "hold" and after_s * 1000 <= STALE_MS + HOLD_S * 1000
        return "held" if held else "worst", first


def _agrees(found, expected):
    state, reason, allowed, commands = found
    want_state, want_reason, battery, sent = expected
    if want_reason != "own":
        good = reason == want_reason
    else:
        good = reason in OWN.get(state, ()) or reason in LIMITS and state != "on_grid"
    states_good = {"on_grid", "limited"} if want_state == "on_grid" else {want_state}
    return good and state in states_good and allowed == (battery != "zero") and commands == ("set point" in sent)


@functools.cache
def _config(policy, items):
    return site(policy, **dict(items))


def _carry_out(situation, policy, faults, watch=None):
    rig = Rig(_config(policy, tuple(situation.site.items())))
    situation.prepare(rig)
    rig.run(6)
    rig.fault = dict(faults)
    oracle = Oracle(situation, policy, faults)
    frozen = "frozen" in rig.fault.values()
    past_s = 0
    for after_s in LOOKS_S:
        for _ in range(after_s - past_s):
            rig.run(1)
            if watch:
                watch(rig)
        past_s = after_s
        if not frozen or after_s == LOOKS_S[-1]:  # it takes its time to find one that stands still
            expected = oracle.expected(after_s)
            assert any(_agrees(rig.found(), one) for one in expected), (faults, policy, after_s, rig.found(), expected)
    return rig


def _sound(name, policy="form"):
    """Tell that without a fault the situation is what it says, to the end."""
    seen = set()
    _carry_out(SITUATIONS[name], policy, (), lambda rig: seen.add(rig.found()[0]))
    assert seen == {"on_grid", "limited"} if name == "limited" else seen == {_ALSO.get(name, name)}


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_input_lost_frozen_or_insane_singly_and_in_pairs(name):
    _sound(name)
    for faults in FAULTS:
        _carry_out(SITUATIONS[name], "form", faults)


@pytest.mark.parametrize("policy", POLICIES[1:])
@pytest.mark.parametrize("name", ("on_grid", "manual", "dry_run"))
def test_by_every_policy(name, policy):
    _sound(name, policy)
    for faults in FAULTS:
        _carry_out(SITUATIONS[name], policy, faults)


def test_what_is_worst_breaks_no_cap_by_the_battery():
    def watch(rig):
        power, unit = rig.true(), rig.made.unit_w
        grid_w, bess_w = power[1] * unit, power[2] * unit
        assert bess_w >= 0 or grid_w <= IMPORT_W + 60_000  # it charges no import beyond the cap, but for one period
        assert bess_w <= 0 or grid_w >= -EXPORT_W - 60_000

    for faults in FAULTS:
        if all(kind == "lost" for _, kind in faults):
            _carry_out(SITUATIONS["on_grid"], "worst", faults, watch)


def _at_the_start(policy, faults):
    """Judge a start with inputs lost or insane from the first moment on: none of their values was ever believed."""
    rig = Rig(_config(policy, ()))
    rig.fault = dict(faults)
    rig.run(8)
    later = Oracle(SITUATIONS["on_grid"], policy, faults).conditions(1000)
    # A state of charge that is no number has been heard, and is wrong at once.
    waits = [("never_seen", "")] if set(faults) != {("soc", "insane")} else []
    expected = states_document.decide(waits or later, False)
    assert _agrees(rig.found(), expected), (faults, policy, rig.found())
    rig.run(20)
    expected = [states_document.decide(found, False) for found in (later, later[::-1])]  # all were silent first
    assert any(_agrees(rig.found(), one) for one in expected), (faults, policy, rig.found(), expected)


@pytest.mark.parametrize("policy", POLICIES)
def test_at_the_start_what_was_never_heard_is_waited_for_and_then_goes_by_its_policy(policy):
    for faults in FAULTS:
        if all(kind != "frozen" for _, kind in faults):
            _at_the_start(policy, faults)


def test_the_matrix_is_whole():
    assert len(FAULTS) == 3 * 7 + 9 * 21
    assert set(SITUATIONS) | {"start"} >= set(states.NAMES) and set(RATED_W) == set(METERS)
