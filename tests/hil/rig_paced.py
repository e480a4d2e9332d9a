"""A paced board with a journal, a real broker and the real listener: what tests of the uplink in time need."""

import json

from host_tools.bench import networked_board
from host_tools.operators import message
from tests import listen_rig

UTC_S = 1_767_268_740  # a minute before a quarter hour ends
SITE, DEVICE = "north", "cab-1"


def store_url(folder):
    """Return where a listener of this folder stores."""
    return f"sqlite:///{folder}/store.db"


class Made:
    """A journal of `count` records on a flash file, an operator, and the keys for a listener."""

    def __init__(self, folder, count, full=False):
        self.folder = folder
        self.operator = listen_rig.new_operator(folder)
        self.found = listen_rig.journals(1, count)
        self.device, self.records = self.found[0]
        self.keys = listen_rig.key_file(folder, self.found)
        self._number = 0
        operators = json.dumps({"version": 1, "keys": [self.operator.row("test")]}).encode()
        self.flash = folder / "made.bin"
        self.facts = networked_board.make_flash(
            self.flash, {"operators.json": operators, "secret.bin": self.device.secret}, self.records, full)
        assert self.facts["records"] == count

    def board(self, folder, port, **uplink):
        """Return a PacedBoard on a fresh copy of the flash, its broker at this port."""
        return networked_board.PacedBoard(folder / "board", self.flash, networked_board.config(port, **uplink))

    def listening(self, folder, port):
        """Run the real listener with a store in this folder, as a context."""
        return listen_rig.listening(port, store_url(folder), self.keys, self.operator)

    def send(self, listener, kind, words):
        """Have a listener's connection bring an order to the board."""
        listener._link.publish(f"evenkeel/{SITE}/{DEVICE}/command", self.order(kind, words))

    def order(self, kind, words, begin_s=UTC_S - 3600, end_s=UTC_S + 36_000):
        """Return a signed order to the board."""
        self._number += 1
        return message.message(self.operator, kind, SITE, DEVICE, self._number, words, begin_s, end_s)


def acked(size):
    """Return what wait_for("STATE") is to hold: so many records are known to be stored."""
    return lambda words: int(words[1]) >= size


def in_time(figures):
    """Assert that every tick and every period's reads began within a millisecond, that no slice of the uplink that can
    be cut was longer than declared, and that nothing went wrong.
    """
    late_us = max(figures["late_us"], figures["reads_late_us"])
    print(f"{figures['ran_ms'] / 1000:.1f} virtual s, {late_us} us late at most, {figures['sessions']} sessions, "
          f"{figures['failures']} failures, {figures['messages']} messages, {figures['acked']} acknowledged")
    assert figures["slice_us"] <= figures["budget_us"], figures
    assert late_us <= 1000 and figures["late_count"] == figures["missed"] == figures["errors"] == 0, figures


def same(listener, made, board):
    """Assert that the store has the journal as it lies on the flash: each record once, byte for byte."""
    stored = list(listener.store.stream(SITE, DEVICE))
    assert stored[: len(made.records)] == made.records
    assert stored == board.pulled() and not listener.store.quarantine()
    return len(stored)
