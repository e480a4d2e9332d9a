"""Input series: CSV or CSV.gz, linear between samples, held before the first and after the last."""

import csv
import gzip
import io
import math
import zlib
from itertools import pairwise
from pathlib import Path

from host_tools.errors import ToolError, read_bytes

US_PER_S = 1_000_000
W_US_PER_WH = 3_600 * US_PER_S
_LARGEST = 1e12


class Series:
    """One quantity over time; times in whole microseconds, values as floats."""

    def __init__(self, times_us, values):
        self.times_us = times_us
        self.values = values
        self._last = len(times_us) - 1
        self._slopes = [(w - v) / (u - t) for (t, v), (u, w) in pairwise(zip(times_us, values))]
        self._sums = [0.0]
        for (t, v), (u, w) in pairwise(zip(times_us, values)):
            self._sums.append(self._sums[-1] + (v + w) * (u - t) / 2)
        self._cursor = 0
        self._marked_us = None  # where _primitive() was asked last: one piece ends where the next begins
        self._marked = 0.0

    @property
    def duration_us(self):
        """Time of the last sample, microseconds."""
        return self.times_us[-1]

    def value(self, t_us):
        """Return the value at a time, in the series' unit."""
        times = self.times_us
        i = self._cursor
        if t_us < times[i]:
            if t_us <= times[0]:
                return self.values[0]
            while t_us < times[i]:
                i -= 1
        else:
            last = self._last
            if t_us >= times[last]:
                return self.values[last]
            while t_us >= times[i + 1]:
                i += 1
        self._cursor = i
        return self.values[i] + self._slopes[i] * (t_us - times[i])

    def highest(self, start_us, end_us):
        """Return the largest value between two times, in the series' unit."""
        highest = max(self.value(end_us), self.value(start_us))
        for i in range(self._cursor + 1, self._last + 1):  # value() left it at the sample at or before the start
            if self.times_us[i] >= end_us:
                break
            highest = max(highest, self.values[i])
        return highest

    def integral(self, start_us, end_us):
        """Return the exact integral between two times, unit times microseconds."""
        before = self._marked if start_us == self._marked_us else self._primitive(start_us)
        self._marked_us = end_us
        self._marked = self._primitive(end_us)
        return self._marked - before

    def mean(self, start_us, end_us):
        """Return the mean between two times (start before end), in the series' unit."""
        return self.integral(start_us, end_us) / (end_us - start_us)

    def _primitive(self, t_us):
        value = self.value(t_us)
        times = self.times_us
        if t_us <= times[0]:
            return self.values[0] * (t_us - times[0])
        if t_us >= times[-1]:
            return self._sums[-1] + self.values[-1] * (t_us - times[-1])
        i = self._cursor  # value() left it at the sample at or before t_us
        return self._sums[i] + (self.values[i] + value) * (t_us - times[i]) / 2


class Constant(Series):
    """One value for ever."""

    def __init__(self, value):
        super().__init__([0], [value])
        self._value = value

    def value(self, _t_us):
        """Return the value, in the series' unit."""
        return self._value

    def integral(self, start_us, end_us):
        """Return the exact integral between two times, unit times microseconds."""
        return self._value * end_us - self._value * start_us


def constant(value):
    """Return a series that holds one value for ever."""
    return Constant(float(value))


def load_power(path, scale=1.0):
    """Read a `time_s,power_w` file, watts times the scale. Raises ToolError naming the bad line."""
    times_us, columns = load_columns(path, ("time_s", "power_w"))
    return Series(times_us, [value * scale for value in columns[0]])


def load_columns(path, header):
    """Read a CSV with exactly this header whose first column is time_s; return (times_us, value columns)."""
    times_us = []
    columns = [[] for _ in header[1:]]
    for line, row in read_rows(path, header):
        numbers = [_number(path, line, name, text) for name, text in zip(header, row)]
        t_us = round(numbers[0] * US_PER_S)
        if times_us and t_us <= times_us[-1]:
            raise bad_line(path, line, f"time {row[0]} s does not come after {times_us[-1] / 1e6:g} s",
                           "times that rise strictly; merge or remove double samples")
        times_us.append(t_us)
        for column, number in zip(columns, numbers[1:]):
            column.append(number)
    if not times_us:
        raise bad_line(path, 2, "there is no sample", "one line of numbers or more below the header")
    return times_us, columns


def read_rows(path, header):
    """Yield (line number, fields) of a CSV or CSV.gz below its header; empty lines are skipped."""
    path = Path(path)
    reader = csv.reader(io.StringIO(_text(path), newline=""))
    first = next(reader, [])
    if [name.strip() for name in first] != list(header):
        raise bad_line(path, 1, f"the header is {','.join(first)!r}",
                       f"exactly {','.join(header)}")
    for row in reader:
        if not row:
            continue
        if len(row) != len(header):
            raise bad_line(path, reader.line_num, f"{len(row)} fields instead of {len(header)}",
                           ",".join(header))
        yield reader.line_num, [field.strip() for field in row]


def bad_line(path, line, what, allowed):
    """Return the ToolError that refuses one line of an input file and says what is allowed there."""
    return ToolError(f"{path}, line {line}: {what}", f"Allowed: {allowed}.")


def _text(path):
    data = read_bytes(path, "input")
    try:
        if path.name.endswith(".gz"):
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ToolError(f"{path}: not text ({error})",
                        "Give a CSV file in UTF-8, gzipped if its name ends in .gz.") from error


def _number(path, line, name, text):
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise bad_line(path, line, f"{name} is {text!r}",
                       f"a finite number within +-{_LARGEST:g}")
    return number
