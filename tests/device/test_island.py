"""Grid away and back, on the small site of tests.island_rig: who carries it, what the genset gives, what is said."""

from firmware.control import genset, island, reasons, share
from firmware.core.types import MISSING
from tests.island_rig import RATED_BESS_W, RATED_GENSET_W, Rig

MIN_W = RATED_GENSET_W * 300 // 1000
BEST_W = RATED_GENSET_W * 750 // 1000


def lost(**changes):
    """Return a site that has been on its grid, and just lost it."""
    rig = Rig(**changes)
    rig.step(20)
    assert rig.island.state == island.ON_GRID and rig.island.bits == 0
    rig.grid_up = False
    return rig


def carried(**changes):
    """Return a site without grid whose genset carries it."""
    rig = lost(**changes)
    rig.charge_to(340)
    rig.until(lambda: rig.genset.state == genset.CARRYING, 300)
    assert rig.island.state == island.SHARING
    return rig


def test_the_battery_rides_through_and_goes_back_without_a_step():
    rig = lost()
    rig.until(lambda: rig.island.state == island.FORMING, 4)
    assert rig.island.bits == island.GRID_LOST | island.ISLAND and rig.island.rule == share.FORM
    rig.step(600)
    assert (rig.former, rig.bess_w, rig.unserved_ws, rig.point.bess_pu) == ("pcs", 4000, 0, 4000)
    assert rig.island.lost_s >= 600
    rig.grid_up = True
    assert 18 <= rig.until(lambda: rig.island.state == island.RETURNING) <= 22
    while rig.island.state != island.ON_GRID:
        rig.step()
        assert rig.bess_w == 4000 and rig.grid_w == 0
    assert rig.island.lost_s == 0 or rig.step() or rig.island.lost_s == 0
    assert rig.genset.starts == 0 and rig.reasons[-1] == reasons.GRID_THERE


def test_the_genset_takes_its_best_load_and_the_battery_charges_with_the_rest():
    rig = carried()
    rig.step(60)
    assert rig.genset_w == BEST_W and rig.bess_w == 4000 - BEST_W
    assert rig.island.bits == island.GRID_LOST | island.GENSET_RUNS
    before = rig.genset_w
    rig.load_w = 6000  # the step meets the battery, not the engine
    rig.step(2)
    assert abs(rig.genset_w - before) <= 2000
    rig.step(5)
    assert rig.genset_w == BEST_W and rig.bess_w == 6000 - BEST_W


def test_the_lowest_load_is_kept_while_the_battery_can_take_it():
    rig = carried()
    rig.charge_to(600)
    rig.load_w = 500
    rig.sun_w = 6000
    rig.step(60)
    assert rig.genset_w >= MIN_W and rig.bess_w <= 500 - MIN_W
    assert rig.pv_w <= 500 + RATED_BESS_W - MIN_W


def test_a_charged_battery_is_not_charged_further_and_pv_gives_way():
    rig = carried(genset_changes={"min_run_s": 40_000, "cooldown_s": 1800})
    rig.charge_to(880)
    rig.load_w, rig.sun_w = 5000, 8000
    rig.step(120)
    assert rig.genset_w == MIN_W
    rig.charge_to(900)
    rig.step(20)
    assert rig.genset_w == MIN_W and rig.pv_w == 5000 - MIN_W and rig.bess_w == 0


def test_what_the_genset_cannot_give_the_battery_does_and_the_rest_is_told():
    rig = carried()
    rig.charge_to(500)
    rig.load_w = 20_000
    rig.step(30)
    assert rig.unserved_w == 0 and rig.genset_w >= 10_000 and not rig.island.bits & island.UNSERVED
    rig.load_w = 25_000
    rig.step(5)
    assert rig.unserved_w == 3000 == rig.island.unserved_pu and rig.island.bits & island.UNSERVED


def test_what_is_no_state_is_told_beside_it_once_a_loss_of_the_grid():
    rig = carried()
    rig.charge_to(500)
    notes = []

    def look(seconds):
        del notes[:]
        for _ in range(seconds):
            rig.step()
            rig.backup.look(rig.t_s * 1000, lambda source, code, text: notes.append(code))

    look(1)
    assert "UNSERVED" not in notes and "LOW_FUEL" not in notes
    rig.load_w = 25_000
    look(5)
    assert notes == ["UNSERVED"]
    rig.load_w = 5000
    look(5)
    rig.load_w = 25_000
    rig.engine.fuel.take(0, 0)
    look(5)
    assert notes.count("UNSERVED") == 0 and notes.count("LOW_FUEL") == 1
    rig.engine.fault = True
    look(30)
    assert "GENSET_FAILED" in notes


def test_the_genset_cools_down_without_load_and_the_battery_forms_again():
    rig = carried()
    rig.charge_to(810)
    rig.until(lambda: rig.genset.state == genset.COOLING, 1000)
    rig.step(30)
    assert rig.genset_w == 0 and rig.bess_w == 4000 and rig.unserved_ws == 0
    rig.until(lambda: rig.island.state == island.FORMING, 300)
    assert rig.unserved_ws == 0


def test_a_pcs_that_fails_leaves_the_site_dark_until_the_genset_comes():
    rig = lost()
    rig.step(30)
    rig.pcs_fault = True
    rig.step(2)
    assert rig.island.state == island.DARK and rig.island.rule == share.ZERO and rig.point.bess_pu == 0
    assert rig.until(lambda: rig.former == "genset", 60) <= 20
    rig.step(5)
    assert rig.island.state == island.SHARING and rig.genset_w == 4000
    assert rig.reasons.count(reasons.ISLAND_DARK) == 1


def test_a_site_that_only_the_genset_can_form_waits_for_it():
    rig = lost(island_changes={"former": "genset"})
    rig.until(lambda: rig.island.state == island.DARK, 4)
    assert rig.until(lambda: rig.former == "genset", 60) <= 20
    rig.step(60)
    assert rig.genset_w == BEST_W


def test_an_empty_battery_is_dark_and_sun_alone_forms_nothing():
    rig = lost(has_genset=False)
    rig.charge_to(0)
    rig.step(5)
    assert rig.island.state == island.DARK and rig.unserved_w == 4000
    rig.grid_up = True
    rig.until(lambda: rig.island.state == island.ON_GRID, 100)
    assert rig.unserved_w == 0


def test_a_grid_that_comes_and_goes_is_not_gone_back_to():
    rig = lost()
    rig.step(10)
    for _ in range(20):
        rig.grid_up = True
        rig.step(15)
        rig.grid_up = False
        rig.step(5)
        assert rig.island.state == island.FORMING
    assert rig.unserved_ws == 0


def test_a_return_that_nobody_carries_out_is_tried_anew():
    rig = lost()
    rig.step(10)
    rig.grid_up = True
    rig.until(lambda: rig.island.state == island.RETURNING)
    rig.coupled = False
    rig._up_s = -100_000
    assert 28 <= rig.until(lambda: rig.island.state == island.FORMING) <= 32
    assert rig.island.reason == reasons.RESYNC_LATE
    assert 18 <= rig.until(lambda: rig.island.state == island.RETURNING) <= 22


def test_a_pcs_without_a_word_is_given_its_time_to_go_back():
    rig = Rig(island_changes={"resync_s": 40})
    rig.pcs = type(rig.pcs)()

    def step(seconds, voltage):
        for _ in range(seconds):
            rig.island.sense(1000, voltage, -1, -1)
            rig.island.step(1000, True, 500, 4000, -10_000, 10_000)

    step(5, 1)
    assert rig.island.state == island.ON_GRID
    step(5, 0)
    assert rig.island.state == island.FORMING
    step(100, -1)
    assert rig.island.state == island.FORMING  # nobody knows: what was known holds
    step(19, 1)
    assert rig.island.state == island.FORMING
    step(5, 1)
    assert rig.island.state == island.RETURNING
    step(34, 1)
    assert rig.island.state == island.RETURNING
    step(8, 1)
    assert rig.island.state == island.ON_GRID


def test_every_source_can_deny_the_grid_and_one_must_vouch_for_it():
    for voltage, mains, islanded, expected in (
            (1, -1, -1, island.ON_GRID), (0, -1, -1, island.FORMING), (-1, 0, -1, island.FORMING),
            (1, 0, 0, island.FORMING), (0, 1, 0, island.FORMING), (-1, -1, 1, island.FORMING),
            (-1, -1, 0, island.ON_GRID), (-1, -1, -1, island.ON_GRID), (1, 1, 1, island.FORMING)):
        rig = Rig()
        rig.island.sense(1000, 1, 1, 0)
        rig.island.step(1000, True, 500, 4000, -10_000, 10_000)
        for _ in range(5):
            rig.island.sense(1000, voltage, mains, islanded)
            rig.island.step(1000, True, 500, 4000, -10_000, 10_000)
        assert rig.island.state == expected, (voltage, mains, islanded)


def test_a_controller_that_never_saw_the_mains_has_no_say():
    rig = Rig()
    rig.engine.mains_mhz = rig.engine.mains_mv = 0  # not connected
    rig.step(60)
    assert rig.island.state == island.ON_GRID
    rig.engine.mains_mhz = 50_000
    rig.step(5)
    rig.engine.mains_mhz = 0
    rig.step(5)
    assert rig.island.state == island.FORMING


def test_a_start_without_anybody_who_knows_assumes_the_grid():
    rig = Rig()
    for second in range(15):
        rig.island.sense(1000, -1, -1, -1)
        rig.island.step(1000, True, 500, 4000, -10_000, 10_000)
        assert rig.island.state == (island.BEGIN if second < 9 else island.ON_GRID)
    assert rig.island.reason == reasons.GRID_ASSUMED


def test_a_site_that_starts_in_the_dark_is_an_island_at_once():
    rig = Rig()
    rig.grid_up = rig.coupled = False
    rig.step(4)
    assert rig.island.state == island.FORMING


def test_a_site_without_grid_is_an_island_from_the_start():
    rig = Rig(no_grid=True)
    rig.step(4)
    assert rig.island.state == island.FORMING and rig.unserved_w == 0
    rig.charge_to(340)
    rig.until(lambda: rig.island.state == island.SHARING, 100)
    assert rig.reasons.count(reasons.GRID_THERE) == 0


def test_an_unknown_load_leaves_the_battery_at_zero_while_the_genset_forms():
    rig = carried()
    rig.step(30)
    share.share(rig.island.cells, rig.point.cells, rig.snap.cells, rig.limits.cells, 0)
    assert rig.point.bess_pu == 0


def test_an_unknown_charge_starts_the_genset_and_charges_nothing():
    rig = lost()
    rig.snap.soc_state = MISSING
    rig.until(lambda: rig.island.state == island.SHARING, 100)
    rig.step(60)
    assert rig.reasons.count(reasons.GENSET_FOR_BLIND) == 1 and rig.bess_w == 0 and rig.genset_w == 4000


def test_before_the_grid_takes_over_the_genset_charges_no_more():
    rig = carried()
    rig.step(60)
    assert rig.bess_w == 4000 - BEST_W
    rig.grid_up = True
    rig._up_s = -100
    rig.until(lambda: rig.island.state == island.RETURNING, 40)
    rig.step(22)
    assert rig.bess_w == 0 and rig.genset_w == 4000


def test_on_the_grid_pv_gives_no_more_than_load_battery_and_export_cap_take():
    rig = Rig()
    rig.load_w, rig.sun_w = 1000, 8000
    rig.charge_to(500)
    rig.step(30)
    assert rig.pv_w == 8000 and rig.bess_w == -7000
    rig.charge_to(900)
    rig.step(30)
    assert rig.pv_w == 1000 and rig.grid_w == 0
