"""The firmware's CBOR against cbor2, both ways, and against random bytes."""

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from firmware.core import cbor
from firmware.core.errors import LogError

U64 = 2**64
EDGES = [sign * 2**bits - one for bits in (0, 5, 8, 16, 30, 31, 32, 63) for one in (0, 1) for sign in (1, -1)]
integers = st.integers(-U64, U64 - 1) | st.sampled_from(EDGES)
keys = st.integers(-(2**31), 2**31) | st.text(max_size=6)
scalars = integers | st.binary(max_size=300) | st.text(max_size=40) | st.none() | st.booleans()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=30)
                      | st.dictionaries(keys, inner, max_size=6), max_leaves=25)


def depth(value):
    """Return how deep a value nests."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner), default=0) if isinstance(value, (dict, list)) else 0


@given(values.filter(lambda value: depth(value) <= 8))
def test_round_trip(value):
    data = cbor.encode(value)
    back, end = cbor.decode(data)
    assert end == len(data) and back == value and cbor2.loads(data) == value


@given(st.recursive(scalars, lambda inner: st.lists(inner, max_size=10)
                    | st.dictionaries(st.integers(0, 2**32), inner, max_size=8), max_leaves=20))
def test_same_bytes_as_cbor2(value):
    # cbor2's canonical form sorts keys by length first, which agrees for unsigned integers
    assert cbor.encode(value) == cbor2.dumps(value, canonical=True)


@given(st.dictionaries(keys, st.none(), max_size=8))
def test_map_keys_ascend_bytewise(value):
    order = [cbor2.dumps(key) for key in cbor2.loads(cbor.encode(value))]
    assert order == sorted(order)


def accepted(data):
    """Return (value, end) if decode() takes the data, None if it refuses in its own words."""
    try:
        return cbor.decode(data)
    except LogError as error:
        assert error.code.startswith("CBOR_") and error.detail
        return None


@given(st.binary(max_size=60))
def test_random_bytes_are_refused_in_words_or_are_what_encode_writes(data):
    found = accepted(data)
    if found:
        assert cbor.encode(found[0]) == data[: found[1]]


@given(values.filter(lambda value: depth(value) <= 8), st.data())
def test_one_changed_byte_is_refused_or_another_value(value, data):
    good = bytearray(cbor.encode(value))
    at = data.draw(st.integers(0, len(good) - 1))
    good[at] ^= data.draw(st.integers(1, 255))
    found = accepted(bytes(good))
    if found and found[1] == len(good):
        assert cbor.encode(found[0]) == bytes(good)
