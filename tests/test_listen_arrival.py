"""Whatever a broker brings, every byte of it ends as a record or set aside, and nothing is raised."""

from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.evidence import keys
from host_tools.listen.arrival import Arrivals
from tests.evidence_writer import Device, day, keys_document

_DEVICE = Device()
_RECORDS = day(6, 1, _DEVICE).sealed()
_KINDS = st.sampled_from(["records", "events", "status", "checkpoint", "command", ""])
_PIECES = st.one_of(st.binary(max_size=40), st.sampled_from(_RECORDS),
                    st.tuples(st.sampled_from(_RECORDS), st.integers(0, 600), st.integers(1, 255)).map(
                        lambda part: _flip(*part)))


def _flip(raw, at, bits):
    changed = bytearray(raw)
    changed[at % len(raw)] ^= bits
    return bytes(changed)


def _registry(tmp_path_factory):
    import json

    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_text(json.dumps(keys_document(_DEVICE)))
    return keys.load(path)


def test_property_records_are_believed_only_as_they_were_signed(tmp_path_factory):
    registry = _registry(tmp_path_factory)

    @settings(max_examples=300, deadline=None)
    @given(_KINDS, st.lists(_PIECES, max_size=6))
    def check(kind, pieces):
        arrivals, judges = Arrivals(registry), {}
        payload = b"".join(pieces)
        arrivals.take(f"evenkeel/north/cab-1/{kind}", payload, judges)
        assert all(record.raw in _RECORDS for record in arrivals.records)
        if kind == "records":
            kept = [record.raw for record in arrivals.records] + [one.raw for one in arrivals.refused]
            assert sum(map(len, kept)) == len(payload)
        elif payload and kind != "events":
            assert arrivals.refused
        assert all(one.code.isupper() and one.what for one in arrivals.refused)

    check()
