"""Read trace.csv, and thin it out for a chart without losing a spike."""

from array import array
from bisect import bisect_left

from host_tools.errors import ToolError, unreadable

_WORDS = ("mode", "reason")


class Trace:
    """The columns of a trace: numbers as arrays (a missing value is NaN), words as lists."""

    def __init__(self, columns):
        self.columns = columns
        self.times_s = columns["time_s"]

    def __len__(self):
        return len(self.times_s)

    def used(self, name):
        """Tell whether a column is there and ever differs from zero."""
        return any(value == value and value for value in self.columns.get(name, ()))

    def cut(self, first_s, last_s):
        """Return the part from first_s to last_s."""
        begin, end = bisect_left(self.times_s, first_s), bisect_left(self.times_s, last_s + 1e-9)
        return Trace({name: values[begin:end] for name, values in self.columns.items()})


def load(path):
    """Read a trace; ToolError names the line that cannot be read."""
    try:
        with open(path, encoding="ascii") as file:
            names = file.readline().rstrip("\n").split(",")
            if not names or names[0] != "time_s":
                raise ToolError(f"{path}: the first line does not name columns, time_s first",
                                "Give a run folder made by `simulate`.")
            columns = _read(path, file, names)
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError):
            raise unreadable(path, "trace", error) from error
        raise ToolError(f"{path}: not text", "Give a run folder made by `simulate`.") from error
    return Trace(columns)


def _read(path, file, names):
    columns = {name: [] if name in _WORDS else array("d") for name in names}
    append = [columns[name].append for name in names]
    is_word = [name in _WORDS for name in names]
    for number, line in enumerate(file, 2):
        cells = line.rstrip("\n").split(",")
        try:
            if len(cells) != len(names):
                raise ValueError(f"{len(cells)} cells, {len(names)} columns")
            for add, word, cell in zip(append, is_word, cells):
                add(cell if word else float(cell) if cell else float("nan"))
        except ValueError as error:
            raise ToolError(f"{path}, line {number}: {error}", "Run the simulation again.") from error
    return columns


def thin(times_s, values, first_s, last_s, bins):
    """Return (lowest, highest, mean) of each of `bins` equal stretches of time; None where nothing lies."""
    lows, highs, sums, counts = [None] * bins, [None] * bins, [0.0] * bins, [0] * bins
    scale = bins / (last_s - first_s)
    for time_s, value in zip(times_s, values):
        if value != value:
            continue
        index = min(int((time_s - first_s) * scale), bins - 1)
        if counts[index] == 0:
            lows[index] = highs[index] = value
        elif value < lows[index]:
            lows[index] = value
        elif value > highs[index]:
            highs[index] = value
        sums[index] += value
        counts[index] += 1
    means = [total / count if count else None for total, count in zip(sums, counts)]
    return lows, highs, means


def hardest_minute(trace, minute_s=60.0, window_s=2.0):
    """Return (first_s, last_s, change_w): the minute round the largest change of the load within window_s."""
    times_s, load_w = trace.times_s, trace.columns["load_w"]
    if len(times_s) < 3:
        return None
    step_s = (times_s[-1] - times_s[0]) / (len(times_s) - 1)
    reach = max(1, round(window_s / step_s))
    if reach >= len(times_s):
        return None
    changes = [abs(late - early) for early, late in zip(load_w, load_w[reach:])]
    at = max(range(len(changes)), key=changes.__getitem__)
    if not changes[at]:
        return None
    middle_s = (times_s[at] + times_s[at + reach]) / 2
    length_s = min(max(minute_s, 20 * step_s), times_s[-1] - times_s[0])
    first_s = min(max(times_s[0], middle_s - length_s / 2), times_s[-1] - length_s)
    return first_s, first_s + length_s, changes[at]
