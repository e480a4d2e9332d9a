"""The quick way of reading intervals says yes exactly where the long way does, and gives the same values."""

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.evidence import cbor, fields
from host_tools.evidence.carbon import expected_mix, expected_uses
from host_tools.evidence.layout import Reader
from tests.evidence_writer import apportion, day
from tests.tamper import parts

SETTINGS = settings(deadline=None, max_examples=400)
NUMBER = st.one_of(st.integers(-(2**64), 2**64 - 1), st.integers(-300, 300), st.sampled_from(
    [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1, -1, -24, -25, -(2**63)]))
VALUE = st.none() | NUMBER | st.booleans() | st.binary(max_size=33) | st.text(max_size=3) | st.floats()


def payloads():
    return [parts(record)[2] for record in day(6).sealed()]


def long_way(payload):
    try:
        record = cbor.decode(payload)
    except cbor.CborError as error:
        return None, error.kind, None
    return record, None, fields.check(record)


def agrees(payload):
    """Read a payload with readers that know its like; both give what the long way gives."""
    expected = long_way(payload)
    for whole in (True, False):
        reader = Reader(whole)
        for known in payloads()[:2]:
            assert reader.read(known)[1:] == (None, None)
        record, error, fault = reader.read(payload)
        assert (error.kind if error else None, fault) == expected[1:]
        if whole or fault or error:
            assert record == expected[0] and repr(record) == repr(expected[0])
        else:
            assert {key: record[key] for key in range(1, 15)} == {key: expected[0][key] for key in range(1, 15)}
    return expected[1:] == (None, None)


def test_like_records_are_read_the_quick_way(monkeypatch):
    reader = Reader()
    first, *others = payloads()
    reader.read(first)
    monkeypatch.setattr("host_tools.evidence.cbor.decode", None)
    for payload in others:
        assert reader.read(payload) == (cbor2.loads(payload), None, None)


def test_a_board_that_has_changed_its_meters_often_is_still_read_the_quick_way(monkeypatch):
    record, reader, long = cbor2.loads(payloads()[0]), Reader(), []
    decode = cbor.decode
    monkeypatch.setattr("host_tools.evidence.cbor.decode", lambda payload: long.append(1) or decode(payload))
    for number in range(40):  # each with serial numbers of its own: another shape
        payload = cbor2.dumps(record | {44: [[role, f"N-{number}"] for role in range(4)]})
        for _ in range(300):
            assert reader.read(payload)[1:] == (None, None)
    assert len(reader._layouts) == 16
    assert len(long) <= 16 + 24 * 256
    long.clear()
    for _ in range(300):
        reader.read(payload)
    assert not long


@SETTINGS
@given(st.data())
def test_a_changed_value_is_judged_alike(data):
    record = cbor2.loads(data.draw(st.sampled_from(payloads())))
    key = data.draw(st.sampled_from(sorted(record)))
    place = record[key]
    if type(place) is list and place and data.draw(st.booleans()):
        index = data.draw(st.integers(0, len(place) - 1))
        if type(place[index]) is list:
            place, index = place[index], data.draw(st.integers(0, len(place[index]) - 1))
        place[index] = data.draw(VALUE)
    else:
        record[key] = data.draw(VALUE)
    agrees(cbor2.dumps(record))


@SETTINGS
@given(st.data())
def test_changed_bytes_are_judged_alike(data):
    payload = bytearray(data.draw(st.sampled_from(payloads())))
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(payload) - 1))
        cut = data.draw(st.integers(0, 3))
        payload[position : position + cut] = data.draw(st.binary(max_size=4))
    agrees(bytes(payload))


@pytest.mark.parametrize("key, place, values", [
    (1, None, (0, 1, 2)), (2, None, (0, 1, 2, 3, 4)), (4, None, (0, 1)),
    (10, None, (0, 1, 900_000, 900_001)), (19, None, (1 << 2, 1 << 16, 1 << 17, 1 << 31)),
    (27, 3, (999_999, 1_000_000)), (31, None, (None, 0, 1000, 1001, -1)), (14, None, (2**63 - 1, 2**63, -(2**63))),
    (18, None, (0, 9, 10, 11)), (34, 2, (0, 3, 4)),
])
def test_limits_are_judged_alike(key, place, values):
    for value in values:
        record = cbor2.loads(payloads()[3])
        if place is None:
            record[key] = value
        else:
            record[key][place] = value
        agrees(cbor2.dumps(record))


@SETTINGS
@given(st.lists(st.sampled_from([0, 1, 7]) | st.integers(0, 10**15), min_size=5, max_size=5),
       st.lists(st.sampled_from([0, 1, 3]) | st.integers(0, 300_000), min_size=4, max_size=4))
def test_split_is_that_of_the_rule(lumps, uses):
    total = sum(uses)
    assert expected_uses(lumps, uses, total) == [sum(part) for part in zip(*(apportion(x, uses) for x in lumps))]
    assert expected_mix(lumps, uses, total) == [apportion(lump, uses)[0] for lump in lumps]
