"""A record made in one buffer is, byte for byte, the one that the tables make; and what they refuse is refused."""

from binascii import unhexlify
from hashlib import sha256

from firmware.core import cbor, cbor_plan
from firmware.core.errors import LogError
from firmware.log import layout, planned, record, swift
from firmware.log.page import Page
from tests.device.record_fields import LONGEST, full, interval, longest
from tests.device.test_record import drain, example

HASHES = [bytes([65 + i]) * 32 for i in range(3)]
SIGNATURE = bytes(range(64))
PROTECTED = b"\xa1\x01\x26"
PREV = b"prev" * 8


def by_tables(made, seq, boot):
    """Return (record, digest) as the tables make it."""
    body = drain(layout.payload(made, seq, boot, PREV, *HASHES))
    return bytes(record.envelope(PROTECTED, body, SIGNATURE)), sha256(record.to_be_signed(PROTECTED, body)).digest()


def same(page, made, seq=3, boot=1):
    """See that page and tables agree; return the record."""
    drain(page.fill(made, seq, boot, PREV))
    digest, body = page.digest(), page.body()
    whole = bytes(page.sealed(SIGNATURE))
    assert (whole, digest) == by_tables(made, seq, boot)
    assert body in whole
    return whole


def test_the_examples_and_a_full_record_are_those_of_the_tables():
    page = Page(PROTECTED, *HASHES)
    made = [interval(row["fields"]) for row in example()["records"]]
    made.append(full())
    for i in (0, 1, 2, 3, 0, 3, 1, 0):
        same(page, made[i])


def test_every_length_of_number_and_sequence():
    page = Page(PROTECTED, *HASHES)
    made = full()
    for bits in (0, 4, 5, 8, 9, 16, 17, 29, 30, 31, 32, 33, 62, 63):
        for number in ((1 << bits) - 1, 1 << bits, (1 << bits) + 1):
            number = min(number, (1 << 63) - 1)
            made.uptime_ms = made.loss_wh = made.start_ms = made.fuel_ml = made.clock_age_s = number
            made.trueup_wh = made.residual_wh = made.clock_error_ms = -number
            made.sources_wh = [number, 0, number, 1, number]
            made.pool_end = [number, number, number, number % 1_000_000]
            made.carbon_direct_ug = [number] * 6
            made.meters = [[5, number, 0, number, 0, 6]]
            made.registers = [[5, 2, None, number, number, None, -number, number], [1, 3] + [None] * 6]
            made.events = [number, PREV]
            made.witness = [number, PREV, number]
            same(page, made, number, number + 1)
    made.soc_permille = made.witness = made.fuel_ml = made.work = made.fuel_mg_per_l = made.start_ms = None
    made.meters, made.registers, made.serials = [], [], []
    same(page, made)


def test_what_only_the_tables_write_is_written():
    page = Page(PROTECTED, *HASHES)
    made = full()
    made.carbon_direct_ug = [(1 << 64) - 1] * 6
    same(page, made)
    made.registers[0][2] = 1 << 63
    same(page, made)


def test_the_longest_record_fits():
    page = Page(PROTECTED, *HASHES)
    assert len(same(page, longest(), LONGEST, LONGEST)) > 1500


def test_one_key_change_later_it_goes_on_under_the_other_header():
    page = Page(b"\xa1\x01\x27", *HASHES)
    drain(page.fill(full(), 1, 1, PREV))
    page.sealed(SIGNATURE)
    page.protect(PROTECTED)
    same(page, full())


WRONG = (("start_ms", -1), ("duration_ms", "1"), ("uptime_ms", None), ("clock", 1.5), ("clock_error_ms", 1 << 63),
         ("residual_wh", -(1 << 63) - 1), ("loss_wh", -1), ("loss_wh", -(1 << 40)), ("loss_wh", 1 << 64),
         ("sources_wh", [1, 2, 3, 4]), ("sources_wh", [1] * 6), ("sources_wh", [1] * 3000), ("uses_wh", None),
         ("uses_wh", [1, -2, 3, 4]), ("meters", [[1, 2, 3]]), ("meters", 3), ("meters", [[1] * 3000]),
         ("meters", [[1, 2, 3, 4, None, 6]]), ("grid_factor", [None, None, None]), ("pool_end", [1, 2, 3, -4]),
         ("pool_end", [1, -(1 << 45), 3, 4]), ("carbon_lifecycle_ug", [1, 2, 3, 4, 5, 1 << 64]),
         ("carbon_lifecycle_ug", [1, 2, 3, 4, 5, 1 << 70]), ("registers", [[0, 0, -1, 0, 0, 0, 0, 0]]),
         ("registers", [[0, None, 0, 0, 0, 0, 0, 0]]), ("registers", [[0] * 9]), ("registers", [[0] * 3000]),
         ("registers", [[0, 0, 0, 0, 0, 0, 0, 1 << 63]]), ("events", [1, b"31"]), ("events", None),
         ("witness", [1, 2]), ("witness", [1, b"", 1]), ("serials", [[1, ""]]), ("serials", [[1, 2]]),
         ("serials", None),
         ("fuel_mg_per_l", [1]), ("fuel_ml", -1), ("work", "3"), ("soc_permille", -1))


def test_what_the_tables_refuse_is_refused():
    for name, value in WRONG:
        page = Page(PROTECTED, *HASHES)
        made = full()
        setattr(made, name, value)
        try:
            drain(page.fill(made, 3, 1, PREV))
        except LogError as error:
            assert error.code in ("RECORD_FIELD", "CBOR_RANGE"), name
        else:
            raise AssertionError("%s not refused: %s" % (name, value))
        same(page, full())
    made = full()
    del made.ticks
    try:
        drain(page.fill(made, 3, 1, PREV))
        raise AssertionError("not refused")
    except LogError as error:
        assert error.code == "RECORD_FIELD"


def test_a_record_that_is_too_long_is_refused():
    page = Page(bytes(1400), *HASHES)
    drain(page.fill(full(), 3, 1, PREV))
    try:
        page.sealed(SIGNATURE)
        raise AssertionError("not refused")
    except LogError as error:
        assert error.code == "RECORD_SIZE"


def test_the_vectors_are_made_again_in_the_buffer():
    given = example()
    hashes = [unhexlify(given[name]) for name in ("firmware", "config", "factor_table")]
    page = Page(unhexlify(given["protected"]), *hashes)
    for row in given["records"]:
        whole = unhexlify(row["record"])
        frame = record.Frame(memoryview(whole), len(whole))
        drain(page.fill(interval(row["fields"]), row["seq"], row["boot"], frame.links(whole)[3]))
        assert page.digest() == unhexlify(row["signed_sha256"])
        assert bytes(page.sealed(whole[-64:])) == whole


def test_without_the_machines_own_way_the_bytes_are_the_same():
    own = cbor_plan.fast
    try:
        cbor_plan.fast = None
        for made in (full(), longest(), interval(example()["records"][0]["fields"])):
            same(Page(PROTECTED, *HASHES), made)
        test_every_length_of_number_and_sequence()
        test_what_only_the_tables_write_is_written()
    finally:
        cbor_plan.fast = own


def test_where_the_machine_has_its_own_way_it_is_taken():
    writer = Page(PROTECTED, *HASHES)._put_interval
    assert writer is (planned.put_interval if cbor_plan.fast else swift.put_interval)
    if cbor_plan.fast:
        made, page = full(), Page(PROTECTED, *HASHES)
        drain(page.fill(made, 3, 1, PREV))
        own, plain = bytearray(2200), bytearray(2200)
        size = planned.put_interval(own, 3, 1, PREV, HASHES, made, b"serials!!")
        assert size == swift.put_interval(plain, 3, 1, PREV, HASHES, made, b"serials!!")
        assert own[:size] == plain[:size]


def test_a_way_that_does_not_agree_is_not_taken():
    def wrong(out, values, plan, examples):
        return 0

    def wrong_once(out, values, plan, examples):
        data = cbor.encode(values)
        out[:len(data)] = data
        out[len(data) - 40] ^= 1
        return len(data)

    def right(out, values, plan, examples):
        data = cbor.encode(values)
        out[:len(data)] = data
        return len(data)

    assert not planned.agrees(wrong) and not planned.agrees(wrong_once) and planned.agrees(right)
