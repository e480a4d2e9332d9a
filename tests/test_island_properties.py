"""Properties of island and genset: whatever grid, engine, PCS, sun and load do, no limit is broken, none left dark."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.control import genset, island, reasons, share
from tests.island_rig import CAPACITY_WS, RATED_BESS_W, RATED_GENSET_W, Rig

_STARTS = st.sampled_from([(True,), (True, False), (False, True), (False, False, True), (False,)])
_EVENTS = st.lists(st.tuples(st.sampled_from(
    ["grid", "grid", "load", "sun", "fault", "stall", "local", "alarm", "silent", "soc", "meter", "fuel", "wait"]),
    st.integers(0, 1000), st.integers(1, 900)), min_size=1, max_size=14)
_MIN_W = RATED_GENSET_W * 300 // 1000
_AWHILE_S = 60  # in which things may settle


class Watch:
    """Judges each second of a rig: what must never be, and load that went unserved for nothing."""

    def __init__(self, rig):
        self.rig = rig
        self.dark_s = self.low_s = 0
        self.run = []

    def step(self):
        rig = self.rig
        rig.step()
        assert -RATED_BESS_W <= rig.point.bess_pu <= RATED_BESS_W
        assert 0 <= rig.island.target_pu <= rig.genset.max_pu
        assert (rig.point.bess_pu <= 0 or rig.soc > 100) and (rig.point.bess_pu >= 0 or rig.soc < 900)
        assert min(rig.island.cells) >= -(1 << 30) and max(rig.island.cells) < 1 << 30
        assert max(rig.genset.cells) < 1 << 30 and min(rig.genset.cells) >= -1
        lost = rig.island.state not in (island.BEGIN, island.ON_GRID)
        assert lost == bool(rig.island.bits & island.GRID_LOST) and (lost or rig.island.lost_s == 0)
        self._may_be_dark()
        self._lowest_load()

    def _may_be_dark(self):
        """Unserved is only what battery and genset cannot give: dark only while neither can, and for a start."""
        rig, engine = self.rig, self.rig.engine
        can_start = engine.ready and not engine.local and not engine.fault and engine.fuel.value and \
            engine.starts(engine.attempts + 1) and engine.starts(engine.attempts)
        can_form = rig.forms and not rig.pcs_fault and rig.stored_ws > 0
        self.dark_s = self.dark_s + 1 if rig.unserved_w and (can_start or can_form) else 0
        if rig.former != "nobody" and rig.unserved_w:
            self.dark_s = 0  # more than both can give
        if rig.sense.word < 0 and rig.island.state == island.ON_GRID:
            self.dark_s = 0  # nobody can know
        locked_s = 1000 if rig.genset.state in (genset.LOCKED, genset.PAUSING, genset.STARTING) else 0
        assert self.dark_s <= _AWHILE_S + locked_s + 15, rig.former

    def _lowest_load(self):
        """The genset keeps its lowest load as soon as it may, while load, PV and battery can take it."""
        rig = self.rig
        base_w = rig.load_w - rig.pv_w
        takes = rig.soc < 880 and not rig.pcs_fault and base_w + RATED_BESS_W >= _MIN_W and rig.snap.soc_state == 1
        steady = rig.island.state == island.SHARING and rig.genset.state == genset.CARRYING and rig.former == "genset"
        self.low_s = self.low_s + 1 if takes and steady and rig.genset_w < _MIN_W else 0
        assert self.low_s <= 25


def _happen(rig, kind, size):
    """Let one thing happen."""
    engine = rig.engine
    if kind == "grid":
        rig.grid_up = not rig.grid_up
    elif kind == "load":
        rig.load_w = size * 20
    elif kind == "sun":
        rig.sun_w = size * 8
    elif kind == "fault":
        rig.pcs_fault = not rig.pcs_fault
    elif kind == "stall":
        engine.stall()
    elif kind == "local":
        engine.local = not engine.local
    elif kind == "alarm":
        engine.fault = not engine.fault
    elif kind == "silent":
        engine.ready = not engine.ready
    elif kind == "soc":
        rig.stored_ws = CAPACITY_WS * size // 1000
    elif kind == "meter":
        rig.sense.word = -1 if rig.sense.word >= 0 else int(rig.grid_up)
    elif kind == "fuel":
        engine.fuel.value = size


@settings(max_examples=60, deadline=None)
@given(_EVENTS, _STARTS, st.sampled_from(["pcs", "pcs", "genset"]), st.booleans())
def test_property_no_limit_is_broken_and_no_load_left_that_could_be_carried(events, starts, former, no_grid):
    rig = Rig({"former": former}, starts=lambda attempt: starts[attempt % len(starts)], no_grid=no_grid)
    watch = Watch(rig)
    for kind, size, wait_s in events:
        if kind != "grid" or not no_grid:
            _happen(rig, kind, size)
        for _ in range(wait_s):
            watch.step()


@settings(max_examples=60, deadline=None)
@given(_EVENTS, _STARTS)
def test_property_once_all_is_well_again_the_site_is_on_its_grid_and_the_genset_at_rest(events, starts):
    rig = Rig({"former": "pcs"}, starts=lambda attempt: starts[attempt % len(starts)])
    for kind, size, wait_s in events:
        _happen(rig, kind, size)
        rig.step(wait_s)
    rig.grid_up = True
    rig.pcs_fault = rig.engine.local = rig.engine.fault = False
    rig.engine.ready = True
    rig.engine.fuel.value = 800
    rig.sense.word = 1
    rig.load_w, rig.sun_w, rig.stored_ws = 4000, 0, CAPACITY_WS // 2
    rig.step(1800)
    assert rig.island.state == island.ON_GRID and rig.island.bits == 0 and rig.unserved_w == 0
    assert rig.genset.state == genset.RESTING and not rig.engine.running


@given(st.integers(0, 12_000), st.integers(1, 60_000), st.integers(-8000, 30_000), st.integers(0, 10_000),
       st.integers(0, 10_000), st.booleans(), st.booleans())
def test_property_the_target_is_what_physics_allows(target, dt_ms, base, charge, discharge, charges, cools):
    rig = Rig().genset
    rig.cells[genset._STATE] = genset.COOLING if cools else genset.CARRYING
    new = share.aim(target, dt_ms, rig, charges, base, -charge, discharge)
    assert 0 <= new <= rig.max_pu
    assert new >= min(base - discharge, rig.max_pu)  # what the battery cannot give is not put off
    for _ in range(80):
        new = share.aim(new, 1000, rig, charges, base, -charge, discharge)
    must = max(min(base - discharge, rig.max_pu), 0)
    if cools:
        assert new == must
    else:
        assert new >= max(rig.min_pu, must)
        assert new == rig.min_pu or new == must or new <= max(base + charge, must)


def test_a_site_without_grid_lives_on_sun_battery_and_genset():
    rig = Rig(no_grid=True, genset_changes={"soc_start_permille": 300, "soc_stop_permille": 600})
    for hour in range(48):
        rig.sun_w = 7000 if 7 <= hour % 24 < 17 else 0
        rig.step(3600)
        assert 250 <= rig.soc <= 905
    assert rig.unserved_ws == 0 and rig.genset.starts >= 1 and rig.reasons.count(reasons.GRID_THERE) == 0


def test_the_tables_are_whole():
    for machine, names, longest in ((genset, genset.NAMES, genset._OURS), (island, island.NAMES, island._TIME)):
        table = machine._TABLE
        assert len(table) == machine._ROWS_END
        rows = [tuple(table[at:at + 4]) for at in range(0, len(table), 4)]
        assert len({row[:2] for row in rows}) == len(rows)
        states = set(range(len(names)))
        assert {row[0] for row in rows} - {0xFF} == states  # none without a way out
        assert {row[2] for row in rows} >= states - {0}  # none without a way in
        assert all(row[1] <= longest and reasons.SENTENCES[row[3]] for row in rows)


def test_what_share_reads_is_what_the_others_number_so():
    assert (share._RULE, share._TARGET) == (island._RULE, island._TARGET)
    assert (share._ISLAND_BATTERY, share._ISLAND_GENSET, share._ISLAND_DARK) == (
        reasons.ISLAND_BATTERY, reasons.ISLAND_GENSET, reasons.ISLAND_DARK)
    assert (share._SHARE, share._ZERO) == (share.SHARE, share.ZERO)
