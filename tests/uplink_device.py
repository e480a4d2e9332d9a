"""The real uplink over the journal in a folder, on CPython or MicroPython's unix VM, without the rest of the firmware.

uplink_device.py FOLDER PORT [OPTIONS as JSON]: runs until all records are acknowledged, or until what the options say;
prints what it notes, and last one line of JSON with its counts. The log is a FAKE: it only tells how much there is.
"""

import gc
import json
import sys

_HERE = "cpython" if sys.implementation.name == "cpython" else "vm"
sys.path[:0] = [".", "boards/UNIX", ".cache/boards/UNIX", ".cache/umqtt"]
if _HERE == "cpython":
    sys.path.append("host_tools/compat")

from firmware.core import utc as utc_module  # noqa: E402
from firmware.core.types import Setpoint, Snapshot  # noqa: E402
from firmware.hal.files import Files  # noqa: E402
from firmware.hal.unix import Platform  # noqa: E402
from firmware.log import answer, ecdsa_verify, frames, keys  # noqa: E402
from firmware.log.signer import Signer  # noqa: E402
from firmware.uplink import make  # noqa: E402
from firmware.uplink.status import Status  # noqa: E402

_DEFAULTS = {"host": "127.0.0.1", "port": 0, "tls": 0, "keepalive_s": 30, "status_s": 5, "retry_s": 1,
             "retry_max_s": 2, "ack_s": 2, "batch_bytes": 2048}
_COLLECT_EVERY = 8 if _HERE == "vm" else 4000


class Log:
    """A FAKE log: as many records as the folder's `facts.json` says; what is acknowledged is kept in a file."""

    at_rest = True
    trouble = False

    def __init__(self, files, facts):
        self._files = files
        self.size = facts["size"]
        self.prev = bytes(bytearray(facts["prev"]))
        self.acknowledged = int(files.read("acked") or b"0")

    def acknowledge(self, size):
        """Note that `size` records are stored elsewhere."""
        self.acknowledged = size
        self._files.replace("acked", b"%d" % size)
        yield

    def seal(self, body):
        """Yield while signing an answer with the board's real key."""
        signer = Signer(keys.record_scalar(self._files.read("secret.bin")))
        yield from signer.prepare()
        return (yield from answer.sealed("north", "cab-1", signer, body))

    def unforeseen(self):
        """Return what a board makes with its key: FAKE, for this one has no boots."""
        return bytes(32)
        yield

    def checkpoint(self):
        """Return the checkpoint as it is."""
        return self._files.read("journal/checkpoint.txt")

    def read_checkpoint(self, read, view):
        """Read the checkpoint as it is."""
        return (yield from read(self._files, "journal/checkpoint.txt", 0, view))


class EventLog:
    """How many events there are."""

    def __init__(self, count):
        self.count = count


def _mode():
    return "on_grid"


def _restless():
    """Return a mode() that says another one each time."""
    modes = ["on_grid", "degraded"]

    def mode():
        modes.reverse()
        return modes[0]

    return mode


def _reason():
    return "follow"


class Device:
    """One uplink and what it needs."""

    def __init__(self, folder, port, options):
        files = Files(folder)
        facts = json.loads(files.read("facts.json"))
        platform = self.platform = Platform(folder)
        platform.utc_news = False  # this one shall know no more than it is told
        clock = self.clock = utc_module.Utc()
        if options.get("utc_s"):
            clock.set(options["utc_s"] // 900, options["utc_s"] % 900 * 1000, 1, 0)
        section = dict(_DEFAULTS)
        section.update({"port": port})
        section.update(options.get("uplink", {}))
        self.log = Log(files, facts)
        snapshot = Snapshot()
        status = Status("0.0", bytes(32), 10, snapshot, Setpoint(), clock,
                        _restless() if options.get("restless") else _mode, _reason, self.log)
        config = {"site": {"id": facts["site"], "device": facts["device"]}, "uplink": section}
        self.sender, self.work = make.make(config, files, platform, clock, self.log, EventLog(facts["events"]), status,
                                           self._note, frames, ecdsa_verify)
        self.sender._settings.retry_ms = options.get("retry_ms", 100)
        self.sender._settings.retry_max_ms = options.get("retry_max_ms", 400)
        self.slices = 0

    def _note(self, source, code, text):
        print("NOTE", source, code, text)

    def turn(self):
        """Do one slice, and rest as it says."""
        self.slices += 1
        if self.slices % _COLLECT_EVERY == 0:
            self.platform.collect()  # as the scheduler does
        rest_us = next(self.work)
        if self.platform.utc_news:  # as the control tick does, without its time in between
            self.platform.utc_news = False
            self.clock.set(self.platform.utc_quarter, self.platform.utc_ms, self.platform.utc_trust, 0)
        while self.platform.commands:
            print("LINE", self.platform.commands.pop(0))
        if rest_us:
            self.platform.idle(min(rest_us, 100_000))

    def done(self):
        """Return whether everything that there is has been sent and acknowledged."""
        sender = self.sender
        return self.log.acknowledged == self.log.size and sender._state.events == sender._event_log.count \
            and sender._sealed == self.log.size

    def counts(self):
        """Return what was counted."""
        sender = self.sender
        return {"acked": self.log.acknowledged, "sessions": sender.sessions, "failures": sender.failures,
                "messages": sender.messages, "refused": sender._orders.refused, "slices": self.slices,
                "dropped": sender.session.packets.dropped, "done": sender._orders.carried_out}


def _memory():
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


def main(folder, port, options):
    """Run, and print the counts."""
    device = Device(folder, int(port), options)
    marks = []
    until = options.get("sessions")
    failures = options.get("failures")
    end_ms = options.get("end_ms", 600_000)  # for what hangs
    begin_ms = device.platform.ms()
    while (device.platform.ms() - begin_ms) & 0x3FFFFFFF < end_ms:
        device.turn()
        if until and device.sender.failures >= (until[0] if not marks else until[1]):
            marks.append(_memory())
            if len(marks) == 2:
                break
        if device.sender.failures == failures or not until and device.done():
            break
    counts = device.counts()
    counts["memory"] = marks
    print(json.dumps(counts))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]) if len(sys.argv) > 3 else {})
