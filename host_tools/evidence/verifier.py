"""Verify a journal: two verdicts and the list of implausible things, each with its reason."""

from collections import Counter
from itertools import islice

from host_tools.errors import DOES_NOT_HOLD, OK, read_bytes
from host_tools.evidence import checkpoint, utc
from host_tools.evidence.carbon import CarbonBook
from host_tools.evidence.chain import Anchors, Chain
from host_tools.evidence.cose import Frame
from host_tools.evidence.envelope import Judge, read_header
from host_tools.evidence.order import Order
from host_tools.evidence.plausibility import Consistency
from host_tools.evidence.references import FactorTable, Firmware, SiteFile
from host_tools.evidence.registers import Registers
from host_tools.evidence.totals import Totals
from host_tools.evidence.verdict import FAIL, PASS, UNKNOWN, Findings

_PEEKED = 5


class Options:
    """What to verify against, beyond the keys; all of it optional."""

    def __init__(self, **given):
        self.from_ms = given.get("from_ms")
        self.to_ms = given.get("to_ms")
        self.checkpoint = given.get("checkpoint")
        self.witnesses = given.get("witnesses", ())
        self.factors = given.get("factors")
        self.site = given.get("site")
        self.firmware = given.get("firmware")
        self.plausibility = given.get("plausibility", True)
        self.progress = given.get("progress")


class Result:
    """The outcome: verdicts, findings, totals, and what was looked at."""

    def __init__(self, findings, chain, first, count, checkpoint_path):
        continuity = chain.continuity
        self.findings = findings.ordered()
        self.counts = dict(findings.counts)
        self.integrity = findings.verdict("I")
        self.completeness = findings.verdict("C")
        self.plausibility = findings.verdict("P")
        self.notes = {area: findings.notes(area) for area in "ICP"}
        self.unproven = chain.unproven
        if chain.unproven and self.completeness == PASS:
            self.completeness = UNKNOWN
        self.totals = chain.totals
        self.records = chain.totals.intervals + chain.totals.gaps
        self.first_seq, self.next_seq = first, count
        self.start_ms, self.end_ms = continuity.first_ms, continuity.last_ms
        self.anchor_size = chain.anchors.end_size
        self.checkpoint = None if checkpoint_path is None else str(checkpoint_path)
        holds = (self.integrity, self.completeness, self.plausibility) == (PASS, PASS, PASS)
        self.exit_code = OK if holds else DOES_NOT_HOLD


def verify(source, registry, options=None):
    """Verify a Source with a key Registry; never raises for what stands in the records."""
    options = options or Options()
    findings = Findings()
    device = device_of(source, registry)
    path = options.checkpoint or source.checkpoint
    anchors = Anchors(findings, _read_anchors(findings, registry, device, path, options.witnesses))
    chain = Chain(findings, anchors, _checks(findings, options), Totals())
    order = Order(findings, chain, options.from_ms)
    _run(source, Judge(registry, device), order, options.progress)
    order.finish()
    _judge_end(findings, chain, order, options)
    return Result(findings, chain, order.first, order.expected or 0, path)


def _run(source, judge, order, progress):
    for number, item in enumerate(source.units()):
        order.feed(judge.judge(item))
        if progress and not number & 1023:
            progress(number)


def device_of(source, registry):
    """Decide whose journal it is: the only device with keys, or the one most of the first records name."""
    devices = registry.devices()
    if len(devices) == 1:
        return next(iter(devices))
    frames = (item for item in islice(source.units(), 4 * _PEEKED) if type(item) is Frame)
    headers = (read_header(frame.protected) for frame in islice(frames, _PEEKED))
    owners = Counter(header.owner for header in headers if header.owner)
    known = [owner for owner, _ in owners.most_common() if owner in devices]
    return known[0] if known else next(iter(owners), ("?", "?"))


def _checks(findings, options):
    checks = []
    if options.plausibility:
        checks += [CarbonBook(findings).check, Consistency(findings).check, Registers(findings).check]
    files = ((FactorTable, options.factors), (SiteFile, options.site), (Firmware, options.firmware))
    checks += [make(findings, path).check for make, path in files if path is not None]
    return checks


def _read_anchors(findings, registry, device, path, witnesses):
    """Read checkpoint and witnesses; one that cannot be relied on is a finding and no anchor."""
    anchors = []
    for name in [path, *witnesses]:
        if name is None:
            continue
        data = read_bytes(name, "checkpoint")
        try:
            anchor = checkpoint.read(data, registry, name)
            if anchor.origin != "/".join(device):
                what = f"{name} is of {anchor.origin}, the records are of {'/'.join(device)}"
                raise checkpoint.CheckpointError("CHECKPOINT_DEVICE", what)
            anchors.append(anchor)
        except checkpoint.CheckpointError as error:
            findings.add(error.code, error.what)
    if path is None and not witnesses:
        findings.add("NO_END_ANCHOR", "no checkpoint was given")
    return anchors


def _judge_end(findings, chain, order, options):
    """Judge what only the end shows: whether there was anything, the end anchor, the range."""
    if order.expected is None:
        findings.add("NO_RECORDS", "not one record was found")
    chain.finish(order.expected or 0, order.proven)
    first_ms, last_ms = chain.continuity.first_ms, chain.continuity.last_ms
    reach = "the records know no UTC" if first_ms is None else (
        f"the records reach from {utc.show(first_ms)} to {utc.show(last_ms)}")
    if options.from_ms is not None and (first_ms is None or first_ms > options.from_ms):
        findings.add("RANGE_NOT_COVERED", f"{reach}, asked for is {utc.show(options.from_ms)} on")
    if options.to_ms is not None and (last_ms is None or last_ms < options.to_ms):
        findings.add("RANGE_NOT_COVERED", f"{reach}, asked for is up to {utc.show(options.to_ms)}")


__all__ = ["FAIL", "PASS", "UNKNOWN", "Options", "Result", "device_of", "verify"]
