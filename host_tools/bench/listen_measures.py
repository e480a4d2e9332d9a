"""How fast one listener takes the day of a thousand boards from a real mosquitto, and what it spends its time on."""

import importlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from host_tools.bench.figures import Figure, Measure
from host_tools.evidence import keys
from host_tools.listen.arrival import Arrivals
from host_tools.listen.store import Store

_BOARDS = 1000
_RECORDS = 96  # a day
_CONNECTIONS = 20
_LIMIT_S = 3600
_BATCH = 500  # messages of eight records, as the listener commits them


class Day:
    """A day of all boards, a broker and listeners for it; `stored` are the records of the last run."""

    def __init__(self, folder, boards=_BOARDS, records=_RECORDS):
        self.rig = importlib.import_module("tests.listen_rig")
        self.folder, self.total = folder, boards * records
        self.operator = self.rig.new_operator(folder)
        self.found = self.rig.journals(boards, records)
        self.keys = self.rig.key_file(folder, self.found)

    def run(self, listeners=1, again_s=1):
        """Publish everything until every board has its acknowledgement; return the seconds that took.

        `again_s`: after so long a board sends again what has not been acknowledged.
        """
        broker = importlib.import_module("tests.broker").Broker(self.folder, (
            "allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 2000"))
        url = f"sqlite:///{self.folder}/store-{listeners}.db"
        with broker:
            processes = [self._listener(broker.port, url, number, listeners) for number in range(listeners)]
            try:
                return self._send(broker.port, processes, again_s)
            finally:
                for process in processes:
                    process.terminate()
                self.said = [process.communicate(timeout=240)[1].splitlines()[-1] for process in processes]
                self._check(url)

    def _listener(self, port, url, number, listeners):
        arguments = ["listen", "--broker", f"mqtt://127.0.0.1:{port}", "--store", url, "--keys", str(self.keys),
                     "--operator-key", str(self.folder / "operator.pem"), "--client-id", f"listener-{number}"]
        arguments += ["--group", "bench"] if listeners > 1 else []
        return subprocess.Popen([sys.executable, "-m", "host_tools", *arguments], stderr=subprocess.PIPE, text=True)

    def _send(self, port, processes, again_s):
        for process in processes:
            while "connected" not in process.stderr.readline():
                pass
        share = len(self.found) // min(_CONNECTIONS, len(self.found))
        parts = [self.found[at:at + share] for at in range(0, len(self.found), share)]
        senders = [self.rig.Boards(part, self.operator, port, f"boards-{n}", again_s)
                   for n, part in enumerate(parts)]
        begin_s = time.monotonic()
        for sender in senders:
            sender.__enter__()
        for sender in senders:
            sender.until_acknowledged(_LIMIT_S)
        took_s = time.monotonic() - begin_s
        for sender in senders:
            sender.__exit__()
        return took_s

    def _check(self, url):
        store = Store(url)
        for device, records in self.found:
            assert list(store.stream(device.site, device.device)) == records
        store.close()

    def parts(self):
        """Return (judging, storing) in seconds of processor and wall for all records, alone in this process."""
        registry, judges = keys.load(self.keys), {}
        store = Store(f"sqlite:///{self.folder}/parts.db")
        messages = [(f"evenkeel/{device.site}/{device.device}/records", b"".join(records[at:at + 8]))
                    for device, records in self.found for at in range(0, len(records), 8)]
        judged_s = stored_s = 0
        for at in range(0, len(messages), _BATCH):
            arrivals = Arrivals(registry)
            begin_s = time.monotonic()
            for topic, payload in messages[at:at + _BATCH]:
                arrivals.take(topic, payload, judges)
            judged_s += time.monotonic() - begin_s
            begin_s = time.monotonic()
            store.commit(arrivals)
            stored_s += time.monotonic() - begin_s
        store.close()
        return judged_s, stored_s


def measure(boards=_BOARDS, records=_RECORDS):
    """Return the rate of one listener and of two that share."""
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as folder:
        day = Day(Path(folder), boards, records)
        judged_s, stored_s = day.parts()
        one_s = day.run()
        two_s = day.run(2)
    how = (f"{boards} boards x {records} records over {_CONNECTIONS} connections, mosquitto, SQLite, every commit on "
           f"the disk, senders, broker and listener on the same cores, until the last acknowledgement; ")
    limits = (f"alone, judging takes {1e6 * judged_s / day.total:.0f} us a record (P-256), storing "
              f"{1e6 * stored_s / day.total:.0f} us; the rest is the client, the broker and the senders")
    return {"listen_records_per_s": Figure(round(day.total / one_s), "records/s", how + limits),
            "listen_two_records_per_s": Figure(round(day.total / two_s), "records/s",
                                               how + f"two listeners in a group: {' | '.join(day.said)}")}


MEASURES = (Measure("listen", ("listen_records_per_s", "listen_two_records_per_s"), measure),)
