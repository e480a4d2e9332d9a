"""Properties of the policies: at worst no cap is broken by the battery, whatever the silent meters would have shown."""

from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.control.limits import Limits
from firmware.control.stale import HOLD, STOP, WORST, Stale
from firmware.control.supervisor import Supervisor
from firmware.core.types import BESS, FRESH, GRID, LOAD, READING_CELLS, ROLES, STALE, Snapshot

FULL = 1 << 18
METERS = [role for role in range(ROLES) if role != BESS]
POWER = st.integers(0, FULL)


def _site(policies, rated, power, silent, hold_ms=0):
    """Return (stale, supervisor, snapshot, table) of a site whose `silent` meters are old."""
    stale, sup, snap = Stale(policies, rated, hold_ms), Supervisor(1 << 20), Snapshot()
    table = array("i", [0] * (READING_CELLS * ROLES))
    for role in range(ROLES):
        snap.power_pu[role] = table[READING_CELLS * role] = power[role]
        table[READING_CELLS * role + 2] = 1
        snap.state[role] = STALE if role in silent else FRESH
    snap.soc_permille, snap.soc_state, snap.all_fresh = 500, FRESH, not silent
    return stale, sup, snap, table


def _net(power):
    return power[LOAD] - sum(power[BESS + 1:])


@settings(max_examples=500, deadline=None)
@given(st.lists(POWER, min_size=ROLES, max_size=ROLES), st.lists(st.integers(0, 1000), min_size=ROLES, max_size=ROLES),
       st.lists(st.integers(0, 1000), min_size=ROLES, max_size=ROLES), st.sets(st.sampled_from(METERS), min_size=1),
       POWER, POWER, st.integers(1000, FULL), st.integers(-(1 << 14), 1 << 14), st.integers(0, 1000))
def test_property_at_worst_the_battery_breaks_no_cap(rated, seen, real, silent, imports, exports, bess, trim, place):
    seen = [rated[role] * seen[role] // 1000 for role in range(ROLES)]
    truth = [rated[role] * real[role] // 1000 if role in silent else seen[role] for role in range(ROLES)]
    stale, sup, snap, table = _site([WORST] * ROLES, rated, seen, silent)
    lim = Limits(bess, imports, exports, 0, 1000)
    known = stale.update(sup, snap, table, 1000)
    assert known == 0
    lim.update(snap, trim, known)
    stale.guard(lim, snap, trim)
    assert -bess <= lim.low_pu <= lim.high_pu <= bess
    point = lim.low_pu + (lim.high_pu - lim.low_pu) * place // 1000
    grid = _net(truth) + trim - point
    assert point >= 0 or grid <= imports
    assert point <= 0 or grid >= -exports
    # What is sure is done, as far as the battery reaches; the swing of the trim without the grid meter is not.
    sure = [seen[role] if role not in silent else 0 if role == LOAD else rated[role] for role in range(ROLES)]
    if GRID not in silent:
        assert point >= min(_net(sure) + trim - imports, bess)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=ROLES, max_size=ROLES), st.sets(st.sampled_from(METERS), min_size=1),
       st.integers(1, 1000), st.integers(0, 20_000))
def test_property_a_held_value_counts_for_its_time_and_no_longer(policies, silent, dt_ms, hold_ms):
    power = [1000 + role for role in range(ROLES)]
    stale, sup, snap, table = _site(policies, [FULL] * ROLES, power, silent, hold_ms)
    past_ms = 0
    for _ in range(30):
        for role in silent:
            snap.power_pu[role] = -1  # what was formed from the others, say
        stale.update(sup, snap, table, dt_ms)
        for role in silent:
            held = policies[role] == HOLD and past_ms < hold_ms
            assert snap.power_pu[role] == (power[role] if held else -1)
        past_ms += dt_ms
    assert sup.latch == 0  # the start is not over


@given(st.lists(st.integers(0, 4), min_size=ROLES, max_size=ROLES), st.sets(st.sampled_from(METERS), min_size=1))
def test_property_a_latch_needs_a_silent_input_whose_policy_is_to_stop(policies, silent):
    stale, sup, snap, table = _site(policies, [FULL] * ROLES, [0] * ROLES, silent)
    sup.update(snap)  # nothing is missing: the start is over
    stale.update(sup, snap, table, 1000)
    assert bool(sup.latch) == any(policies[role] == STOP for role in silent)
