"""Give each record its place in the chain, sign it, store it, and anchor the end.

Order of one write: sign, append to the journal (from here on the record exists), replace head.cbor, sign and
replace the checkpoint. A power cut anywhere leaves every appended record; head and checkpoint catch up at the
next start. No number is ever given twice: where the head knows more records than the journal still holds,
the chain goes on behind them.
"""

from binascii import hexlify

from firmware.core import cbor
from firmware.core.background import COLLECTED, FLASH_US
from firmware.core.errors import LogError
from firmware.core.patience import patiently
from firmware.core.types import FLAG_REBOOT, KIND_INTERVAL, KIND_KEYS
from firmware.log import checkpoint, head, record, witness
from firmware.log.journal import Journal
from firmware.log.page import Page

PUBLIC_PATH = "public.json"
CHECKPOINT_PATH = "journal/checkpoint.txt"
_PAGE_BYTES = 2240  # for a Page with the longest ids, and for the longest record to be read
_FLAG_CONFIG = 1 << 12
_FLAG_FIRMWARE = 1 << 13


class Chain:
    """The chain of one board. Hashes are 32 bytes; `keyring` signs (signer.py)."""

    def __init__(self, files, site, device, firmware, config, factor_table, keyring):
        self._files = files
        self._site, self._device = site, device
        self._origin = checkpoint.origin(site, device)
        self._link = [0, firmware, config]
        self._factor_table = factor_table
        self.keyring = keyring
        self._kid = None  # of the key in the header of what is written
        self._page = None  # where records are made
        self._journal = Journal(files)
        self._head = head.Head()
        self.lost_records = 0  # signed before, no longer in the journal
        self.anchor_error = None  # why head or checkpoint is behind; tried again with the next record

    def acknowledge(self, size):
        """Yield while noting that all records below `size` are stored elsewhere, durably."""
        if self.acknowledged < size <= self.size:
            yield from self._journal.acknowledge(size)

    def __getattr__(self, name):
        """Return one of these; a property each would take more of the heap.

        size: the number of records so far, which is the next record's sequence number; prev: the hash that the next
        record will carry of the one before; boot: the boot counter, from 1; acknowledged: the number of records, from
        the first on, that are stored elsewhere; first_kept: the number of the oldest record on flash.
        """
        if name in ("size", "prev", "boot"):
            return getattr(self._head, name)
        if name in ("acknowledged", "first_kept"):
            return getattr(self._journal, name)
        raise AttributeError(name)

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
        """Yield while recovering the journal, preparing the keys and counting this boot. Once, first."""
        buffer = bytearray(_PAGE_BYTES)  # before all else: later the heap may have no such piece
        self._journal.lend(buffer)
        try:
            yield from self._recover()
        except OSError as error:
            raise LogError("JOURNAL_OPEN", "flash cannot be read or repaired (%s); make room on it" % error)
        self._journal.release()
        self._head.boot = max(self._head.boot, self._journal.tail.boot) + 1
        self._link[0] = self._head.boot
        yield from self.keyring.open(self._head.kid)
        yield  # the keys leave much behind
        self._kid = self._head.kid = self.keyring.signers[0].kid
        self._page = Page(self._protected_by(self.keyring.signers), self._link[1], self._link[2], self._factor_table,
                          buffer)
        yield from self._anchor()
        yield from self._publish()

    def stage_keys(self, interval):
        """Yield while making the next pair of keys; put its public half into the Interval of the change."""
        yield from self.keyring.stage()
        interval.next_record_key, interval.next_checkpoint_key = [
            (signer.kid, signer.spki[-64:-32], signer.spki[-32:]) for signer in self.keyring.next]

    def _protected_by(self, signers):
        return record.protected_header(self._site, self._device, signers[0].kid)

    def write(self, interval):
        """Yield while writing one Interval; LogError where the flash refuses: nothing changed, try again.

        Sets the flags of the interval that only the chain knows: restart, new configuration, new firmware.
        """
        if self._journal.suspect:
            yield FLASH_US
            self._journal.mend()
            yield
        old = self._head
        self._mark(interval, old.interval)
        yield FLASH_US
        interval.witness = witness.told(self._files, self._origin)
        yield
        page = self._page
        signer = self.keyring.signers[0]
        if self._kid != signer.kid:  # the record before was a change of keys
            page.protect(self._protected_by(self.keyring.signers))
            self._kid = signer.kid
        yield from page.fill(interval, old.size, old.boot, old.prev)
        digest = page.digest()
        yield
        yield from signer.sign(digest)
        yield COLLECTED  # the new head lasts until the next record
        yield FLASH_US  # no flash yet, but as long: the leaf of the tree
        data = page.sealed(signer.signature)
        new = old.after(interval.kind, self._link, digest, page.body(), data)
        yield FLASH_US
        yield from self._journal.append(old.size, data)
        self._head = new
        if interval.kind == KIND_KEYS:  # from here on the next pair is the one in use, whatever fails
            self.keyring.promote()
        yield COLLECTED  # a file takes much in one piece
        yield from self._anchor()
        if interval.kind == KIND_KEYS:
            yield from self._publish()

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
        """Replace head and checkpoint; a failure is noted, not raised: whoever tries again writes the record twice.

        Where memory was short it is tried again first, when garbage has been collected.
        """
        self.anchor_error = None
        try:
            yield from patiently(self._anchor_once)
        except (OSError, MemoryError) as error:
            self.anchor_error = LogError("ANCHOR_WRITE", "flash refused head or checkpoint (%s)" % error)

    def _anchor_once(self):
        yield FLASH_US
        yield from self._files.replacing(head.PATH, self._head.dump())
        yield FLASH_US
        tree = self._head.tree
        if tree:
            text = checkpoint.note(self._origin, tree.size, tree.root())
            text = yield from checkpoint.signed(text, self._origin, self.keyring.signers[1])
            yield
            yield from self._files.replacing(CHECKPOINT_PATH, text)

    def _publish(self):
        """Add the public keys in use to public.json, unless it has them; a flash that refuses is no reason to stop."""
        try:
            old = self._files.read(PUBLIC_PATH) or b""
            signers = self.keyring.signers
            if hexlify(signers[0].kid) in old:
                return
            from firmware.log import keys

            rows = [keys.row(self._site, self._device, use, signer.spki)
                    for use, signer in zip(("record", "checkpoint"), signers)]
            begin = old[: old.rfind(b"]")].rstrip().decode() + "," if b"]" in old else '{"version": 1, "keys": ['
            yield from self._files.replacing(PUBLIC_PATH, (begin + "\n" + ",\n".join(rows) + "\n]}\n").encode())
        except (OSError, MemoryError) as error:
            self.keyring.news.append(("PUBLIC_WRITE", "flash refused %s (%s)" % (PUBLIC_PATH, error)))

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
