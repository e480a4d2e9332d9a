"""Read the signed end anchors that were given, the board's own and what others kept; compare them with the tree."""

from host_tools.errors import read_bytes
from host_tools.evidence import checkpoint
from host_tools.evidence.key_history import learn


class AnchorReader:
    """Read checkpoints for one journal; one that cannot be relied on is a finding and no anchor."""

    def __init__(self, findings, source, registry, device):
        self.findings = findings
        self.source = source
        self.registry = registry
        self.device = device
        self._learnt = False

    def read(self, path, witnesses):
        """Read the board's own checkpoint and those that others kept; the Checkpoints that can be relied on."""
        found = [self._one(name, name is not path) for name in (path, *witnesses) if name is not None]
        if not found:
            self.findings.add("NO_END_ANCHOR", "no checkpoint was given")
        anchors = sorted(filter(None, found), key=lambda anchor: anchor.size)
        for one, other in zip(anchors, anchors[1:]):
            if one.size == other.size and one.root != other.root:
                what = f"{one.name} and {other.name} state {one.size} records each, with different roots"
                self.findings.add("HISTORY_FORKED", what, seq=one.size - 1 if one.size else None)
        return anchors

    def _one(self, name, kept):
        data = read_bytes(name, "checkpoint")
        try:
            anchor = self._verified(data, name)
            if anchor.origin != "/".join(self.device):
                what = f"{name} is of {anchor.origin}, the records are of {'/'.join(self.device)}"
                raise checkpoint.CheckpointError("CHECKPOINT_DEVICE", what)
        except checkpoint.CheckpointError as error:
            self.findings.add(error.code, error.what)
            return None
        if kept and not anchor.witnesses:
            known = "none of the witnesses in the key file has" if self.registry.witnesses else "no known witness has"
            self.findings.add("WITNESS_UNKNOWN", f"{known} cosigned {name}; the board has signed it")
        return anchor

    def _verified(self, data, name):
        """Read one note; where its key is not known, look for the record that introduces it."""
        try:
            return checkpoint.read(data, self.registry, name)
        except checkpoint.CheckpointError as error:
            if error.code != "CHECKPOINT_KEY" or self._learnt:
                raise
            self._learnt = True
            learn(self.source, self.registry, self.device)
            return checkpoint.read(data, self.registry, name)


class Anchors:
    """The signed end anchors: compared when the tree has their size."""

    def __init__(self, findings, checkpoints):
        self.findings = findings
        self.all = sorted(checkpoints, key=lambda anchor: anchor.size)
        self.open = list(self.all)
        self.end_size = self.open[-1].size if self.open else None
        self.next_size = self.open[0].size if self.open else -1

    def compare(self, size, root):
        """Compare all anchors of this size with the root; None leaves them uncompared."""
        while self.open and self.open[0].size == size:
            anchor = self.open.pop(0)
            if root is not None and anchor.root != root:
                what = f"the root of the first {size} records is not the one in {anchor.name}"
                self.findings.add("ROOT_DIFFERS", what, seq=size - 1 if size else None)
        self.next_size = self.open[0].size if self.open else -1

    def finish(self, count, proven, changes=()):
        """Report what anchors state beyond `count` records, records they do not state (`proven`), and their keys.

        `changes` are (number, kid of the checkpoint key) of the changes of keys: the last one within an anchor's
        records names its key.
        """
        for anchor in self.all:
            named = [kid for seq, kid in changes if seq < anchor.size]
            if named and anchor.kid != named[-1]:
                what = f"{anchor.name} is signed with {anchor.kid.hex()}, record {changes[len(named) - 1][0]} of it " \
                       f"names {named[-1].hex()}"
                self.findings.add("CHECKPOINT_RETIRED", what)
        cut = [anchor for anchor in self.open if anchor.size > count]
        if cut:
            anchor = cut[-1]
            what = f"{anchor.name} states {anchor.size} records, there are {count}"
            missing = list(range(count, min(anchor.size, count + 100)))
            self.findings.add("TAIL_CUT", what, seq=count, seqs=missing)
        elif self.end_size is not None and self.end_size < proven:
            what = f"records {self.end_size} to {proven - 1} are not covered by an end anchor"
            self.findings.add("PAST_ANCHOR", what, seq=self.end_size)
