"""One driver of the firmware against one simulated device, in virtual time on a scripted line."""

from firmware.drivers.line.bus import Bus
from firmware.drivers.profile import FOLDERS, Profiles
from firmware.drivers.regmap import Scale
from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.series import constant
from host_tools.toolchain import build_info, paths
from tests.fakes_bus import FakeClock, FakeSerial, drive, run, sealed

UNIT = 10
UNIT_W = 10
RATING_W = 30_000
REVERSION_S = 8
TURNAROUND_US = 3_000
ROLES = {"pcs": ("pcs",), "limiters": ("wind_limit", "pv_limit"), "gensets": ("genset_control",), "bms": ("bms",)}


def every():
    """Return (role, profile name) of every profile that is no meter's."""
    return [(role, name) for kind, names in build_info.devices(paths.ROOT).items() for name in names
            for role in ROLES[kind]]


def profiles():
    """Return the firmware's own profiles."""
    return Profiles(build_info.profiles(paths.ROOT), None, build_info.devices(paths.ROOT))


def config(role, name):
    """Return a site with this one device, and the meter of a public grid on a line of its own: else there is none."""
    ratings = {f"{key}_w": RATING_W for key in ("bess", "wind", "pv", "genset")}
    return {"control": {"period_ms": 100}, "ratings": {**ratings, "bess_wh": 30_000},
            "buses": [{"id": bus, "uart": bus, "baud": 115_200} for bus in (0, 1)],
            "devices": [{"role": role, "profile": name, "bus": 0, "unit": UNIT},
                        {"role": "grid", "profile": "sdm630", "bus": 1, "unit": 1}]}


class Pair:
    """A driver and its device; `device` is the driver, `slave` the simulated device."""

    def __init__(self, role, name, wind_w=20_000.0):
        assert role in FOLDERS
        self.plant = Plant(config(role, name), Inputs(constant(50_000.0), constant(wind_w), constant(12_000.0)), 0, 1)
        self.slave = self.plant.slaves[role]
        self.requests = []  # frames without CRC, as the slave saw them
        self.clock = FakeClock(1_000_000)
        self.serial = FakeSerial(self.clock, 115_200, self._answer)
        self.bus = Bus(self.serial, self.clock, 115_200)
        self.profile = profiles().device(role, name)
        self.device = self.profile.DRIVER(self.bus, UNIT, Scale(UNIT_W), reversion_s=REVERSION_S, timeout_us=50_000,
                                          profile=self.profile, rating_w=RATING_W)

    def _answer(self, frame, end_us):
        self.plant.agenda.run(end_us)
        self.plant.site.advance(end_us)
        self.requests.append(frame[:-2])
        body = self.slave.answer(frame[:-2], end_us) if frame[0] == UNIT else None
        return [] if body is None else [(end_us + TURNAROUND_US, sealed(body))]

    def start(self):
        """Find it and set it up; return the driver."""
        drive(self.device.start(), self.bus, self.serial)
        return self.device

    def go(self, seconds, each=None):
        """Let time pass, the bus at work; each(second by tenths) is called ten times a second."""
        for tenth in range(round(seconds * 10)):
            if each:
                each(tenth)
            run(self.bus, self.serial, self.clock.now_us + 100_000)
        self.plant.agenda.run(self.clock.now_us)

    def poll(self, tenth):
        """Ask for everything, as the firmware does."""
        self.device.request()
        if not tenth % 10:
            self.device.request_slow()
            self.device.heartbeat()

    def control(self, power_pu):
        """Return what to call each tenth of a second to poll and command."""
        def each(tenth):
            self.poll(tenth)
            self.device.command(power_pu)
        return each

    def now_w(self):
        """Return the battery's true power, W."""
        return self.plant.site.bess(self.clock.now_us)

    def writes(self):
        """Return the requests that were writes."""
        return [frame for frame in self.requests if frame[1] in (6, 16)]
