"""Name the tables of the store: the same for SQLite and PostgreSQL.

`records` holds each record once, as the bytes that came. `boards` holds how far each board's records are known without
a hole, which is what a board is told. `quarantine` holds whatever came and was not believed, with the reason.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

META = MetaData()
_ID = 64  # bytes of a site's or a device's name, by SPEC.md
_BIG = BigInteger().with_variant(Integer, "sqlite")

RECORDS = Table(
    "records", META,
    Column("site", String(_ID), nullable=False),
    Column("device", String(_ID), nullable=False),
    Column("seq", _BIG, nullable=False),
    Column("start_ms", _BIG),  # UTC; null while the board knew none
    Column("prev", LargeBinary, nullable=False),
    Column("signed_hash", LargeBinary, nullable=False),  # what the next record's prev must be
    Column("raw", LargeBinary, nullable=False),
    Column("received_ms", _BIG, nullable=False),
    PrimaryKeyConstraint("site", "device", "seq"),
)

BOARDS = Table(
    "boards", META,
    Column("site", String(_ID), nullable=False),
    Column("device", String(_ID), nullable=False),
    Column("size", _BIG, nullable=False),  # records 0 .. size-1 are stored and follow each other
    Column("last_hash", LargeBinary, nullable=False),
    Column("last_start_ms", _BIG),
    Column("seen_ms", _BIG, nullable=False),  # when anything came last
    Column("status", Text),  # JSON, as the board said it
    Column("status_ms", _BIG),
    Column("checkpoint", LargeBinary),
    Column("checkpoint_size", _BIG),
    PrimaryKeyConstraint("site", "device"),
)

EVENTS = Table(
    "events", META,
    Column("site", String(_ID), nullable=False),
    Column("device", String(_ID), nullable=False),
    Column("seq", _BIG, nullable=False),
    Column("line", LargeBinary, nullable=False),
    PrimaryKeyConstraint("site", "device", "seq"),
)

QUARANTINE = Table(
    "quarantine", META,
    Column("id", _BIG, primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("code", String(64), nullable=False),
    Column("what", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("received_ms", _BIG, nullable=False),
    Index("quarantine_once", "digest", "code", unique=True),  # a broker repeats itself; the store does not
)

NUMBERS = Table(
    "numbers", META,  # of the messages signed for boards: never the same twice under one key
    Column("kid", LargeBinary, primary_key=True),
    Column("number", _BIG, nullable=False),
)
