"""Put a verification result into words: verdicts first, then findings with advice, then totals."""

from host_tools.evidence import utc
from host_tools.evidence.fields import SOURCES, USES
from host_tools.evidence.findings import AREAS, CODES, area, severity

_SHOWN_PER_CODE = 5
_COLOURS = {"PASS": "32", "FAIL": "31;1", "UNKNOWN": "33"}


def render(result, colour=False, anchor_found=False):
    """Write the whole text; `anchor_found` says that the end anchor was taken from the folder."""
    lines = [_line(result, name, colour) for name in ("integrity", "completeness", "plausibility")]
    if anchor_found and result.checkpoint:
        lines.append(f"end anchor    taken from the folder: {result.checkpoint}")
    lines += _findings(result)
    lines += _totals(result)
    return "\n".join(lines)


def _line(result, name, colour):
    verdict = getattr(result, name)
    shown = f"{verdict:<7}"
    if colour:
        shown = f"\x1b[{_COLOURS[verdict]}m{shown}\x1b[0m"
    return f"{name:<13} {shown} {_reason(result, name)}".rstrip()


def _reason(result, name):
    """Say in a few words what a verdict rests on."""
    wrong = _errors_of(result, name)
    if name == "integrity":
        reach = "time unknown"
        if result.start_ms is not None:
            reach = f"{utc.show(result.start_ms)} to {utc.show(result.end_ms)}"
        fast = f", {result.signatures} signatures checked, the others rest on the chain" if result.fast else ""
        return f"{_records(result.records)}, {reach}{fast}" + wrong
    if name == "completeness":
        return _numbers(result) + wrong
    if result.fast:
        return "not judged with --fast"
    notes = result.notes["P"]
    remarks = f"{notes} note{'s' * (notes != 1)}" if notes else "nothing to remark"
    return remarks + wrong if notes or not wrong else wrong[2:]


def _numbers(result):
    if result.first_seq is None:
        return "no record number is known"
    anchor = "no end anchor" if result.anchor_size is None else f"signed end anchor of {result.anchor_size}"
    text = f"numbers {result.first_seq} to {result.next_seq - 1}, {anchor}"
    if result.unproven:
        text += f", {_records(result.unproven)} there but not valid"
    return text


def _records(count):
    return f"{count} record{'s' * (count != 1)}"


def _errors_of(result, name):
    """List the codes that keep a verdict from PASS."""
    letter = next(key for key, value in AREAS.items() if value == name)
    effects = {code: CODES[code][1] for code in result.counts}
    codes = [code for code, text in effects.items() if letter + "F" in text or letter + "U" in text]
    return "; " + ", ".join(codes) if codes else ""


def _findings(result):
    lines = []
    for name in AREAS.values():
        found = [finding for finding in result.findings if area(finding.code) == name]
        if found:
            lines += ["", f"{name}: findings"]
            for code in dict.fromkeys(finding.code for finding in found):
                lines += _group([finding for finding in found if finding.code == code], result.counts[code])
    return lines


def _group(findings, count):
    """Write the findings of one code: the first few, how many more, the advice once."""
    code = findings[0].code
    lines = [f"  {code} ({severity(code)}): {CODES[code][2]}"]
    lines += [f"    {_place(finding)}{finding.what}" for finding in findings[:_SHOWN_PER_CODE]]
    if count > _SHOWN_PER_CODE:
        lines.append(f"    ... and {count - min(len(findings), _SHOWN_PER_CODE)} more; --json lists them")
    lines.append(f"    -> {CODES[code][3]}")
    return lines


def _place(finding):
    parts = []
    if finding.seq is not None:
        parts.append(f"record {finding.seq}")
    if finding.file:
        parts.append(finding.file)
    if finding.offset is not None:
        parts.append(f"byte {finding.offset}")
    return ", ".join(parts) + ": " if parts else ""


def _totals(result):
    totals = result.totals
    if not totals.intervals or not totals.whole:
        return []
    lines = ["", f"totals of {totals.intervals} intervals and {totals.gaps} gaps (kWh)"]
    lines.append("  sources  " + _list(zip(SOURCES, totals.sources_wh)))
    lines.append("  uses     " + _list(zip(USES, totals.uses_wh)))
    lines.append("  residual " + _list((("", totals.residual_wh),)))
    if totals.refused:
        lines.append("  refused values: " + ", ".join(f"{role} {n}" for role, n in totals.refused.items()))
    for name, carbon in (("direct", totals.direct_ug), ("life cycle", totals.lifecycle_ug)):
        intensity = totals.intensity(carbon)
        if intensity is not None:
            mass = f"{carbon[0] / 1e9:.3f} kg, {intensity:.1f} g/kWh"
            lines.append(f"  carbon of the load, {name}: {mass}")
    return lines


def _list(pairs):
    words = (f"{name.replace('_', ' ')} {value / 1000:.3f}" for name, value in pairs)
    return ", ".join(map(str.strip, words))
