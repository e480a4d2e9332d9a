"""A record on any runtime: the examples of SPEC.md byte for byte, taken apart again, and refusals."""

import json
from binascii import hexlify, unhexlify
from hashlib import sha256

from firmware.core import cbor
from firmware.core.errors import LogError
from firmware.core.types import Interval
from firmware.log import layout, record
from tests.device.record_fields import interval


def example():
    """Return the vectors of the records."""
    with open("tests/vectors/record_few.json") as file:
        return json.load(file)


def drain(generator):
    """Return what a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def payload(made, given):
    """Return the payload of an Interval at the place that the example gives it."""
    hashes = [unhexlify(given[name]) for name in ("firmware", "config", "factor_table")]
    return drain(layout.payload(made, given["seq"], given["boot"], given["prev"], *hashes))


def refused(function, *arguments):
    """Return the code with which a call is refused."""
    try:
        function(*arguments)
    except LogError as error:
        return error.code
    raise AssertionError("not refused")


def test_examples_are_made_again():
    given = example()
    protected = record.protected_header(given["site"], given["device"], unhexlify(given["keys"][0]["kid"]))
    assert protected == unhexlify(given["protected"])
    for row in given["records"]:
        whole = unhexlify(row["record"])
        frame = record.Frame(memoryview(whole), len(whole))
        given["seq"], given["boot"], given["prev"] = row["seq"], row["boot"], frame.links(whole)[3]
        body = payload(interval(row["fields"]), given)
        assert body == whole[frame.body_at : frame.body_end], row["name"]
        assert bytes(record.envelope(protected, body, whole[-64:])) == whole
        digest = sha256(record.to_be_signed(protected, body)).digest()
        assert digest == frame.digest(memoryview(whole)) == unhexlify(row["signed_sha256"])


def test_payloads_decode():
    for row in example()["records"]:
        whole = unhexlify(row["record"])
        frame = record.Frame(whole, len(whole))
        fields, end = cbor.decode(whole, frame.body_at)
        assert end == frame.body_end and frame.length == len(whole)
        kind, seq, boot, prev, firmware, config = frame.links(whole)
        assert (fields[2], fields[3], fields[4], fields[5]) == (kind, seq, boot, prev)
        assert (seq, boot) == (row["seq"], row["boot"])
        assert fields[6] == firmware and fields[7] == config


def test_every_cut_is_no_record():
    whole = unhexlify(example()["records"][1]["record"])
    for end in range(len(whole)):
        assert refused(record.Frame, whole[:end], end)
    assert record.Frame(whole + b"more", len(whole) + 4).length == len(whole)


def test_foreign_framing_is_refused():
    whole = unhexlify(example()["records"][1]["record"])
    frame = record.Frame(whole, len(whole))
    for at in (0, 1, 2, frame.protected_end, frame.protected_end + 1, frame.body_end, frame.body_end + 1):
        spoilt = bytearray(whole)
        spoilt[at] ^= 0x21
        assert refused(record.Frame, spoilt, len(spoilt)), at


def test_wrong_fields_are_refused():
    given = example()
    given["seq"], given["boot"], given["prev"] = 0, 1, bytes(32)
    good = given["records"][0]["fields"]
    del given["records"]
    for name, value in (("duration_ms", -1), ("uptime_ms", None), ("clock", "1"), ("clock_error_ms", 1 << 63),
                        ("residual_wh", -(1 << 63) - 1), ("loss_wh", -1), ("sources_wh", [1, 2, 3, 4]),
                        ("uses_wh", None), ("meters", [[1, 2, 3]]), ("meters", 3),
                        ("grid_factor", [None, None, None]), ("pool_end", [1, 2, 3, -4]),
                        ("ticks", [1, 2, 3, 4, False]), ("soc_permille", 1.5),
                        ("events", None), ("events", [1, bytes(31)]), ("events", [None, bytes(32)]),
                        ("witness", [1, bytes(32)]), ("witness", [1, None, 2]), ("fuel_ml", -1),
                        ("fuel_mg_per_l", [1]), ("serials", [[1, ""]]), ("serials", [[1, "s" * 33]]),
                        ("serials", [[1, 2]]), ("serials", [[None, "s"]]), ("work", "3")):
        made = interval(good)
        setattr(made, name, value)
        assert refused(payload, made, given) == "RECORD_FIELD", name
    made = interval(good)
    made.loss_wh = 1 << 64
    assert refused(payload, made, given) == "CBOR_RANGE"
    bare = Interval(1)
    assert refused(payload, bare, given) == "RECORD_FIELD"
    assert refused(payload, Interval(4), given) == "RECORD_KIND"
    for ids in (("", "d"), ("s" * 65, "d"), ("s", "\u00e4" * 33)):
        assert refused(record.protected_header, ids[0], ids[1], b"12345678") == "RECORD_ID"
    assert refused(record.envelope, b"p", bytes(2000), bytes(64)) == "RECORD_SIZE"


def test_hex_of_the_example_begins_as_the_format_says():
    assert hexlify(unhexlify(example()["records"][0]["record"])[:4]) == b"d2845844"
