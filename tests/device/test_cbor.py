"""Deterministic CBOR on any runtime: the examples of RFC 8949 appendix A, as far as it has them; refusals."""

import json
from binascii import hexlify, unhexlify

from firmware.core import cbor
from firmware.core.errors import LogError


def vectors(part):
    """Return one part of the vectors."""
    with open("tests/vectors/cbor.json") as file:
        return json.load(file)[part]


def value_of(row):
    """Return the value of a row: hex of bytes under "bytes", pairs under "map", else as it stands."""
    if "bytes" in row:
        return unhexlify(row["bytes"])
    if "map" in row:
        return {key: value for key, value in row["map"]}
    if "tag" in row:
        return cbor.Tagged(row["tag"], row["value"])
    if "int" in row:
        return int(row["int"])
    return row["value"]


def code_of(data):
    """Return the code with which decode() refuses, None if it does not."""
    try:
        cbor.decode(data)
    except LogError as error:
        return error.code
    return None


def test_examples_both_ways():
    for row in vectors("good"):
        value = value_of(row)
        data = unhexlify(row["hex"])
        assert cbor.encode(value) == data, row["hex"]
        back, end = cbor.decode(data)
        assert end == len(data)
        if "tag" in row:
            assert (back.tag, back.value) == (value.tag, value.value)
        else:
            assert back == value and type(back) is type(value), row["hex"]


def test_refusals():
    for row in vectors("bad"):
        assert code_of(unhexlify(row["hex"])) == row["code"], row["hex"]


def test_every_cut_of_a_message_is_refused():
    data = cbor.encode({1: [1, -500, b"abc", "text", None, True], 2: {"a": 1 << 40}})
    for end in range(len(data)):
        assert code_of(data[:end]) == "CBOR_TRUNCATED", end


def test_map_order_is_that_of_the_encoded_keys():
    data = cbor.encode({"b": 1, 24: 2, -1: 3, 10: 4, "aa": 5, 1000: 6})
    assert hexlify(data) == b"a60a0418180219" + b"03e806" + b"2003" + b"616201" + b"62616105"


def test_decode_goes_on_from_a_position_and_takes_views():
    data = memoryview(cbor.encode(7) + cbor.encode(b"xy"))
    first, pos = cbor.decode(data)
    second, end = cbor.decode(data, pos)
    assert (first, second, end) == (7, b"xy", 4)


def test_what_cannot_be_encoded_is_refused():
    for value, code in ((1.5, "CBOR_TYPE"), (1 << 64, "CBOR_RANGE"), (-(1 << 64) - 1, "CBOR_RANGE"),
                        ({b"k": 1}, "CBOR_KEY"), ({1.5: 1}, "CBOR_KEY"), ({1, 2}, "CBOR_TYPE")):
        try:
            cbor.encode(value)
            raise AssertionError(code)
        except LogError as error:
            assert error.code == code


def test_depth_is_limited():
    deep = 1
    for _ in range(8):
        deep = [deep]
    assert cbor.decode(cbor.encode(deep))[0] == deep
    assert code_of(cbor.encode([deep])) == "CBOR_DEPTH"
