"""Keep what boards send in one database, each record once: SQLite by default, PostgreSQL by its URL.

One batch is one transaction. Nothing in here decides whether a record is genuine (arrival.py does); what it does decide
is order: a board's records are known up to `size` when 0 .. size-1 are all there and each names the one before.
"""

import hashlib
import json
import time
from collections import Counter, defaultdict

from sqlalchemy import create_engine, delete, event, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from host_tools.errors import ToolError
from host_tools.listen.schema import BOARDS, EVENTS, META, NUMBERS, QUARANTINE, RECORDS

_BUSY_S = 60
_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_ADVICE = "Give sqlite:///path/to/store.db, or postgresql+psycopg://user@host/name with the password in ~/.pgpass."
_FIRST_HASH = bytes(32)
_ROWS = 500  # a statement: SQLite takes 32,766 values


class StoreError(Exception):
    """The database refused the whole batch: disk full, gone, locked. Nothing of it is stored; try again later."""


class Board:
    """How far one board's records are known: `size` of them, the hash the next one must name, the highest seen."""

    def __init__(self, size=0, last_hash=_FIRST_HASH, last_start_ms=None):
        self.size, self.last_hash, self.last_start_ms = size, last_hash, last_start_ms
        self.number = None


class Store:
    """One database; use it from one thread."""

    def __init__(self, url):
        """Open it and make what tables are missing; ToolError where that cannot be."""
        try:
            self.engine = create_engine(url, connect_args={"timeout": _BUSY_S} if url.startswith("sqlite") else {})
            self._insert = _INSERTS[self.engine.dialect.name]
        except (ArgumentError, NoSuchModuleError, KeyError) as error:
            raise ToolError(f"{hidden(url)} is not the address of a store", _ADVICE) from error
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)
        try:
            META.create_all(self.engine)
        except DBAPIError as error:
            raise ToolError(f"store {hidden(url)}: {error.orig}", _ADVICE) from error

    def close(self):
        """Give back every connection."""
        self.engine.dispose()

    def commit(self, arrivals, kid=b""):
        """Store what arrived in one transaction; how each touched board stands now, as {(site, device): Board}.

        Each Board has a `number` that no message signed with the key `kid` has had before.
        """
        now_ms = time.time_ns() // 1_000_000
        try:
            with self.engine.begin() as db:
                boards = _Batch(db, self._insert, now_ms).store(arrivals)
                first = _numbers(db, self._insert, kid, len(boards), now_ms)
        except DBAPIError as error:
            raise StoreError(str(error.orig)) from error
        for number, board in enumerate(boards.values(), first):
            board.number = number
        return boards

    def board(self, site, device):
        """Return the Board of one device; an empty one if nothing was ever stored of it."""
        with self.engine.connect() as db:
            return _boards(db, [(site, device)]).get((site, device), Board())

    def boards(self):
        """Return a mapping of all columns for each board, by site and device."""
        with self.engine.connect() as db:
            return [dict(row._mapping) for row in db.execute(select(BOARDS).order_by(BOARDS.c.site, BOARDS.c.device))]

    def stream(self, site, device, first=0):
        """Yield the raw bytes of a board's records in order from number `first` on, in steady memory."""
        table = RECORDS.c
        wanted = select(table.raw).where(table.site == site, table.device == device, table.seq >= first)
        with self.engine.connect().execution_options(yield_per=_ROWS) as db:
            for raw, in db.execute(wanted.order_by(table.seq)):
                yield raw

    def events(self, site, device):
        """Yield a board's event lines in order, as bytes without the newline."""
        table = EVENTS.c
        wanted = select(table.line).where(table.site == site, table.device == device).order_by(table.seq)
        with self.engine.connect().execution_options(yield_per=_ROWS) as db:
            for line, in db.execute(wanted):
                yield line

    def last_events(self, site, device, count):
        """Return a board's last event lines, newest first."""
        table = EVENTS.c
        wanted = select(table.line).where(table.site == site, table.device == device).order_by(table.seq.desc())
        with self.engine.connect() as db:
            return [line for line, in db.execute(wanted.limit(count))]

    def quarantine(self):
        """Return what was not believed, oldest first: mappings of topic, code, what, raw, received_ms."""
        with self.engine.connect() as db:
            return [dict(row._mapping) for row in db.execute(select(QUARANTINE).order_by(QUARANTINE.c.id))]

    def quarantine_counts(self):
        """Return how many messages were set aside, by (site, device)."""
        counts = Counter()
        with self.engine.connect() as db:
            for topic, count in db.execute(select(QUARANTINE.c.topic, func.count()).group_by(QUARANTINE.c.topic)):
                counts[_board_of(topic)] += count
        return counts


def _board_of(topic):
    return tuple(topic.split("/")[1:3])


def hidden(url):
    """Return a database address without its password, for people."""
    head, at, tail = url.rpartition("@")
    scheme, mark, user = head.partition("://")
    return f"{scheme}{mark}{user.split(':')[0]}{at}{tail}"


def _prepare_sqlite(engine):
    @event.listens_for(engine, "connect")
    def _connect(connection, _):
        connection.isolation_level = None  # our own BEGIN below
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk before it is acknowledged

    @event.listens_for(engine, "begin")
    def _begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # two listeners wait for each other instead of failing


def _boards(db, names, lock=False):
    wanted = select(BOARDS.c.site, BOARDS.c.device, BOARDS.c.size, BOARDS.c.last_hash, BOARDS.c.last_start_ms)
    found = {}
    for part in _parts(sorted(names)):
        rows = wanted.where(tuple_(BOARDS.c.site, BOARDS.c.device).in_(part)).order_by(BOARDS.c.site, BOARDS.c.device)
        for site, device, *rest in db.execute(rows.with_for_update() if lock else rows):
            found[site, device] = Board(*rest)
    return found


def _numbers(db, insert, kid, count, now_ms):
    """Return the first of `count` numbers that rise under this key, also from an old store to a new one."""
    if not count:
        return now_ms
    row = insert(NUMBERS).values(kid=kid, number=now_ms + count)
    more = func.greatest if db.dialect.name == "postgresql" else func.max
    set_ = {"number": more(NUMBERS.c.number + count, row.excluded.number)}
    row = row.on_conflict_do_update(index_elements=["kid"], set_=set_)
    return db.execute(row.returning(NUMBERS.c.number)).scalar_one() - count + 1


def _parts(rows):
    return [rows[at:at + _ROWS] for at in range(0, len(rows), _ROWS)]


class _Batch:
    """One transaction's work."""

    def __init__(self, db, insert, now_ms):
        self.db, self.insert, self.now_ms = db, insert, now_ms

    def store(self, arrivals):
        names = arrivals.boards()
        self._know(names)
        boards = _boards(self.db, names, lock=True)
        self._records(arrivals)
        self._events(arrivals)
        for name, board in boards.items():
            self._advance(name, board, arrivals)
        self._states(arrivals, boards)
        self._refused(arrivals.refused)
        return boards

    def _know(self, names):
        rows = [{"site": site, "device": device, "size": 0, "last_hash": _FIRST_HASH, "seen_ms": self.now_ms}
                for site, device in sorted(names)]
        if rows:
            self.db.execute(self.insert(BOARDS).on_conflict_do_nothing(), rows)

    def _records(self, arrivals):
        """Insert what is new; what has its number already must be the same, byte for byte."""
        rows = {(row.site, row.device, row.seq): row for row in reversed(arrivals.records)}
        for row in arrivals.records:
            if rows[row.site, row.device, row.seq].raw != row.raw:
                arrivals.refuse(row, "RECORD_FORK", f"another record {row.seq} of this board came with it")
        new = self._insert_new(RECORDS, [row.columns(self.now_ms) for row in rows.values()])
        known = sorted(rows.keys() - new)
        arrivals.stored += len(new)
        arrivals.repeated += len(known)
        for name, raw in self._stored(RECORDS, RECORDS.c.raw, known):
            if raw != rows[name].raw:
                arrivals.refuse(rows[name], "RECORD_FORK", f"another record {name[2]} of this board is stored already")

    def _events(self, arrivals):
        rows = {(row.site, row.device, row.seq): row for row in reversed(arrivals.events)}
        new = self._insert_new(EVENTS, [row.columns() for row in rows.values()])
        for name, line in self._stored(EVENTS, EVENTS.c.line, sorted(rows.keys() - new)):
            if line != rows[name].raw:
                arrivals.refuse(rows[name], "EVENT_FORK", f"another event {name[2]} of this board is stored already")

    def _insert_new(self, table, rows):
        """Insert rows; return the (site, device, seq) of those that were not there."""
        if not rows:
            return set()
        keys = (table.c.site, table.c.device, table.c.seq)
        done = self.db.execute(self.insert(table).on_conflict_do_nothing().returning(*keys), rows)
        return {tuple(row) for row in done}

    def _stored(self, table, column, names):
        keys = (table.c.site, table.c.device, table.c.seq)
        for part in _parts(names):
            for *name, value in self.db.execute(select(*keys, column).where(tuple_(*keys).in_(part))):
                yield tuple(name), value

    def _advance(self, name, board, arrivals):
        """Go on from record to record as long as each names the one before; one that does not is set aside."""
        table = RECORDS.c
        wanted = (select(table.seq, table.prev, table.signed_hash, table.start_ms, table.raw)
                  .where(table.site == name[0], table.device == name[1], table.seq >= board.size).order_by(table.seq))
        for seq, prev, signed_hash, start_ms, raw in self.db.execute(wanted).all():
            if seq != board.size:
                return
            if prev != board.last_hash:
                arrivals.refuse_raw(name, seq, raw, "CHAIN_BROKEN",
                                    f"record {seq} does not name record {seq - 1} as it is stored")
                self.db.execute(delete(RECORDS).where(table.site == name[0], table.device == name[1], table.seq == seq))
                return
            board.size, board.last_hash = seq + 1, signed_hash
            board.last_start_ms = start_ms if start_ms is not None else board.last_start_ms

    def _states(self, arrivals, boards):
        """Write how far each board is known, its status and its checkpoint."""
        rows = defaultdict(dict)
        for name, board in boards.items():
            rows["size", "last_hash", "last_start_ms", "seen_ms"][name] = (
                board.size, board.last_hash, board.last_start_ms, self.now_ms)
        for name, text in arrivals.status.items():
            rows["status", "status_ms"][name] = (self._last_words(name, text), self.now_ms)
        for name, (size, data) in arrivals.checkpoints.items():
            rows["checkpoint_size", "checkpoint"][name] = (size, data)
        for columns, found in rows.items():
            self._update(columns, found)

    def _last_words(self, name, text):
        """Return a state as it is to be kept: what a board said last stays when its broker says that it has gone."""
        said = json.loads(text)
        if set(said) != {"online"}:
            return text
        table = BOARDS.c
        known = self.db.execute(select(table.status).where(table.site == name[0], table.device == name[1])).scalar()
        return json.dumps((json.loads(known) if known else {}) | said)

    def _update(self, columns, found):
        values = [dict(zip(columns, row), site=site, device=device, size=0, last_hash=_FIRST_HASH, seen_ms=self.now_ms)
                  | dict(zip(columns, row)) for (site, device), row in found.items()]
        change = self.insert(BOARDS)
        newer = (change.excluded.checkpoint_size >= func.coalesce(BOARDS.c.checkpoint_size, 0)
                 if "checkpoint" in columns else None)
        set_ = {column: getattr(change.excluded, column) for column in columns}
        self.db.execute(change.on_conflict_do_update(index_elements=["site", "device"], set_=set_, where=newer), values)

    def _refused(self, refused):
        rows = [{"topic": one.topic, "code": one.code, "what": one.what, "raw": one.raw,
                 "digest": hashlib.sha256(one.topic.encode() + b"\0" + one.raw).digest(), "received_ms": self.now_ms}
                for one in refused]
        if rows:
            self.db.execute(self.insert(QUARANTINE).on_conflict_do_nothing(), rows)
