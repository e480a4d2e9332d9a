"""Verify a journal: two verdicts and the list of implausible things, each with its reason."""

from collections import Counter
from itertools import islice

from host_tools.errors import DOES_NOT_HOLD, OK
from host_tools.evidence import utc
from host_tools.evidence.anchors import AnchorReader, Anchors
from host_tools.evidence.carbon import CarbonBook
from host_tools.evidence.chain import Chain
from host_tools.evidence.cose import Frame
from host_tools.evidence.envelope import Judge, read_header
from host_tools.evidence.event_chain import EventChain
from host_tools.evidence.order import Order
from host_tools.evidence.plausibility import Consistency
from host_tools.evidence.references import FactorTable, Firmware, SiteFile
from host_tools.evidence.registers import Registers
from host_tools.evidence.totals import Totals
from host_tools.evidence.verdict import FAIL, PASS, UNKNOWN, Findings
from host_tools.evidence.witnessed import Witnessed

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
        self.fast = given.get("fast", False)
        self.plausibility = given.get("plausibility", True) and not self.fast
        self.progress = given.get("progress")
        self.checks = given.get("checks", ())  # called with (unit, record, previous) like our own


class Result:
    """The outcome: verdicts, findings, totals, and what was looked at."""

    def __init__(self, findings, chain, order, judge, path):
        continuity = chain.continuity
        self.findings = findings.ordered()
        self.counts = dict(findings.counts)
        self.integrity = findings.verdict("I")
        self.completeness = findings.verdict("C")
        self.fast = judge.lean
        self.plausibility = UNKNOWN if self.fast else findings.verdict("P")
        self.notes = {area: findings.notes(area) for area in "ICP"}
        self.unproven = chain.unproven
        if chain.unproven and self.completeness == PASS:
            self.completeness = UNKNOWN
        self.totals = chain.totals
        self.records = chain.totals.intervals + chain.totals.gaps + chain.totals.key_changes
        self.first_seq, self.next_seq = order.first, order.expected or 0
        self.signatures = judge.signatures
        self.start_ms, self.end_ms = continuity.first_ms, continuity.last_ms
        self.anchor_size = chain.anchors.end_size
        self.checkpoint = None if path is None else str(path)
        self.checkpoints = []  # those that could be relied on, by size
        holds = (self.integrity, self.completeness) == (PASS, PASS) and (self.fast or self.plausibility == PASS)
        self.exit_code = OK if holds else DOES_NOT_HOLD


def verify(source, registry, options=None):
    """Verify a Source with a key Registry; never raises for what stands in the records."""
    options = options or Options()
    findings = Findings()
    registry = registry.copy()
    device = device_of(source, registry)
    path = options.checkpoint or source.checkpoint
    whole = options.plausibility
    notes = AnchorReader(findings, source, registry, device)
    checkpoints = notes.read(path, options.witnesses)
    anchors = Anchors(findings, checkpoints)
    events = EventChain(findings, source.events)
    checks = _checks(findings, options) + ([events.check] if whole else [])
    chain = Chain(findings, anchors, checks, Totals(whole), Witnessed(findings) if whole else None, registry)
    order = Order(findings, chain, options.from_ms)
    judge = Judge(registry, device, whole, chain if options.fast else None,
                  [anchor.size - 1 for anchor in anchors.open])
    _run(source, judge, order, options.progress)
    order.finish()
    if whole:
        events.finish()
    _judge_end(findings, chain, order, options)
    result = Result(findings, chain, order, judge, path)
    result.checkpoints = checkpoints
    return result


def _run(source, judge, order, progress):
    for number, item in enumerate(source.units()):
        order.feed(judge.judge(item))
        if progress and not number & 1023:
            progress(number)
    judge.finish()


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
    return [*checks, *options.checks]


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
