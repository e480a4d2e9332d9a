"""The verdicts on a run's records, with their reasons and with advice."""

from html import escape

from host_tools.evidence.findings import AREAS, CODES, area, severity

_MEANING = {
    "integrity": "Every record is as the board signed it, and each follows from the one before.",
    "completeness": "No record is missing, neither inside nor at the end.",
    "plausibility": "The figures inside the records agree with each other and with the site.",
}
_SHOWN = 6


def verdicts(run):
    """Write the three verdicts as cards, and the findings below them."""
    cards = "".join(_card(run.verdict, name) for name in AREAS.values())
    return f'<div class="cards">{cards}</div>{_basis(run)}{_findings(run.verdict)}'


def badge(verdict):
    """Write one verdict as a coloured word with a sign, so that colour is not needed."""
    sign = {"PASS": "✓", "FAIL": "✕"}.get(verdict, "?")
    return f'<b class="badge {verdict.lower()}">{sign} {verdict}</b>'


def _card(result, name):
    verdict = getattr(result, name)
    wrong = _codes(result, name)
    why = _MEANING[name] if verdict == "PASS" else (
        "; ".join(CODES[code][2] for code in wrong) or "It cannot be told from what is there.")
    return f'<div class="card"><h4>{name.capitalize()}</h4>{badge(verdict)}<p>{escape(why)}</p></div>'


def _codes(result, name):
    """Return the codes that keep a verdict from PASS."""
    letter = next(key for key, value in AREAS.items() if value == name)
    return [code for code in result.counts
            if letter + "F" in CODES[code][1] or letter + "U" in CODES[code][1]]


def _basis(run):
    """Say what was judged, by which keys, and how a choice of records would show."""
    about, result = run.reading.provenance(), run.verdict
    words = [("Judged", f"the whole journal of {about['device']}: {result.records} records, numbers "
              f"{result.first_seq} to {result.next_seq - 1}")]
    if about["records"] and about["quarter_hours_in_range"]:
        words.append(("Shown here", f"records {about['first_seq']} to {about['last_seq']}, {about['from_utc']} to "
                      f"{about['to_utc']}: {about['quarter_hours_covered']} of "
                      f"{about['quarter_hours_in_range']} quarter hours in full, gaps stated: {about['gaps']}"))
    if about["root_records"] is None:
        words.append(("Signed end", "none that holds: whether the end was cut off cannot be told"))
    else:
        words.append(("Signed end", f"RFC 6962 root {about['root_sha256_base64']} over "
                      f"{about['root_records']} records"))
    if about["intervals_without_utc"]:
        words.append(("Without UTC", f"{about['intervals_without_utc']} intervals, which no look-up by time can find"))
    words.append(("Keys", f"from {run.keys.name}" + (" in the same folder: to rely on the verdict, take them from the "
                                                     "owner of the board" if run.own_keys else "")))
    rows = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in words)
    return f'<dl class="facts">{rows}</dl>'


def _findings(result):
    parts = []
    for code in dict.fromkeys(finding.code for finding in result.findings):
        found = [finding for finding in result.findings if finding.code == code]
        lines = "".join(f"<li>{escape(_place(finding) + finding.what)}</li>" for finding in found[:_SHOWN])
        more = result.counts[code] - min(len(found), _SHOWN)
        lines += f"<li>and {more} more</li>" if more > 0 else ""
        parts.append(f'<details class="{severity(code)}"{" open" if severity(code) == "error" else ""}><summary>'
                     f"<code>{code}</code> {escape(area(code))}, {severity(code)}: {escape(CODES[code][2])}</summary>"
                     f"<ul>{lines}</ul><p>{escape(CODES[code][3])}</p></details>")
    return "".join(parts)


def _place(finding):
    return "" if finding.seq is None else f"record {finding.seq}: "
