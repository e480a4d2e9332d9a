"""Properties of the tick's stages: the plain laws hold whatever happens, and every copy of a constant is a true one."""

import ast
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.control import limits, reasons, states
from firmware.core import types
from firmware.core.types import ROLES
from firmware.core.utc import Utc, advance
from firmware.drivers import ratio
from firmware.ledger.energy import Energy, integrate
from firmware.ledger.interval import Cutter, judge_period
from tests.tick_pair import Pair
from tests.tick_reference import LIMIT_PU, LOST

ROOT = Path(__file__).resolve().parents[1]
POWER = st.integers(1 - LIMIT_PU, LIMIT_PU - 1)
RARELY = st.sampled_from([False] * 7 + [True])
STEP = st.tuples(st.lists(st.none() | POWER, min_size=ROLES, max_size=ROLES), st.none() | st.integers(0, 1000),
                 st.sampled_from([0, 1, 20, 100, 1000, 3500, 40_000]), RARELY, RARELY, RARELY, RARELY, st.booleans(),
                 st.just(()) | st.sets(st.sampled_from([name for name, _ in LOST])))
SITE = st.fixed_dictionaries({
    "bess": st.integers(1, 1 << 19), "import": st.integers(0, 1 << 19), "export": st.integers(0, 1 << 19),
    "soc_min": st.integers(0, 500), "soc_max": st.integers(501, 1000), "follow": st.booleans(),
    "gain": st.integers(0, 500), "base_ms": st.integers(1, 3600).map(lambda s: 1000 * s),
    "home": st.integers(0, 1000), "homing": st.integers(0, 1000), "ramp": st.integers(1, 1 << 21),
    "wind": st.integers(0, 1 << 19), "aim": st.integers(-(1 << 19), 1 << 19),
    "term": st.integers(-(1 << 19), 1 << 19), "pull_max": st.integers(1, (1 << 19) - 1),
    "dead_band": st.just(0) | st.integers(0, 1 << 19), "pcs_dead_band": st.just(0) | st.integers(0, 1 << 19),
    "facts": st.tuples(st.integers(1, 1000), st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 3000),
                       st.sampled_from([0, 10, 1000]))})


@settings(max_examples=200, deadline=None)
@given(SITE.map(lambda site: site | {"ramp": min(site["ramp"], 1 << 20)}), st.sets(st.integers(0, ROLES - 1)),
       st.sampled_from([1, 2, 5, 500, 5000]), st.integers(0, (1 << 30) - 1), st.lists(STEP, max_size=25))
def test_property_the_stages_keep_the_plain_laws(site, roles, unit_w, begin_ms, steps):
    pair = Pair(site, {0, 1, 2} | roles, unit_w, begin_ms)
    for powers, soc, dt_ms, lost, local, fault, stopping, balance, missing in steps:
        pair.balance = balance
        for role, power in enumerate(powers):
            if power is not None:
                pair.put(role, power)
                pair.sample(role)
        if soc is not None:
            pair.put_soc(soc)
        pair.step(dt_ms, not lost, local, fault, stopping, missing)


def _cutter(start_ms):
    utc = Utc()
    utc.set(100, start_ms, 2, 0)
    return Cutter(Energy(1), utc, 100), utc


def _tick_adds(cutter, utc, snap, dt_ms):
    """Let time pass as the control tick does."""
    judge_period(cutter.cells, snap.cells, dt_ms)
    if advance(utc.cells, dt_ms):
        integrate(cutter.energy.cells, snap.cells, dt_ms, 1)
    else:
        cutter.split(snap, dt_ms)


@given(st.integers(0, 899_999), st.lists(st.tuples(POWER, st.integers(0, 3000), st.integers(1, 3)), max_size=40))
def test_property_the_ticks_short_way_counts_as_the_long_one(start_ms, steps):
    (short, short_utc), (long, long_utc) = _cutter(start_ms), _cutter(start_ms)
    for power, dt_ms, state in steps:
        snap = types.Snapshot()
        snap.power_pu[0], snap.state[0], snap.soc_state = power, state, types.FRESH
        snap.all_fresh = state == types.FRESH
        _tick_adds(short, short_utc, snap, dt_ms)
        long.add(snap, dt_ms)
        assert short_utc.cells == long_utc.cells and short.cells == long.cells
        assert (short.waiting, short.open_ms()) == (long.waiting, long.open_ms())
        assert list(short.energy.wh) == list(long.energy.wh)
        assert list(short.energy.rest) == list(long.energy.rest)


def _constants(path):
    """Return the module's own constants: name -> number."""
    found = {}
    for node in ast.parse((ROOT / "firmware" / path).read_text()).body:
        call = node.value if isinstance(node, ast.Assign) else None
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "const":
            found[node.targets[0].id] = ast.literal_eval(call.args[0])
    return found


def test_every_copy_of_a_constant_is_true():
    cells = {name[1:]: value for name, value in _constants("core/types.py").items() if name[0] == "_"}
    of_roles = {f"{name.upper()}_{what}": cells[what] + role for role, name in enumerate(types.ROLE_NAMES)
                for what in ("STATE", "AGE_MS")}
    truth = {name: value for module in (states, reasons, types) for name, value in vars(module).items()
             if name.isupper() and isinstance(value, int)} | cells | of_roles
    truth["LIMIT_PU"] = ratio.LIMIT_PU
    own = _constants("control/limits.py")
    truth |= {name: own["_" + name] for name in ("LOW_PU", "HIGH_PU", "LOW_REASON", "HIGH_REASON", "CHARGE_PU")}
    truth |= {"IMPORT_CAP_PU": own["_IMPORT_PU"], "EXPORT_CAP_PU": own["_EXPORT_PU"]}
    copies = 0
    for path in ("site/measure.py", "control/limits.py", "control/tracker.py", "control/supervisor.py",
                 "control/stale.py", "control/baseline.py", "control/lead.py", "control/follow.py",
                 "control/decide.py",
                 "ledger/energy.py", "ledger/interval.py", "main.py"):
        for name, value in _constants(path).items():
            if name[1:] in truth:
                copies += 1
                assert value == truth[name[1:]], (path, name)
    assert copies > 70 and limits.Limits(1000, 0, 0, 0, 0).cells[own["_SHARES"] - 1] == 0


def test_the_parts_of_the_tracker_mean_the_same_cells():
    cells, copies = _constants("control/tracker.py"), 0
    for path in ("baseline", "lead", "follow"):
        for name, value in _constants(f"control/{path}.py").items():
            if name in cells:
                copies += 1
                assert value == cells[name], (path, name)
    assert copies > 60
