"""Every profile's life on the emulated board, one after the other on one bus: found, read, commanded, lost, regained.

The board runs _LIFE for each device and says how far it has come ("EVK word unit ..."); it waits for a letter before
it goes on, so that whoever looks at the plant in between looks at the right moment.
"""

import json
import os
import queue
import threading
from textwrap import dedent

from host_tools.toolchain.emulator import Emulator

WAIT_S = 120  # for a board that hangs; nothing is asserted by it

_LIFE = """
    import gc, json, select, sys
    import board, build_info
    from firmware.core import ticks
    from firmware.drivers.line.bus import Bus
    from firmware.drivers.meter import Meter
    from firmware.drivers.profile import FOLDERS, Profiles
    from firmware.drivers.regmap import Scale
    from firmware.hal.open import open_platform
    platform = open_platform(board, "board", "/")
    gc.enable()  # no tick has to be kept here
    serial = platform.serial(0, 115200, "N", 1)
    profiles = Profiles(build_info.PROFILES, None, build_info.DEVICES)
    console = select.poll()
    console.register(sys.stdin, select.POLLIN)

    class Life:
        def __init__(self, role, name, unit):
            self.unit = unit
            self.meter = role not in FOLDERS
            self.sought = not self.meter
            self.bus = bus = Bus(serial, platform, 115200)
            if self.meter:
                profile = profiles.load(name)
                self.sought = profile.driver is not None
                self.device = (profile.driver or Meter)(bus, unit, profile, Scale({unit_w}), 1, 200000)
            else:
                profile = profiles.device(role, name)
                self.device = profile.DRIVER(bus, unit, Scale({unit_w}), reversion_s={reversion_s}, timeout_us=200000,
                                             lost_after=2, profile=profile, rating_w={rating_w})
            self.reading = self.device.soc if role == "bms" else self.device.power
            self.last_ms = platform.ms()
            self.power_pu = 0
            self.commanded = role != "bms"
            self.near_pu = 0 if role == "genset_control" else 12

        def turn(self):
            # one look at the bus, and ten times a second all that the firmware asks for
            self.bus.poll()
            device = self.device
            if ticks.diff(platform.ms(), self.last_ms) >= 100:
                self.last_ms = platform.ms()
                device.request()
                device.request_slow()
                if not self.meter:
                    device.heartbeat()
                    device.command(self.power_pu)

        def until(self, holds, lose=False):
            # a host that is busy with other things loses a device that it was not asked to lose: find it again
            begin_ms = platform.ms()
            while not holds():
                if not lose:
                    self.find()
                if ticks.diff(platform.ms(), begin_ms) > {limit_ms}:
                    raise Exception("unit %d: %s" % (self.unit, self.state()))
                self.turn()

        def say(self, word):
            self.told = False
            print("EVK", word, self.unit, self.state())
            self.until(self.heard, True)

        def heard(self):
            if console.poll(0):
                sys.stdin.read(1)
                return True
            return False

        def state(self):
            device, reading = self.device, self.reading
            if self.meter:
                values = device.values()
                lively = values.get("frequency_mhz", values.get("voltage_l1_mv"))
                return json.dumps([1, "", reading.count, reading.value, device.slow.count, lively])
            return json.dumps([device.ready, device.trouble, reading.count, reading.value, device.applied.value,
                               device.soc.value if hasattr(device, "soc") else 0])

        def find(self):
            if not self.sought or self.device.ready:
                return
            begin_ms = platform.ms()
            while not self.device.ready:
                for _ in self.device.start():
                    self.bus.poll()
                if ticks.diff(platform.ms(), begin_ms) > {limit_ms}:
                    raise Exception("unit %d: %s" % (self.unit, self.device.trouble))

        def fresh(self):
            count = self.reading.count
            self.until(lambda: self.reading.count >= count + 3)

        def live(self):
            self.find()
            self.say("FOUND")
            self.fresh()
            if self.meter:
                self.until(lambda: self.device.slow.count)
            self.say("READ")
            if not self.meter:
                self.power_pu = {power_pu}
                if self.commanded:
                    self.device.command(self.power_pu)
                    applied = self.device.applied
                    self.until(lambda: applied.count and abs(applied.value - self.device.asked_pu()) <= self.near_pu)
                    self.fresh()
                self.say("COMMANDED")
            fails = self.reading.fails
            self.say("LOSE")
            self.until(lambda: not self.device.ready if not self.meter else self.reading.fails >= fails + 2, True)
            self.say("LOST")
            self.power_pu = 0
            self.find()
            self.fresh()
            self.say("REGAINED")

    for role, name, unit in json.loads('{rows}'):
        gc.collect()
        Life(role, name, unit).live()
    print("EVK END 0 []")
"""


def lives(folder, ports, rows, facts, each):
    """Let the board live through rows of (role, profile, unit); each(word, unit, state) sees every step."""
    emulator = Emulator(folder / "flash.bin", {1: ports[0]})
    with emulator:
        process = emulator.spawn(dedent(_LIFE).format(rows=json.dumps(rows), **facts))
        news = queue.SimpleQueue()
        ears = threading.Thread(target=_listen, args=(process.stdout, news), daemon=True)
        ears.start()
        said = []
        try:
            _walk(emulator, news, said, each)
        finally:
            process.kill()
            process.wait()
            ears.join(WAIT_S)


def _walk(emulator, news, said, each):
    while True:
        line = news.get(timeout=WAIT_S)
        assert line is not None, "the board ended:\n" + "\n".join(said[-30:])
        said.append(line)
        if not line.startswith("EVK "):
            continue
        _, word, unit, state = line.split(" ", 3)
        if word == "END":
            return
        each(word, int(unit), json.loads(state))
        console = os.open(emulator.pty, os.O_WRONLY | os.O_NOCTTY)
        os.write(console, b"g")
        os.close(console)


def _listen(stdout, news):
    with stdout:
        for line in iter(stdout.readline, b""):
            news.put(line.decode("utf-8", "replace").rstrip())
    news.put(None)
