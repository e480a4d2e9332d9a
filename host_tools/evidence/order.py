"""Put the units of a file in their places by number, and say in one finding what is out of place.

A unit whose signature does not hold is named by its place: between the records 4 and 6 stands record 5,
whatever it claims. One trusted record of look-ahead tells a hole (numbers go on behind it) from a stray
record (the old numbers go on behind it).
"""

_BAD_MAX = 256
_REMEMBERED = 1024


class Order:
    """Feed units in file order; the chain gets what is in its place, the findings what is not."""

    def __init__(self, findings, chain, judged_from=None):
        self.findings = findings
        self.chain = chain
        self.judged_from = judged_from
        self.first = None
        self.expected = None
        self.proven = 0
        self.bad = []
        self.held = None
        self.holes = []
        self.strays = []
        self.hashes = [(None, None)] * _REMEMBERED  # (number, hash), each at its number modulo the size

    def feed(self, unit):
        """Take the next unit of the file."""
        if unit.trusted and self.held is None and not self.bad and unit.seq == self.expected:
            self._in_place(unit)
        elif unit.foreign:
            self._foreign(unit)
        elif not unit.trusted:
            self.bad.append(unit)
            if len(self.bad) > _BAD_MAX:
                self._flush()
        else:
            held, bad = self.held, self.bad
            self.held, self.bad = None, []
            if held is not None:
                self._place(*held, unit.seq)
                if not bad and unit.seq == self.expected:
                    self._in_place(unit)
                    return
            self.held = (unit, bad)

    def finish(self):
        """Place what is left and report holes and strays."""
        self._flush()
        last = max((seq for seq, _, _ in self.strays), default=-1)
        if self.strays and last >= self.expected:
            self.holes.append((self.expected, last))
            self.expected = last + 1
        self._report_strays()
        for low, high in self.holes:
            self._missing(low, high)

    def _flush(self):
        """Place the held unit without look-ahead, then name the bad ones behind it."""
        if self.held is not None:
            held, self.held = self.held, None
            self._place(*held, None)
        if self.bad:
            bad, self.bad = self.bad, []
            if self.expected is None:
                self._begin(bad[0].seq or 0, 0, None)
            first = self.expected
            self.expected = first + len(bad)
            self._name_bad(bad, first, self.expected)

    def _place(self, unit, bad, next_seq):
        """Put a trusted unit in its place, knowing the number of the one behind it."""
        seq = unit.seq
        if self.expected is None:
            self._begin(seq, len(bad), next_seq)
        expected = self.expected
        if seq < expected:
            self._name_bad(bad, expected, expected)
            self._came_back(unit, expected)
        elif bad:
            self._hole_behind(expected, seq, self._name_bad(bad, expected, seq))
            self._in_place(unit)
        elif seq == expected:
            self._in_place(unit)
        elif next_seq is not None and next_seq in (expected, expected + 1) and next_seq != seq + 1:
            self._stray(unit, expected)
            if next_seq == expected + 1:
                self.holes.append((expected, expected))
                self.expected = expected + 1
        else:
            self._hole_behind(expected, seq, ())
            self._in_place(unit)

    def _begin(self, seq, bad_count, next_seq):
        """Fix where the numbers of this file start, from its first trusted record."""
        first = max(seq - bad_count, 0)
        if next_seq is not None and next_seq < seq and not bad_count:
            first = max(next_seq - 1, 0)
        self.first = self.expected = first
        self.chain.begin(first)
        if first:
            self.holes.append((0, first - 1))

    def _in_place(self, unit):
        self.expected = self.proven = unit.seq + 1
        self._remember(unit)
        self.chain.accept(unit)

    def _remember(self, unit):
        self.hashes[unit.seq % _REMEMBERED] = (unit.seq, unit.signed_hash)

    def _foreign(self, unit):
        code, what = unit.problem
        unit.raw = None
        place = "" if self.expected is None else f", in front of record {self.expected}"
        self.findings.add(code, f"{what}, its number {unit.seq}{place}", unit)

    def _came_back(self, unit, expected):
        """Deal with a number that has passed: the filling of a hole, a repetition or a fork."""
        seq = unit.seq
        number, known = self.hashes[seq % _REMEMBERED]
        if any(low <= seq <= high for low, high in self.holes):
            self._stray(unit, expected)
        elif number == seq and known != unit.signed_hash:
            self.findings.add("SEQ_FORKED", f"a second, different record {seq}, validly signed", unit)
        else:
            self.findings.add("SEQ_REPEATED", f"record {seq} stands here once more, before {expected}", unit)

    def _stray(self, unit, expected):
        self.strays.append((unit.seq, expected, unit))
        self._remember(unit)
        unit.raw = None
        self.chain.disturb()

    def _hole_behind(self, expected, seq, named):
        """Note the numbers from `expected` up to `seq` that no unit accounts for."""
        low = expected
        for number in (*named, seq):
            if number > low:
                self.holes.append((low, number - 1))
                self.chain.disturb()
            low = number + 1

    def _name_bad(self, bad, low, high):
        """Report bad units under the numbers of their places, `low` up to `high`; return these."""
        numbers = _numbers_for(bad, low, high)
        for unit, number in zip(bad, numbers):
            self._report_bad(unit, number, high)
        return [number for number in numbers if number is not None]

    def _report_bad(self, unit, number, high):
        code, what = unit.problem
        if number is None:
            self.findings.add(code, f"{what}, in front of record {high}", unit)
            return
        claim = "" if unit.seq in (None, number) else f" (it claims to be record {unit.seq})"
        self.findings.add(code, what + claim, unit, seq=number)
        self.chain.replace(unit, number)

    def _report_strays(self):
        """Say which records have changed places, and which were only repeated elsewhere."""
        strays = list(self.strays)
        while strays:
            seq, at, unit = strays.pop(0)
            if not self._fill(seq):
                self.findings.add("SEQ_REPEATED", f"record {seq} stands in front of {at} once more", unit)
                continue
            partner = next((s for s in strays if s[0] == at and s[1] == seq), None)
            if partner:
                strays.remove(partner)
                self._fill(at)
            what = f"record {seq} stands in front of record {at}"
            if partner or seq == at + 1:
                what = f"records {min(at, seq)} and {max(at, seq)} have changed places"
            self.findings.add("SEQ_ORDER", what, unit, seqs=[seq, at])

    def _fill(self, seq):
        """Take a number out of the holes; False if it was in none."""
        for index, (low, high) in enumerate(self.holes):
            if low <= seq <= high:
                self.holes[index : index + 1] = [
                    part for part in ((low, seq - 1), (seq + 1, high)) if part[0] <= part[1]
                ]
                return True
        return False

    def _missing(self, low, high):
        """Report numbers that nothing accounts for; --from allows them in front of the first record."""
        numbers = list(range(low, min(high + 1, low + 100)))
        what = f"record {low} is missing" if low == high else f"records {low} to {high} are missing"
        if low >= self.first:
            self.findings.add("SEQ_GAP", what, seq=low, seqs=numbers)
        elif self.judged_from is None:
            self.findings.add("HEAD_MISSING", what, seq=low, seqs=numbers)
        else:
            self.findings.add("EXCERPT", f"the file starts with record {high + 1}", seq=high + 1)


def _numbers_for(bad, low, high):
    """Give each bad unit a number from `low` up to `high`, None to those too many; claims decide."""
    if len(bad) > high - low:
        claims = {unit.seq: index for index, unit in reversed(list(enumerate(bad)))}
        numbers = [None] * len(bad)
        for number in range(low, high):
            numbers[claims.get(number, numbers.index(None))] = number
        return numbers
    numbers = []
    for index, unit in enumerate(bad):
        room = high - (len(bad) - index - 1)
        low = unit.seq if unit.seq is not None and low <= unit.seq < room else low
        numbers.append(low)
        low += 1
    return numbers

