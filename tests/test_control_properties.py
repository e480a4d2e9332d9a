"""Properties of limits, tracker and supervisor: whatever is measured, the set point stays inside what is allowed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.control import reasons, states, supervisor
from firmware.control.limits import Limits
from firmware.control.stale import Stale
from firmware.control.tracker import Tracker
from firmware.control.wind_limit import WindLimit
from firmware.core.types import ABSENT, FRESH, MISSING, READING_CELLS, ROLES, STALE, Setpoint, Snapshot

FULL = 1 << 19
POWER = st.integers(-FULL, FULL)
SMALL = range(-(1 << 30), 1 << 30)
STATE = st.sampled_from([FRESH, FRESH, FRESH, STALE, MISSING, ABSENT])


@st.composite
def snapshots(draw):
    """Return a list of snapshots of one site, a period apart: anything may be measured or be silent."""
    made = []
    for i in range(draw(st.integers(1, 12))):
        snap = Snapshot()
        snap.now_ms = i * 1000
        for role in range(ROLES):
            snap.power_pu[role] = draw(POWER)
            snap.state[role] = draw(STATE)
        snap.soc_permille = draw(st.integers(0, 1000))
        snap.soc_state = draw(st.sampled_from([FRESH, FRESH, STALE, MISSING]))
        snap.pcs_ready = draw(st.sampled_from([True, True, True, False]))
        snap.pcs_local = draw(st.sampled_from([False, False, False, True]))
        snap.pcs_fault = draw(st.sampled_from([False, False, False, True]))
        snap.all_fresh = all(state in (FRESH, ABSENT) for state in snap.state)
        made.append(snap)
    return made


@settings(max_examples=300, deadline=None)
@given(snapshots(), st.integers(1000, FULL), st.integers(0, FULL), st.integers(0, FULL),
       st.sampled_from(["smooth", "self_consumption"]), st.integers(1, 1000), st.integers(1, 1 << 21),
       st.lists(st.integers(0, 4), min_size=ROLES, max_size=ROLES))
def test_property_the_set_point_stays_inside_every_limit(snaps, bess, imports, exports, policy, dt_ms, ramp, policies):
    control = {"policy": policy, "baseline_s": 1, "soc_home_permille": 500, "homing_permille": 1000,
               "trim_permille_per_s": 500}
    lim = Limits(bess, imports, exports, 100, 900)
    tracker, sup, point = Tracker(control, bess), supervisor.Supervisor(ramp), Setpoint()
    wind = WindLimit(FULL, exports)
    stale, table = Stale(policies, [FULL] * ROLES, 3000), [0] * (READING_CELLS * ROLES)
    last = 0
    for snap in snaps:
        tracker.observe(point, snap, lim, dt_ms)
        known = stale.update(sup, snap, table, dt_ms)
        lim.update(snap, tracker.trim_pu, known)
        stale.guard(lim, snap, tracker.trim_pu)
        sup.update(snap)
        tracker.step(point, snap, lim, dt_ms)
        wanted = point.bess_pu
        sup.apply(point, lim, dt_ms)
        wind.step(point, snap, lim.charge_pu if sup.allowed else 0)
        assert -bess <= lim.low_pu <= wanted <= lim.high_pu <= bess
        assert abs(point.bess_pu - last) <= min(ramp, 1 << 20) * dt_ms // 1000 + 1
        if not sup.allowed:
            assert abs(point.bess_pu) <= abs(last)  # on its way to zero, or there
        if snap.soc_state == FRESH and snap.soc_permille <= 100:
            assert lim.high_pu <= 0
        if snap.soc_state == FRESH and snap.soc_permille >= 900:
            assert lim.low_pu >= 0
        if snap.soc_state != FRESH:
            assert lim.low_pu == lim.high_pu == 0 and not sup.allowed
        assert 0 <= point.wind_limit_pu <= FULL
        assert sup.state < len(states.NAMES) and point.reason < len(reasons.NAMES)
        for value in (*point.cells, *lim.cells, *tracker.cells, *sup.cells):
            assert value in SMALL
        last = point.bess_pu


def test_every_reason_has_a_name_and_a_sentence():
    codes = {name: code for name, code in vars(reasons).items() if isinstance(code, int)}
    assert {code: name.lower() for name, code in codes.items()} == dict(enumerate(reasons.NAMES))
    assert len(reasons.NAMES) == len(reasons.SENTENCES) == len(codes)
    assert len(set(reasons.NAMES)) == len(reasons.NAMES)
    assert all(sentence.endswith(".") for sentence in reasons.SENTENCES)
