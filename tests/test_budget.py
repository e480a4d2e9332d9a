"""The budget of a bus: against a reckoning of its own, what is refused and what is told, by name."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from firmware.core.errors import ConfigError
from firmware.drivers.field import Field
from firmware.drivers.line import budget
from firmware.drivers.line import cells as k
from firmware.drivers.line.bus_watch import LOOKS, SLOW_LOOKS, BusWatch
from firmware.site.config import load
from tests.device_rig import profiles
from tests.fakes_station import FakePlatform

SITES = {name: json.loads(Path(f"host_tools/sites/{name}.json").read_text()) for name in ("edge", "hyperscale")}
# Registers of each regular read and write of the reference sites, from the register tables; bytes of both frames.
READ, WRITE = 8 + 5, 9 + 8
FAST_METER, FLOAT_METER = READ + 2 * 2, READ + 2 * 2  # every second power read has two registers more
PCS_READ, PCS_SET, PCS_BEAT = READ + 2 * 8, WRITE + 2 * 11, WRITE + 2 * 2
PCS_SLOW = ((READ + 2 * 13, 1), (READ + 2 * 3, 1), (READ + 2 * 3, 2))  # read back, charge, who is in control


def field(config):
    """Return the (Field, configuration) of a site, on a FAKE board."""
    config = load(json.dumps(config).encode())[0]
    return Field(config, FakePlatform(None), 100, profiles()), config


def check(config):
    """Return the tight buses' sentences; raises ConfigError as the board would."""
    return budget.check(*field(config))


def changed(site, **changes):
    """Return a reference site with other values; a key with __ goes down, a number is an index."""
    config = copy.deepcopy(SITES[site])
    for key, value in changes.items():
        *parents, last = key.split("__")
        node = config
        for parent in parents:
            node = node[int(parent)] if parent.isdigit() else node[parent]
        node[last] = value
    return config


@settings(max_examples=40, deadline=None)
@given(baud=st.sampled_from((9600, 19_200, 38_400, 57_600, 115_200)), parity=st.sampled_from("NE"),
       stop_bits=st.integers(1, 2), period_ms=st.integers(20, 1000), pause_ms=st.integers(0, 200))
def test_the_pcs_bus_costs_what_its_bytes_silences_and_pauses_cost(baud, parity, stop_bits, period_ms, pause_ms):
    config = changed("hyperscale", control__period_ms=period_ms, devices__2__turnaround_ms=pause_ms)
    config["buses"][1] |= {"baud": baud, "parity": parity, "stop_bits": stop_bits}
    made, config = field(config)
    load_of_bus = budget.loads(made, config["buses"], period_ms * 1000)[1]
    char_s = (9 + (parity == "E") + stop_bits) / baud
    silence_s = 0.00175 if baud > 19_200 else 3.5 * char_s

    def cost_s(count):
        return count * char_s + max(silence_s, pause_ms / 1000) + silence_s

    period_s = period_ms / 1000
    busy_s = cost_s(PCS_READ + 1) + cost_s(PCS_SET) + period_s * (
        cost_s(PCS_BEAT) + sum(cost_s(count + extra) for count, extra in PCS_SLOW))
    assert load_of_bus.busy_us == pytest.approx(busy_s * 1e6, rel=0.006, abs=30)
    assert load_of_bus.permille == pytest.approx(busy_s / period_s * 1000, rel=0.006, abs=2)


@settings(max_examples=40, deadline=None)
@given(baud=st.sampled_from((9600, 19_200, 38_400, 115_200)), period_ms=st.integers(20, 1000),
       pause_ms=st.integers(0, 60))
def test_the_chain_is_the_meters_one_after_another_and_then_the_set_point(baud, period_ms, pause_ms):
    config = changed("edge", control__period_ms=period_ms, buses__0__baud=baud)
    for device in config["devices"][:3]:
        device["turnaround_ms"] = pause_ms
    made, config = field(config)
    meters, pcs = budget.loads(made, config["buses"], period_ms * 1000)
    char_us = 10_000_000 / baud
    silence_us = 1750 if baud > 19_200 else 3.5 * char_us
    longest_us = 21 * char_us + max(silence_us, pause_ms * 1000) + silence_us
    assert meters.chain_us == pytest.approx(2 * longest_us, rel=0.002, abs=20)  # load and wind, not the grid
    assert pcs.chain_us == pytest.approx(2 * longest_us + 31 * 10_000_000 / 115_200, rel=0.002, abs=20)
    grid = [r for r in meters.requests if r.role == "grid"][0]
    assert grid.times(period_ms * 1000) == (4000 if period_ms >= 400 else 1000)


@settings(max_examples=30, deadline=None)
@given(baud=st.sampled_from((4800, 9600, 19_200, 38_400, 115_200)), pause_ms=st.integers(0, 300))
def test_the_shortest_period_holds_and_the_next_shorter_does_not(baud, pause_ms):
    made, config = field(changed("edge", buses__0__baud=baud, devices__1__turnaround_ms=pause_ms))
    shortest_ms = budget.shortest_ms(made, config["buses"])
    assume(shortest_ms > 1)

    def fits(period_ms):
        return all(one.fits() for one in budget.loads(made, config["buses"], period_ms * 1000))

    assert fits(shortest_ms) and not fits(shortest_ms - 1)


@pytest.mark.parametrize("site", SITES)
def test_the_reference_sites_can_hold_their_schedules(site):
    tight = check(SITES[site])
    assert [text[:5] for text in tight] == {"edge": [], "hyperscale": ["bus 1"]}[site]


def test_a_schedule_that_cannot_hold_is_refused_with_its_numbers_and_what_to_change():
    with pytest.raises(ConfigError) as caught:
        check(changed("edge", control__period_ms=100, buses__0__baud=9600))
    text = caught.value.detail
    for part in ("buses[0]: bus 0 at 9600 bit/s", "a period of 100000 us", "permille", "load unit 1 read 19 bytes",
                 "grid unit 2 read 19 bytes", "raise its baud", "a bus of its own", "control.period_ms to at least"):
        assert part in text
    advised_ms = int(text.rsplit(" ", 1)[1])
    check(changed("edge", control__period_ms=advised_ms, buses__0__baud=9600))


def test_a_set_point_that_comes_too_late_for_the_tick_is_refused():
    with pytest.raises(ConfigError, match="set point out after .* us, at most 75000 us"):
        check(changed("hyperscale", control__period_ms=100, devices__0__turnaround_ms=80))


def test_a_period_that_nothing_makes_long_enough_is_said_to_be_so():
    with pytest.raises(ConfigError, match="no control.period_ms up to 1000 is long enough"):
        check(changed("edge", devices__3__turnaround_ms=400))


def test_a_tight_schedule_is_noted_when_the_board_starts():
    notes = []
    made, config = field(SITES["hyperscale"])
    BusWatch(made, config, lambda *note: notes.append(note))
    (source, code, text), = notes
    assert (source, code) == ("bus", "BUS_TIGHT") and "bus 1 at 115200 bit/s" in text


def test_a_gap_that_a_device_needs_counts_for_it_alone():
    made, config = field(SITES["edge"])
    before = budget.loads(made, config["buses"], 100_000)[0]
    request = [r for r in before.requests if r.role == "grid"][0]
    assert request.alone_us - request.total_us == 20_000 - made.buses[0].silence_us  # GAP_US of an SDM630
    assert before.busy_us == sum((r.total_us * 100_000 + r.every_us - 1) // r.every_us for r in before.requests)


def watched(minutes):
    """Let a watch see minutes, each (looks with the feed-forward open, busy us a second, requests of unit 2)."""
    notes = []
    made, config = field(SITES["edge"])
    watch = BusWatch(made, config, lambda *note: notes.append(note))
    bus = made.buses[0]
    for waiting, busy_us, requests in minutes:
        for i in range(LOOKS):
            bus.cells[k.DIRECT] = 2 if i < waiting else 0
            bus.cells[k.BUSY_US] = (bus.cells[k.BUSY_US] + busy_us) & 0x3FFFFFFF
            cell = bus.device(2).at + k.REQUESTS
            bus.cells[cell] = (bus.cells[cell] + requests) & 0x3FFFFFFF
            watch.look()
    return notes, watch


@pytest.mark.parametrize("minute", [(SLOW_LOOKS, 300_000, 4), (0, 990_000, 4)])
def test_a_slow_bus_is_told_once_with_the_device_that_takes_most_and_told_when_it_is_over(minute):
    notes, watch = watched([(0, 300_000, 1), minute, minute, (0, 300_000, 1), (0, 300_000, 1)])
    assert [note[1] for note in notes] == ["BUS_SLOW", "BUS_OK"]
    assert "bus 0" in notes[0][2] and "grid (unit 2): 240 requests" in notes[0][2]
    assert watch.statistics() == [[0, 300, 0], [1, 0, 0]]


@given(st.lists(st.tuples(st.integers(0, SLOW_LOOKS - 1), st.integers(0, 950_000), st.integers(0, 9)), max_size=4))
@settings(max_examples=20, deadline=None)
def test_a_bus_that_keeps_its_time_is_never_called_slow(minutes):
    assert watched(minutes)[0] == []
