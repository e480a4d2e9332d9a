"""drivers.line.blocks against all ways to cover the registers, and its costs against what a bus takes."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from firmware.drivers.line import blocks

SPANS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from((1, 2, 4))), min_size=1, max_size=7)


def placed(gaps):
    """Return spans from (gap before, words)."""
    found, at = [], 100
    for gap, words in gaps:
        found.append((at + gap, words))
        at += gap + words
    return found


def every_way(spans, most, bridges):
    """Return all coverings as lists of (address, count)."""
    ways = []
    for cuts in itertools.product((False, True), repeat=len(spans) - 1):
        groups = [[spans[0]]]
        for span, cut in zip(spans[1:], cuts):
            if cut:
                groups.append([])
            groups[-1].append(span)
        way = [(group[0][0], group[-1][0] + group[-1][1] - group[0][0]) for group in groups]
        whole = [count == sum(words for _, words in group) for (_, count), group in zip(way, groups)]
        if all(count <= most for _, count in way) and (bridges or all(whole)):
            ways.append(way)
    return ways


def cost(way, request_us, word_us):
    return len(way) * request_us + sum(count for _, count in way) * word_us


@given(SPANS, st.integers(4, 60), st.integers(1, 60_000), st.integers(1, 2_000), st.booleans())
def test_no_other_covering_is_cheaper(gaps, most, request_us, word_us, bridges):
    spans = placed(gaps)
    found = blocks.plan(spans, most, request_us, word_us, bridges)
    ways = every_way(spans, most, bridges)
    assert found in ways
    assert cost(found, request_us, word_us) == min(cost(way, request_us, word_us) for way in ways)


@given(SPANS, st.integers(4, 60))
def test_even_tables_give_even_requests(gaps, most):
    spans = placed([(2 * gap, 2 * words) for gap, words in gaps])
    for address, count in blocks.plan(spans, 2 * most, 30_000, 100):
        assert address % 2 == 0 and count % 2 == 0


class FakeBus:
    def __init__(self, baud):
        self.char_us = -(-10_000_000 // baud)
        self.silence_us = 1750 if baud > 19_200 else (7 * self.char_us + 1) // 2


def test_neighbours_are_merged_while_that_is_cheaper_than_another_request():
    near, far = [(0x33, 1), (0x3B, 2)], [(0x33, 1), (0x93, 2)]
    for baud, spans, count in ((115_200, near, 1), (9600, near, 1), (115_200, far, 1), (9600, far, 2)):
        bus = FakeBus(baud)
        plan = blocks.plan(spans, 125, blocks.request_us(bus, 20_000, 0), blocks.word_us(bus))
        assert len(plan) == count, (baud, spans)


def test_a_request_costs_what_the_wire_takes():
    bus = FakeBus(9600)  # a read of 2 registers: 8 and 9 characters, a silence before and one behind the answer
    total_us = blocks.request_us(bus, 1000, 0) + 2 * blocks.word_us(bus)
    assert total_us == 17 * bus.char_us + 2 * bus.silence_us + 1000
    assert blocks.request_us(bus, 1000, 20_000) - blocks.request_us(bus, 1000, 0) == 20_000 - bus.silence_us


def test_nothing_to_read_is_no_block():
    assert blocks.plan([], 125, 1, 1) == []
