"""Orders to a board: whatever is forged, replayed, expired, out of range, cut or random changes nothing and is counted.

The real firmware/uplink/command.py with its kinds and the real verification; clock, flash and control are FAKES that
note what reaches them. EVENKEEL_SOAK=1: a million random payloads.
"""

import json
import os
import random

import cbor2
import pytest

from firmware.hal.files import Files
from firmware.log.ecdsa_verify import Verifier
from firmware.uplink.challenge import Challenge
from firmware.uplink.command import Operators, Orders, read_operators
from firmware.uplink.kinds import Time
from firmware.uplink.state import State
from firmware.uplink.wishes import Again, Ahead, Cap, Configuration, Mode, Seal, SetPoint
from tests.uplink_rig import Operator

_NOW_S = 1_767_268_800
_RANDOM = 1_000_000 if os.environ.get("EVENKEEL_SOAK") == "1" else 3000


class _Utc:
    trust = 1
    quarter, ms = divmod(_NOW_S * 1000, 900_000)


class _Log:
    size = 40


def _secret():
    yield
    return b"known to nobody else"


class Bench:
    """One board's orders; `done` is all that ever reached it."""

    def __init__(self, folder):
        self.operator = Operator()
        self.folder = folder
        (folder / "operators.json").write_text(json.dumps({"version": 1, "keys": [self.operator.row()]}))
        (folder / "site.json").write_text("{}")
        self.files = Files(f"{folder}/")
        self.done, self.notes, self.answers = [], [], []
        post = self.done.append
        self.now_ms = 5000
        self.challenge = Challenge(_secret, lambda: self.now_ms)
        kinds = {2: SetPoint(post), 3: Mode(post), 4: Cap(post), 5: Ahead(lambda *what: post(what)),
                 6: Configuration(self.files), 7: Again(_Log, lambda seq: post(("again", seq))),
                 8: Seal(lambda: post("seal")),
                 10: Time(lambda *what: post(what), _Utc, self.challenge, lambda: self.now_ms)}
        operators = Operators(read_operators(self.files.read("operators.json")), Verifier)
        self.state = State(self.files)
        self.orders = Orders("north", "cab-1", _Utc, operators, self.state, kinds,
                             lambda *words: self.notes.append(words), self._seal)

    def _seal(self, body):
        self.answers.append(cbor2.loads(body))
        yield
        return b"sealed"

    def take(self, data):
        """Give it one message and let it work."""
        self.orders.post(data, False, self.now_ms)
        while self.orders.wanted(True):
            for _ in self.orders.work():
                pass

    @property
    def refused(self):
        return dict(self.orders.refused)

    def untouched(self):
        """Nothing has reached the board."""
        return not self.done and not self.answers and (self.folder / "site.json").read_text() == "{}" and (
            sorted(path.name for path in self.folder.iterdir()) == ["operators.json", "site.json"])


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


_GOOD = [
    (2, {1: -200_000, 2: 600, 3: "test"}, "override_w -200000 600 test"),
    (3, {1: "manual", 2: 60}, "mode manual 60 "),
    (4, {1: "import_w", 2: 800_000, 3: 3600, 4: "feeder"}, "import_w 800000 3600 feeder"),
    (5, {1: 490_000, 2: [1, 2, 300_000]}, (490_000, [1, 2, 300_000])),
    (7, {1: 39}, ("again", 39)),
    (8, {}, "seal"),
    (10, {1: _NOW_S, 2: 5}, (_NOW_S // 900, _NOW_S % 900 * 1000 + 5, 1, 5)),
]


@pytest.mark.parametrize(("kind", "words", "wanted"), _GOOD)
def test_order_is_carried_out_once_and_answered(bench, kind, words, wanted):
    data = bench.operator.sign(kind, words)
    bench.take(data)
    assert bench.done == [wanted]
    assert [row[:2] for row in bench.notes] == [("operator", "COMMAND")]
    answer = bench.answers[0]
    assert (answer[2], answer[3], answer[4], answer[6]) == (bench.operator.kid, 1, kind, _NOW_S)
    bench.take(data)
    assert bench.done == [wanted] and bench.refused == {"REPLAY": 1}


def test_number_is_used_up_across_a_restart(bench):
    data = bench.operator.sign(8, {})
    bench.take(data)
    again = Bench.__new__(Bench)
    again.__init__(bench.folder)
    again.take(data)
    assert again.done == [] and again.refused == {"REPLAY": 1}


_FAULTS = {
    "another key": ("KEY", lambda operator: Operator(2).sign(8, {})),
    "another key under this name": ("SIGNATURE", lambda operator: Operator(2).sign(8, {}, named=operator.kid)),
    "another site": ("ADDRESS", lambda operator: operator.sign(8, {}, site="south")),
    "another device": ("ADDRESS", lambda operator: operator.sign(8, {}, device="cab-2")),
    "expired": ("TIME", lambda operator: operator.sign(8, {}, k7=_NOW_S - 1)),
    "not yet valid": ("TIME", lambda operator: operator.sign(8, {}, k6=_NOW_S + 1)),
    "another version": ("VERSION", lambda operator: operator.sign(8, {}, k1=2)),
    "unknown kind": ("KIND", lambda operator: operator.sign(99, {})),
    "an acknowledgement as a command": ("KIND", lambda operator: operator.sign(1, {1: 3, 2: bytes(32)})),
    "another content type": ("TYPE", lambda operator: operator.sign(8, {}, type_="application/cbor")),
    "cut off": ("FORM", lambda operator: operator.sign(8, {})[:-1]),
    "longer": ("FORM", lambda operator: operator.sign(8, {}) + b"\0"),
    "power out of range": ("RANGE", lambda operator: operator.sign(2, {1: 10**10, 2: 5})),
    "power as text": ("RANGE", lambda operator: operator.sign(2, {1: "5", 2: 5})),
    "for ever": ("RANGE", lambda operator: operator.sign(2, {1: 5, 2: 10**9})),
    "no end": ("RANGE", lambda operator: operator.sign(2, {1: 5})),
    "a second line in the reason": ("RANGE", lambda operator: operator.sign(2, {1: 5, 2: 5, 3: "a\nmode manual 9"})),
    "unknown mode": ("RANGE", lambda operator: operator.sign(3, {1: "off", 2: 5})),
    "negative cap": ("RANGE", lambda operator: operator.sign(4, {1: "import_w", 2: -1, 3: 5})),
    "unknown cap": ("RANGE", lambda operator: operator.sign(4, {1: "soc", 2: 1, 3: 5})),
    "25 factors": ("RANGE", lambda operator: operator.sign(5, {1: 1, 2: [1] * 25})),
    "a negative factor": ("RANGE", lambda operator: operator.sign(5, {1: 1, 2: [-1]})),
    "a record not there": ("RANGE", lambda operator: operator.sign(7, {1: 40})),
    "the year 1999": ("RANGE", lambda operator: operator.sign(10, {1: 946_000_000, 2: 0})),
    "a later piece first": ("RANGE", lambda operator: operator.sign(6, {1: 9, 2: 3, 3: b"abc", 4: bytes(32)})),
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_fault_changes_nothing_and_is_counted_with_its_reason(bench, fault):
    code, make = _FAULTS[fault]
    bench.take(make(bench.operator))
    assert bench.untouched() and bench.refused == {code: 1}
    assert bench.notes[0][:2] == ("uplink", "REFUSED") and code in bench.notes[0][2]


def test_every_flipped_bit_changes_nothing(bench):
    data = bench.operator.sign(2, {1: 5, 2: 5})
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        bench.take(bytes(changed))
    assert bench.untouched() and sum(bench.refused.values()) == len(data)


def test_every_truncation_changes_nothing(bench):
    data = bench.operator.sign(2, {1: 5, 2: 5})
    for end in range(len(data)):
        bench.take(data[:end])
    assert bench.untouched() and bench.refused == {"FORM": len(data)}


def test_random_payloads_change_nothing(bench):
    """Half are noise, half are well-formed orders with the right key's name, a random signature and random words."""
    chance = random.Random(6)
    words = (0, -5, 2**40, "x", b"y", [], [1], None, True, {}, {1: 1, 2: 2}, {1: "auto", 2: 9})
    for n in range(_RANDOM):
        if n & 1:
            data = chance.randbytes(chance.randrange(1, 200))
        else:
            protected = cbor2.dumps({1: -7, 3: "application/vnd.evenkeel.command+cbor", 4: bench.operator.kid})
            body = {1: 1, 2: chance.randrange(12), 3: "north", 4: "cab-1", 5: n, 6: 0, 7: 2**32 - 1, 8: {1: 5, 2: 5}}
            body[chance.randrange(1, 10)] = chance.choice(words)
            parts = [protected, {}, cbor2.dumps(body), chance.randbytes(64)]
            data = cbor2.dumps(cbor2.CBORTag(18, parts))
        bench.take(data)
    assert bench.untouched() and sum(bench.refused.values()) == _RANDOM
    assert len(bench.notes) < 200  # a flood does not fill the event log
    print(bench.refused)


def test_configuration_comes_in_pieces_and_replaces_only_when_it_is_whole(bench):
    import hashlib

    data = json.dumps({"a": "b" * 1500}).encode()
    digest = hashlib.sha256(data).digest()
    pieces = [(at, data[at:at + 480]) for at in range(0, len(data), 480)]
    for at, piece in pieces[:-1]:
        bench.take(bench.operator.sign(6, {1: len(data), 2: at, 3: piece, 4: digest}))
        assert (bench.folder / "site.json").read_text() == "{}"
    at, piece = pieces[-1]
    bench.take(bench.operator.sign(6, {1: len(data), 2: at, 3: piece, 4: bytes(32)}))
    assert (bench.folder / "site.json").read_text() == "{}" and "not what was announced" in bench.answers[-1][5]
    for at, piece in pieces:
        bench.take(bench.operator.sign(6, {1: len(data), 2: at, 3: piece, 4: digest}))
    assert (bench.folder / "site.json").read_bytes() == data and not bench.refused
