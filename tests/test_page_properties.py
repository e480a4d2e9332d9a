"""Properties of a record made in one buffer: the bytes of the tables for what the tables take, refused otherwise."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core.errors import LogError
from firmware.log import layout
from firmware.log.page import Page
from tests.device.record_fields import full
from tests.device.test_page import HASHES, PREV, PROTECTED, by_tables
from tests.device.test_record import drain

NUMBER = st.one_of(st.integers(0, 30), st.integers(0, 70_000), st.integers(0, 2**33), st.integers(0, 2**64 - 1))
SIGNED = st.one_of(st.integers(-30, 30), st.integers(-(2**33), 2**33), st.integers(-(2**63), 2**63 - 1))
HASH = st.binary(min_size=32, max_size=32)
OF = {"u": NUMBER, "n": st.none() | NUMBER, "i": SIGNED, "s": st.none() | SIGNED, "h": HASH,
      "t": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)}
ODD = st.one_of(st.none(), st.just("x"), st.just(1.5), st.just(b"y"), st.integers(-(2**70), 2**70), st.lists(NUMBER),
                st.lists(st.lists(st.none() | SIGNED, max_size=9), max_size=7))


def _value(shape):
    """Return a strategy for the values of a shape of the tables."""
    kinds = shape.lstrip("*?")
    row = st.tuples(*(OF[kind] for kind in kinds)).map(list)
    if shape[0] == "*":
        return st.lists(row, max_size=6)
    return st.none() | row if shape[0] == "?" else row if len(kinds) > 1 else OF[shape]


FIELDS = {name: _value(shape) for _, name, shape in layout.INTERVAL_FIELDS}


def _changed(changes):
    made = full()
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@settings(max_examples=300)
@given(st.fixed_dictionaries({}, optional=FIELDS), NUMBER, st.integers(1, 2**64 - 1))
def test_property_what_the_tables_take_is_the_same_in_one_buffer(changes, seq, boot):
    page, made = Page(PROTECTED, *HASHES), _changed(changes)
    for _ in range(2):  # the second time in a used buffer
        drain(page.fill(made, seq, boot, PREV))
        digest = page.digest()
        assert (bytes(page.sealed(bytes(range(64)))), digest) == by_tables(made, seq, boot)


@settings(max_examples=300)
@given(st.sampled_from(sorted(FIELDS)), ODD)
def test_property_what_the_tables_refuse_is_refused(name, value):
    page, made = Page(PROTECTED, *HASHES), _changed({name: value})
    try:
        expected = by_tables(made, 1, 1)
    except LogError as error:
        expected = error.code
    try:
        drain(page.fill(made, 1, 1, PREV))
        digest = page.digest()
        got = bytes(page.sealed(bytes(range(64)))), digest
    except LogError as error:
        got = error.code
    assert got == expected
