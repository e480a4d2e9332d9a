"""How late control ticks begin while the uplink works through a real broker on the host.

Scheduler, clock, file system, keys, collection and uplink are the board's own, the way out is the UART to the bridge.
The lines are FAKE, their devices are the host's simulated ones, each answer asked for once. Virtual time stands still
while the host is asked (host_pace): its load is nobody's lateness.
"""

import gc
from array import array

import micropython
import mps2

from firmware import main as firmware_main
from firmware.core import ticks
from firmware.core.task import Task
from tests.bench.host_pace import Host, Line
from tests.bench.paced import PacedBoard
from tests.bench.tick_watch import Watch

_PAUSE_US = 5000
_WEIGH = 8


class Hosted(PacedBoard):
    """The board on FAKE lines; the host may end its run and cut its intervals."""

    def __init__(self, folder):
        PacedBoard.__init__(self, "/bench")
        self.host = Host(folder)
        self.left_us = _PAUSE_US
        self.cuts = 0
        self.weigh = 0  # collections behind which the heap is still to be weighed, -1 when that is done
        self.memory = 0  # the least that was in use
        self.heap_bytes = gc.mem_alloc() + gc.mem_free()

    def collect(self):
        """Collect garbage, and weigh what is left as the platform does now and then: more would make ticks late."""
        if self.weigh > 0:
            self._collects = 0
        PacedBoard.collect(self)
        if self.weigh > 0:
            used = self.heap_bytes - 8 * self._eighth
            self.memory = min(self.memory or used, used)
            self.weigh = self.weigh - 1 or -1

    def line(self, index, baud):
        """Return a line whose devices are the host's."""
        return Line(self.host, index, baud, 0)

    @micropython.native
    def idle(self, us):
        """Sleep until something is due or a byte comes; let the host go on now and then."""
        us = self.until_heard_us(us)
        if us <= 0:
            return
        if us > _PAUSE_US:
            us = _PAUSE_US
        self.left_us -= us
        if self.left_us <= 0:
            self.left_us = _PAUSE_US
            letter = self.host.pause()
            if letter == 115:  # s
                self.stop = True
            elif letter == 99:  # c
                self.cuts += 1
        mps2.idle_us(us)

    def report(self, kind, text):
        """Tell the host all but the telemetry."""
        if kind != "T":
            print("EVK", kind, text)


class Teller:
    """Tells the host how far things are, and does what it has asked for."""

    def __init__(self, station, watch, memory_at):
        self._station = station
        self._watch = watch
        self._memory_at = memory_at  # (failures, failures) of the uplink between which its heap is compared
        self._memory = 0
        self._cut = False  # the host is to hear when all up to the interval that it has cut is acknowledged
        self._told = array("i", (-1, -1, 0))

    def look(self):
        """Tell what has changed; cut the open interval."""
        station, told, watch = self._station, self._told, self._watch
        platform, chain = station.platform, station.chain
        late_us = max(watch.late_us, watch.reads_late_us, station.tick.late_max_us)
        if chain.size != told[0] or chain.acknowledged != told[1] or late_us > told[2]:
            told[0], told[1], told[2] = chain.size, chain.acknowledged, late_us
            print("EVK STATE", chain.size, chain.acknowledged, late_us)
        if platform.cuts and station.cutter.open_ms():
            platform.cuts -= 1
            station.cutter.cut(station.measure.snapshot)
            self._cut = True
        elif self._cut and not station.cutter.waiting and chain.acknowledged == chain.size:
            self._cut = False
            print("EVK WHOLE", chain.size)
        if self._memory_at:
            self._weigh(platform, station.uplink.failures)

    def _weigh(self, platform, failures):
        """Have the heap in use weighed behind some collections, once at each of two counts of failed sessions."""
        first, last = self._memory_at
        if platform.weigh == 0 and failures >= (last if self._memory else first):
            platform.weigh, platform.memory = _WEIGH, 0
        elif platform.weigh < 0:
            platform.weigh = 0
            if self._memory:
                self._memory_at = None
                print("EVK MEMORY", self._memory, platform.memory)
            self._memory = platform.memory


def main(folder, utc_s, slices=False, memory_at=None):
    """Run until the host says so; print the figures."""
    gc.collect()
    platform = Hosted(folder)
    station = firmware_main.build(platform)
    found = None
    if slices:
        from tests.bench.uplink_slices import Slices

        found = Slices(station.uplink)
        station.outgoing = found.watch(station.outgoing)
    if memory_at:  # no need to wait a second for each of a thousand sessions
        settings = station.uplink._settings
        settings.retry_ms = settings.retry_max_ms = 20
    watch = Watch(station)
    if utc_s:
        platform.set_utc(utc_s, 1)
    station.sched.add(Task("host", Teller(station, watch, memory_at).look, 200, 10, 9, 1000))
    station.stop = lambda: None
    station.sched._on_error = lambda name, error: print("EVK ERROR", name, type(error).__name__, error)
    gc.collect()
    print("EVK BOOT", station.chain.boot, station.chain.size, gc.mem_free())
    begin_ms = platform.ms()
    station.run()
    ran_ms = ticks.diff(platform.ms(), begin_ms)
    watch.take()
    station.uplink.session.stop()
    print("EVK END", figures(station, watch, ran_ms, found.longest if found else None))


def figures(station, watch, ran_ms, slices):
    """Return what was counted."""
    pool, sender = station.sched.pool, station.uplink
    uplink = [job for job in pool.jobs if job.name == "uplink"][0]
    gc.collect()
    return {"late_us": watch.late_us, "reads_late_us": watch.reads_late_us, "late_count": watch.late_count,
            "missed": watch.missed, "ran_ms": ran_ms, "records": station.chain.size,
            "acked": station.chain.acknowledged, "collects": pool.collects, "collect_max_us": pool.collect_max_us,
            "collects_forced": pool.collects_forced, "jobs": watch.jobs, "free_bytes": gc.mem_free(),
            "sessions": sender.sessions, "failures": sender.failures, "messages": sender.messages,
            "refused": sender._orders.refused, "done": sender._orders.carried_out, "errors": station.sched.errors,
            "slices": slices, "slice_us": uplink.longest_us, "budget_us": uplink.budget_us,
            "tasks": [(task.name, task.run_max_us, task.late_max_us) for task in station.sched.tasks],
            "waiting": station.events.waiting(), "answers": [row[1] for row in station.field.statistics()]}
