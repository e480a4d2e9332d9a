"""Give each record its place in the chain, sign it, store it, and anchor the end.

Order of one write: sign, append to the journal (from here on the record exists), replace head.cbor, sign and
replace the checkpoint. A power cut anywhere leaves every appended record; head and checkpoint catch up at the
next start. No number is ever given twice: where the head knows more records than the journal still holds,
the chain goes on behind them.
"""

from hashlib import sha256

from firmware.core import cbor
from firmware.core.errors import LogError
from firmware.core.types import FLAG_REBOOT, KIND_INTERVAL
from firmware.log import checkpoint, head, keys, record
from firmware.log.journal import Journal
from firmware.log.signer import Signer

SECRET_PATH = "secret.bin"
CHECKPOINT_PATH = "journal/checkpoint.txt"
_FLAG_CONFIG = 1 << 12
_FLAG_FIRMWARE = 1 << 13


class Chain:
    """The chain of one board. Hashes are 32 bytes; `signers` (record, checkpoint) replace secret.bin."""

    def __init__(self, files, site, device, firmware, config, factor_table, signers=None):
        self._files = files
        self._site, self._device = site, device
        self._origin = checkpoint.origin(site, device)
        self._link = [0, firmware, config]
        self._factor_table = factor_table
        self._signers = signers
        self._protected = b""
        self._journal = Journal(files)
        self._head = head.Head()
        self.lost_records = 0  # signed before, no longer in the journal
        self.anchor_error = None  # why head or checkpoint is behind; tried again with the next record

    @property
    def size(self):
        """Return the number of records so far, which is the next record's sequence number."""
        return self._head.size

    @property
    def boot(self):
        """Return the boot counter, from 1."""
        return self._head.boot

    @property
    def torn_bytes(self):
        """Return the bytes that recovery has set aside in .bad files since open()."""
        return self._journal.tail.set_aside_bytes

    @property
    def anchored(self):
        """Return whether checkpoints can be made: the tree over all records is known."""
        return self._head.tree is not None

    @property
    def last_payload(self):
        """Return the last record's payload as a dict by field number, None before the first record."""
        body = self._head.body
        return None if body is None else cbor.decode(body)[0]

    def open(self):
        """Yield while preparing the keys, recovering the journal and counting this boot. Once, first."""
        if self._signers is None:
            secret = self._files.read(SECRET_PATH)
            self._signers = Signer(keys.record_scalar(secret)), Signer(keys.checkpoint_scalar(secret))
        for signer in self._signers:
            yield from signer.prepare()
        yield  # the keys leave much behind
        self._protected = record.protected_header(self._site, self._device, self._signers[0].kid)
        try:
            yield from self._recover()
        except OSError as error:
            raise LogError("JOURNAL_OPEN", "flash cannot be read or repaired (%s); make room on it" % error)
        self._head.boot = max(self._head.boot, self._journal.tail.boot) + 1
        self._link[0] = self._head.boot
        yield from self._anchor()

    def write(self, interval):
        """Yield while writing one Interval; LogError where the flash refuses: nothing changed, try again.

        Sets the flags of the interval that only the chain knows: restart, new configuration, new firmware.
        """
        if self._journal.suspect:
            self._journal.mend()
            yield
        old = self._head
        self._mark(interval, old.interval)
        body = yield from record.payload(interval, old.size, old.boot, old.prev, self._link[1], self._link[2],
                                         self._factor_table)
        yield
        digest = sha256(record.to_be_signed(self._protected, body)).digest()
        yield
        signer = self._signers[0]
        yield from signer.sign(digest)
        data = record.envelope(self._protected, body, signer.signature)
        new = old.after(interval.kind, self._link, digest, body, data)
        yield
        self._journal.append(old.size, data)
        self._head = new
        yield
        yield from self._anchor()

    def close(self):
        """Yield while writing what a full flash kept head or checkpoint from saying."""
        if self.anchor_error:
            yield from self._anchor()

    def _mark(self, interval, before):
        """Set the flags that compare an interval with the one before it, over gaps in between."""
        if interval.kind != KIND_INTERVAL or before is None:
            return
        boot, firmware, config = before
        if boot != self._link[0]:
            interval.flags |= FLAG_REBOOT
        if firmware != self._link[1]:
            interval.flags |= _FLAG_FIRMWARE
        if config != self._link[2]:
            interval.flags |= _FLAG_CONFIG

    def _anchor(self):
        """Replace head and checkpoint; a failure is noted, not raised: whoever tries again writes the record twice."""
        self.anchor_error = None
        try:
            yield from self._replace(head.PATH, self._head.dump())
            yield
            tree = self._head.tree
            if tree:
                text = checkpoint.note(self._origin, tree.size, tree.root())
                text = yield from checkpoint.signed(text, self._origin, self._signers[1])
                yield
                yield from self._replace(CHECKPOINT_PATH, text)
        except (OSError, MemoryError) as error:
            self.anchor_error = LogError("ANCHOR_WRITE", "flash refused head or checkpoint (%s)" % error)

    def _replace(self, path, data):
        """Replace a file in two slices: each is some work of the file system that cannot be cut further."""
        self._files.stage(path, data)
        yield
        self._files.commit(path)

    def _recover(self):
        """Bring head and journal together; the head checks itself and is believed, if what follows fits."""
        tail = yield from self._journal.recover()
        yield
        found = head.load(self._files.read(head.PATH))
        if found:
            found = yield from self._catch_up(found, True)
        if not found:
            found = yield from self._catch_up(head.Head(), False)
        self.lost_records = max(found.size - tail.next_seq, 0)
        self._head = found

    def _catch_up(self, state, strict):
        """Return the Head after all records behind `state`; None if strict and they do not follow it."""
        scan = self._journal.scan(state.size)
        while True:
            entry = scan.next()
            if entry is None:
                return state
            if entry.seq >= state.size:
                if strict and (entry.seq != state.size or entry.prev != state.prev):
                    return None
                if entry.seq != state.size:
                    state.size, state.tree = entry.seq, None  # a hole: its leaves are gone
                link = [entry.boot, entry.firmware, entry.config]
                state = state.after(entry.kind, link, entry.digest, self._journal.body(entry),
                                    self._journal.whole(entry))
                strict = False
            yield
