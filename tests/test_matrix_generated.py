"""Inputs lost, frozen or insane on generated sites: any roles, ratings, policies, state; one fault behind another.

test_supervisor_matrix.py walks through all singles and pairs on one site with one policy for all; here each input has
its own, faults begin at times of their own, devices that are no meter are lost beside, and in the end all is well
again. What is expected is STATES.md's. Where a value stands still, only that what is found is a row of that page: when
it is found out depends on the others.
"""

import functools
import os
import random

from hypothesis import given, note, settings
from hypothesis import strategies as st

from firmware.control import states
from firmware.core.types import BESS, GRID
from tests import states_document
from tests.matrix_rig import EXPORT_W, HOLD_S, IMPORT_W, ROLE_OF, STALE_MS, Rig, site
from tests.test_supervisor_matrix import KINDS, LIMITS, METERS, OWN, POLICIES, SITUATIONS

_EXAMPLES = 6000 if os.environ.get("EVENKEEL_SOAK") == "1" else 150
_BEGIN_S, _SOON_S, _LATE_S, _WELL_S = 6, 4, 40, 30
_DEVICES = ("wind_limit_lost", "pv_limit_lost", "genset_control_lost", "unasked", "disturbed")
_BESS_W = 400_000
_MOVE_W = 60_000


def _site_of(rng, mode):
    """Return the arguments of site(): from 10 kW to 1 GW of load, the inputs with policies of their own."""
    roles = ["load", "grid", "pcs"] + [role for role in ("wind", "pv", "genset", "bms") if rng.random() < 0.6]
    scale = rng.choice((0.01, 0.03, 0.1, 1, 3, 10, 100, 1000))
    bess_w = int(_BESS_W * scale * rng.choice((0.5, 1, 2)))
    some = rng.sample(POLICIES, rng.randint(1, 3))  # few, so that two of a kind meet as well
    return {"policy": {role: rng.choice(some) for role in roles}, "roles": tuple(roles), "scale": scale,
            "bess_w": bess_w, "mode": mode, "tracks": rng.choice(("smooth", "self_consumption")),
            "ramp_w_per_s": rng.choice((None, bess_w // 4, 2 * bess_w))}


def _case(seed):
    """Return (name of a situation, site, [(second of its begin, input, kind)], device condition or None)."""
    rng = random.Random(seed)
    name = rng.choice(sorted(set(SITUATIONS) - {"limited"}))
    made = _site_of(rng, SITUATIONS[name].site.get("mode", "auto"))
    inputs = [role for role in made["roles"] if role in ROLE_OF] + ["soc"]
    kinds = KINDS if rng.random() < 0.3 else ("lost", "insane")
    names = rng.sample(inputs, rng.choice((1, 2, 2, 3)))
    faults = [(rng.choice((0, 0, 1, 3, 5)), one, rng.choice(kinds)) for one in names]
    return name, made, sorted(faults), rng.choice((None, None, *_DEVICES, "bms_lost"))


def _of_meters(policies, silent, at_s, count, late):
    """Return the conditions of silent meters; `at_s` says when each fell silent, `count` is with the PCS."""
    by = {policy: [name for name in METERS if name in silent and policies[name] == policy] for policy in POLICIES}
    if by["stop"]:
        first = min(at_s[name] for name in by["stop"])
        return [("stopped", name) for name in by["stop"] if at_s[name] == first][:1]
    if by["zero"]:
        return [("zeroed", by["zero"][0])]
    if by["form"] and count > 1:
        return [("blind", "")]
    worst = [name for name in METERS if name in by["worst"] or late and name in by["hold"]]
    if worst:
        return [("worst", worst[0])]
    if by["hold"]:
        return [("held", by["hold"][0])]
    return [("formed", by["form"][0])] if by["form"] else []


def _of_soc(policy, kind, age_s, bms_lost):
    if kind == "lost" and age_s * 1000 <= 10 * STALE_MS:
        return []
    if kind == "lost" and policy == "hold" and age_s * 1000 <= 10 * STALE_MS + HOLD_S * 1000:
        return [("soc_held", "")]
    return [("soc_lost_with_bms" if bms_lost else "soc_lost", "")] + ([("stopped", "soc")] if policy == "stop" else [])


def _expected(situation, policies, faults, device, now_s):
    """Return (state, reason, battery, sent) a while after the last fault has begun; none of the values stands still."""
    found = list(situation.conditions) + ([(device, "")] if device else [])
    at_s = {name: begin_s for begin_s, name, _ in faults}
    silent = [name for name in at_s if name != "soc"]
    of_soc = [(now_s - begin_s, kind) for begin_s, name, kind in faults if name == "soc"]
    meters = []
    if silent:
        meters = _of_meters(policies, silent, at_s, len(silent), now_s >= _LATE_S)
    if "pcs" in silent:
        found.append(("pcs_lost", ""))
    soc = [one for age_s, kind in of_soc
           for one in _of_soc(policies.get("bms", policies["pcs"]), kind, age_s, device == "bms_lost")]
    return found, meters, soc


def _agrees(found, want):
    state, reason, allowed, commands = found
    want_state, want_reason, battery, sent = want
    if want_reason == "own":
        good = reason in OWN.get(state, ()) or reason == "ramp" or reason in LIMITS and state != "on_grid"
    else:
        good = reason == want_reason
    same = {"on_grid", "limited"} if want_state == "on_grid" else {want_state}
    return good and state in same and allowed == (battery != "zero") and commands == ("set point" in sent)


@functools.cache
def _documented(found, dry):
    """Tell whether what was found is some row of the page, whichever input is meant."""
    slots = states_document.SLOTS
    return any(_agrees(found, states_document.decide([(row.condition, slot)], dry))
               for row in states_document.rows() for slot in slots)


def _judge(rig, situation, made, faults, device, now_s):
    if any(kind == "frozen" for _, _, kind in faults):
        assert _documented(rig.found(), situation.dry), rig.found()
        return
    found, meters, soc = _expected(situation, made["policy"], faults, device, now_s)
    wanted = [states_document.decide(found + order, situation.dry) for order in (meters + soc, soc + meters)]
    assert any(_agrees(rig.found(), want) for want in wanted), (rig.found(), wanted)


@settings(max_examples=_EXAMPLES, deadline=None)
@given(st.integers(0, (1 << 64) - 1))
def test_property_any_site_is_in_the_state_that_the_page_says_and_comes_back_from_it(seed):
    name, made, faults, device = _case(seed)
    note(f"{name}, {made}, {faults}, {device}")
    situation = SITUATIONS[name]
    rig = Rig(site(**made))
    situation.prepare(rig)
    if device:
        rig.lost |= 1 << getattr(states, "IF_" + device.upper())
    rig.run(_BEGIN_S)
    last_s = max(begin_s for begin_s, _, _ in faults)
    # Where a cap may be broken for a while: a value held or standing still, a slow ramp, no grid, nothing sent.
    blurred = "hold" in made["policy"].values() or any(kind == "frozen" for _, _, kind in faults) or \
        made["ramp_w_per_s"] or situation.dry or name in ("island", "genset", "dark")
    for now_s in range(last_s + _LATE_S + 1):
        rig.fault = {one: kind for begin_s, one, kind in faults if begin_s <= now_s}
        rig.run(1)
        assert _documented(rig.found(), situation.dry)
        if not blurred and now_s - last_s >= _SOON_S:
            _breaks_no_cap(rig, made["scale"])
        if now_s - last_s in (_SOON_S, _LATE_S):
            _judge(rig, situation, made, faults, device, now_s)
    _come_back(rig, situation, device)


def _breaks_no_cap(rig, scale):
    """The battery charges no import beyond the cap and gives no export beyond its own, but for one period's move."""
    power, unit = rig.true(), rig.made.unit_w
    grid_w, bess_w = power[GRID] * unit, power[BESS] * unit
    assert bess_w >= 0 or grid_w <= (IMPORT_W + _MOVE_W) * scale + unit
    assert bess_w <= 0 or grid_w >= -(EXPORT_W + _MOVE_W) * scale - unit


def _come_back(rig, situation, device):
    """All is well again: but for a latch, which waits for somebody, the state is what it was without any fault."""
    rig.fault = {}
    rig.run(_WELL_S)
    assert rig.made.supervisor.latch == 0 or rig.found()[1].endswith("_latched") or situation.conditions
    rig.made.supervisor.acknowledge()
    rig.run(2)
    conditions = list(situation.conditions) + ([(device, "")] if device else [])
    assert _agrees(rig.found(), states_document.decide(conditions, situation.dry)), rig.found()
