"""Takes what the board says during a commissioning run: progress for people, results for the rest."""

import json
import sys

from host_tools.commissioning.advice import advice
from host_tools.plant.telemetry import Reports


class Listener(Reports):
    """Reports with the lines of kind C added; `results` and `end` are what is left at the end."""

    def __init__(self, stream=None):
        super().__init__()
        self.results = []
        self.aborts = []
        self.end = None
        self.steps = []
        self._stream = stream or sys.stderr
        self._step = ""

    def take(self, kind, text):
        """Take one report line."""
        if kind != "C":
            super().take(kind, text)
            return
        what = json.loads(text)
        getattr(self, "_" + what["k"], self._other)(what)

    def _begin(self, what):
        self._step = what["step"]
        self.steps.append(what)
        power = f", at most {what['power_w']:,} W" if what["power_w"] else ""
        self._say(f"{self._step}: {what['what']}{power}; about {what['typical_s']} s, at most {what['limit_s']} s")

    def _progress(self, what):
        self._say(f"  {what['step']}: {what['permille'] / 10:3.0f} %  {what['text']}")

    def _result(self, what):
        self.results.append(what)
        self._say(f"  {what['item']}: {shown(what)}  {what['code']}")

    def _abort(self, what):
        self.aborts.append(what)
        self._say(f"{what['step'] or 'start'}: ended early, {what['code']}: {what['note']}. {advice(what['code'])}")
        self._say("going to zero")

    def _end(self, what):
        self.end = what

    def _other(self, what):
        self.messages.append(json.dumps(what))

    def _say(self, text):
        print("commission: " + text, file=self._stream, flush=True)


def shown(row):
    """Return a result's value as people read it."""
    if row["value"] is None:
        return row["note"] or "-"
    if row["unit"] == "permille":
        text = f"{row['value'] / 1000:+.2f}"
        return text if row["error"] is None else f"{text} +-{row['error'] / 1000:.2f}"
    return f"{row['value']:,} {row['unit']}"


def table(rows):
    """Return the results as lines of text: what, measured, expected, verdict, and advice below a finding."""
    cells = [("what", "measured", "expected", "verdict")]
    for row in rows:
        expected = f"{int(row['expected']) / 1000:+.0f}" if row["unit"] == "permille" else row["expected"]
        cells.append((row["item"], shown(row), expected or "-", row["code"]))
    widths = [max(len(line[i]) for line in cells) for i in range(3)]
    lines = []
    for i, line in enumerate(cells):
        lines.append("  ".join(f"{line[j]:{widths[j]}}" for j in range(3)) + "  " + line[3])
        if i and line[3] != "OK":
            row = rows[i - 1]
            note = f" ({row['note']})" if row["note"] and row["value"] is not None else ""
            lines.append(f"    -> {advice(line[3])}{note}")
    return lines
