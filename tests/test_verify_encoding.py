"""Other encodings of the same content, and content outside the format: refused, each with its own code."""

import cbor2
import pytest

from tests.evidence_writer import day, raw_signature, seal, to_be_signed
from tests.tamper import Case, found, parts


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Ten quarter hours of an untouched journal."""
    return Case(tmp_path_factory.mktemp("journal"), day(10))


def _reencoded(record, device):
    """Yield (name, bytes, expected code) of ways to write the same record otherwise."""
    yield from _other_payloads(record, device)
    yield from _other_framings(record)
    yield from _other_headers(record, device)


def _envelope(record, **changes):
    """Return the record with parts of its envelope changed: p protected, u unprotected, b body, s signature."""
    protected, _, payload, signature = parts(record)
    items = {"p": protected, "u": {}, "b": payload, "s": signature} | changes
    return cbor2.dumps(cbor2.CBORTag(18, list(items.values())))


def _other_payloads(record, device):
    payload = parts(record)[2]
    content = cbor2.loads(payload)
    swapped = dict([list(content.items())[1], list(content.items())[0], *list(content.items())[2:]])
    indefinite = b"\xbf" + b"".join(cbor2.dumps(k) + cbor2.dumps(v) for k, v in content.items()) + b"\xff"
    long_int = payload[:2] + b"\x01\x18\x01" + payload[4:]
    assert cbor2.loads(long_int) == cbor2.loads(indefinite) == cbor2.loads(cbor2.dumps(swapped)) == content
    unsorted = cbor2.dumps(swapped)
    for name, body in (("long integer", long_int), ("unsorted", unsorted), ("indefinite map", indefinite)):
        yield name, _envelope(record, b=body), "NOT_DETERMINISTIC"
        yield name + ", signed again", seal(device, body), "NOT_DETERMINISTIC"
    twice = payload[:1] + bytes([payload[1] + 1]) + payload[2:4] + payload[2:]
    yield "key twice", seal(device, twice), "PAYLOAD_BROKEN"
    yield "payload with a tail", seal(device, payload + b"\0"), "PAYLOAD_BROKEN"
    yield "float", seal(device, cbor2.dumps(content | {10: 900000.0})), "PAYLOAD_BROKEN"
    yield "tagged number", seal(device, cbor2.dumps(content | {9: cbor2.CBORTag(1, 5)})), "PAYLOAD_BROKEN"
    yield "bignum", seal(device, cbor2.dumps(content | {9: 1 << 64})), "PAYLOAD_BROKEN"
    yield "boolean", seal(device, cbor2.dumps(content | {12: True})), "PAYLOAD_BROKEN"
    yield "text", seal(device, cbor2.dumps(content | {9: "now"})), "FIELD_TYPE"


def _other_framings(record):
    protected, _, payload, _ = parts(record)
    yield "unprotected content", _envelope(record, u={4: b"12345678"}), "UNPROTECTED_CONTENT"
    yield "tag missing", record[1:], "TAG_WRONG"
    yield "tag 98", b"\xd8\x62" + record[1:], "TAG_WRONG"
    yield "tag in long form", b"\xd8\x12" + record[1:], "NOT_DETERMINISTIC"
    yield "array in long form", record[:1] + b"\x98\x04" + record[2:], "NOT_DETERMINISTIC"
    yield "indefinite array", record[:1] + b"\x9f" + record[2:] + b"\xff", "NOT_DETERMINISTIC"
    head = 4 + len(protected) + 1
    size = len(payload).to_bytes(4, "big")
    long_length = record[:head] + b"\x5a" + size + record[head + 3 :]
    yield "payload length in long form", long_length, "NOT_DETERMINISTIC"
    chunked = record[:head] + b"\x5f" + record[head:-66] + b"\xff" + record[-66:]
    yield "payload in chunks", chunked, "NOT_DETERMINISTIC"


def _other_headers(record, device):
    protected, _, payload, _ = parts(record)
    high = raw_signature(device.record_key, to_be_signed(protected, payload), True)
    yield "high s", record[:-64] + high, "HIGH_S"
    header = cbor2.loads(protected)
    for name, changed, code in (
        ("text key id", header | {4: header[4].hex()}, "HEADER_WRONG"),
        ("other algorithm", header | {1: -35}, "HEADER_WRONG"),
        ("other content type", header | {3: "text/plain"}, "HEADER_WRONG"),
        ("one more parameter", header | {16: 1}, "HEADER_WRONG"),
        ("header unsorted", dict(reversed(header.items())), "NOT_DETERMINISTIC"),
    ):
        yield name, seal(device, payload, cbor2.dumps(changed)), code


def test_other_encodings_are_refused_and_named(case):
    names = set()
    for name, record, code in _reencoded(case.records[4], case.device):
        names.add(name)
        result = case.judge(case.records[:4] + [record] + case.records[5:])
        assert found(result) == [(code, 4)], (name, found(result))
        assert result.integrity == "FAIL" and result.completeness != "PASS", name
    assert len(names) == 27


def test_fields_outside_the_format_are_named(tmp_path):
    trials = {
        "VERSION_UNKNOWN": [{1: 2}],
        "KIND_UNKNOWN": [{2: 4}, {2: 0}, {2: -1}],
        "FIELD_MISSING": [{2: 2}, {2: 3}],
        "FIELD_UNKNOWN": [{99: 0}],
        "FIELD_RANGE": [{10: 900_001}, {31: 1001}, {19: 4}, {23: [-1, 0, 0, 0, 0]}, {4: 0}, {18: 5},
                        {27: [0, 0, 0, 10**6]}, {5: b"1"}, {22: [[9, 0, 0, 0, 0, 0]]}, {22: [[0, 0, 0, 0, 0, 7]]},
                        {41: [1, b"r" * 31, 2]}, {42: -1}, {44: [[0, "s" * 33]]}, {44: [[0, ""]]},
                            {39: [[0, 4, None, None, None, None, None, None]]}],
        "FIELD_TYPE": [{23: [1, 2]}, {9: b""}, {7: 5}, {28: None}, {22: [[0, 1]]}, {37: [1, 2, 3, 4, None]}, {40: None},
                       {41: [1, 2]}, {43: "3"}, {44: [[0, 1]]}, {45: [1]}],
    }
    for code, change in ((code, change) for code, changes in trials.items() for change in changes):
        board = day(4)
        board.records[2] |= change
        assert found(Case(tmp_path, board).judge()) == [(code, 2)], change
    board = day(4)
    del board.records[2][31]
    assert found(Case(tmp_path, board).judge()) == [("FIELD_MISSING", 2)]
