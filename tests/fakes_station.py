"""A FAKE board around the real firmware: one scripted line, virtual time, no flash. For tests of the control tick."""

import binascii
import gc
import json

from firmware.main import Station
from firmware.site.config import load
from tests.fakes_bus import FakeClock, FakeSerial, ImageSlave, Recorder

_PCS_UNIT = 10
_BASE = 40_000


class FakePlatform(FakeClock):
    """What a Station needs of a machine; idle() moves virtual time."""

    def __init__(self, script):
        FakeClock.__init__(self)
        self.stop = False
        self.utc_news = False
        self.commands = []
        self.tell_every_ms = 1000
        self.collects_by_the_second = False
        self.line = FakeSerial(self, 115_200, script)

    def serial(self, index, baud, parity, stop_bits):
        return self.line

    def idle(self, us):
        us = max(1, min(us, 10_000))
        if self.line.incoming:
            us = max(1, min(us, self.line.incoming[0][0] - self.now_us))
        self.now_us += us

    def feed_watchdog(self):
        pass

    def collect(self):
        gc.collect()  # without, what a Station keeps lies scattered among garbage: no room for its larger arrays

    def hear_operator(self):
        pass

    def tidy(self):
        pass

    def report(self, kind, text):
        pass


def site(rating_w, wind_profile="sdm630"):
    """Return the configuration of a site whose every rating is `rating_w`."""
    devices = [("load", "generic_fast", 1), ("grid", "generic_fast", 2), ("wind", wind_profile, 3),
               ("pcs", "sunspec_der", _PCS_UNIT)]
    text = json.dumps({
        "version": 1,
        "site": {"id": "rig", "device": "rig"},
        "control": {"period_ms": 100, "policy": "self_consumption"},
        "limits": {"grid_import_w": rating_w, "grid_export_w": rating_w, "soc_min_permille": 0,
                   "soc_max_permille": 1000},
        "ratings": {"load_w": rating_w, "grid_w": rating_w, "wind_w": rating_w, "bess_w": rating_w,
                    "bess_wh": rating_w},
        "buses": [{"id": 0, "uart": 0, "baud": 115_200}],
        "devices": [{"role": r, "profile": p, "bus": 0, "unit": u} for r, p, u in devices],
        "factors": {"grid": {"direct_mg_per_kwh": 1, "lifecycle_mg_per_kwh": 1},
                    "bess_substitute": {"direct_mg_per_kwh": 1, "lifecycle_mg_per_kwh": 1}},
    })
    return load(text.encode())[0]


def _model(slave, number):
    """Return the address of a model in a SunSpec image."""
    address = _BASE + 2
    while slave.get(address)[0] != number:
        address += 2 + slave.get(address + 1)[0]
    return address


def pcs(rating_w, power_w):
    """Return a PCS of this rating, delivering this power, half charged."""
    gc.collect()  # its image is read as text
    with open("tests/vectors/sunspec_devices.json") as file:
        text = json.load(file)["pcs"]
    gc.collect()  # the other images
    slave = ImageSlave(_PCS_UNIT, _BASE, binascii.unhexlify(text))
    exponent = 0
    while rating_w * 3 // 2 // 10 ** exponent > 32_000:
        exponent += 1
    raw = rating_w // 10 ** exponent
    ratings = _model(slave, 702)
    for point in (2, 10, 11, 26, 34, 35):
        slave.put(ratings + point, [raw])
    slave.put(ratings + 45, [exponent])
    slave.put(_model(slave, 701) + 10, [power_w // 10 ** exponent])
    slave.put(_model(slave, 701) + 116, [exponent])
    slave.put(_model(slave, 704) + 55, [max(exponent - 2, 0)])
    return slave


def meter_registers(power_w):
    """Return the registers of the hypothetical fast transducer at this power."""
    return bytes((power_w >> shift) & 0xFF for shift in (24, 16, 8, 0)) + b"\x13\x88\x00\x01"


def station(rating_w, load_w, grid_w, wind_w, bess_w, wind_profile="sdm630", wind=None, read=None):
    """Return (Station, platform, recorder): the real firmware on a scripted line, its PCS found and set up.

    The wind meter's registers may be given, with its profile, and `read` that finds the user's own.
    """
    import struct

    gc.collect()  # a small board has no room for two of these and the vectors
    wind = wind or bytes(2 * 0x34) + struct.pack(">f", wind_w) + bytes(8)
    recorder = Recorder((ImageSlave(1, 0, meter_registers(load_w)), ImageSlave(2, 0, meter_registers(grid_w)),
                         ImageSlave(3, 0, wind), pcs(rating_w, bess_w)))
    platform = FakePlatform(recorder)
    made = Station(platform, site(rating_w, wind_profile), read)
    for rest_us in made.field.pcs.start():
        made.field.poll()
        platform.idle(rest_us or 1)
    assert made.field.pcs.ready
    return made, platform, recorder


def one_period(made, platform):
    """Run one control period: ask, hear, tick, command, hear. Allocates nothing itself."""
    field = made.field
    field.start_cycle()
    field.look_back()
    field.pcs.request_slow()
    _settle(field, platform)
    made.control_tick()
    _settle(field, platform)


def _settle(field, platform):
    for _ in range(60):
        field.poll()
        platform.now_us += 875
