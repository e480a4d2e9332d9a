"""A FAKE firmware for tests of the simulated site: no part of the product, no line of the firmware's code.

It speaks the lockstep protocol, or real time when a second argument gives its end in ms; it reads
registers, commands the PCS so that the grid stays at FAKE_TARGET_W, and leaves a journal of meaningless
bytes. FAKE_MODE: follow, idle, die, fatal, stray.
"""

import json
import os
import select
import struct
import sys
import time
from pathlib import Path

BASE = 40_000


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


class Plant:
    """The other end of the pipe."""

    def __init__(self):
        self.out = b""
        self.us = 0
        self.stop = False
        self.utc = []
        self.ahead = []
        self.received = {}
        self._take()

    def send(self, kind, body=b""):
        self.out += kind + struct.pack("<H", len(body)) + body

    def report(self, kind, text):
        self.send(b"R", kind.encode() + text.encode())

    def idle(self, us):
        self.send(b"I", struct.pack("<I", us))
        self.flush()
        self._take()

    def flush(self):
        sys.stdout.buffer.write(self.out)
        sys.stdout.buffer.flush()
        self.out = b""

    def _take(self):
        """Take what is here; what is announced may come when it comes."""
        block = sys.stdin.buffer.read(192)
        kind, length, passed_us, _, _, flags, arrived = struct.unpack_from("<BHIIHBB", block)
        assert kind == 65
        block += sys.stdin.buffer.read(max(length + 3 - len(block), 0))
        self.us += passed_us
        self.stop = self.stop or bool(flags & 1)
        at = 15
        if flags & 2:
            self.utc.append(struct.unpack_from("<IIBh", block, at))
            at += 11
        if flags & 8:
            hour, n = struct.unpack_from("<IB", block, at)
            self.ahead.append([hour, *struct.unpack_from(f"<{n}I", block, at + 5)])
            at += 5 + 4 * n
        for _ in range(arrived):
            _, port, n = struct.unpack_from("<IBH", block, at)
            self.received[port] = self.received.get(port, b"") + block[at + 7:at + 7 + n]
            at += 7 + n


class Wires:
    """The same in real time: UARTs are files of the run folder, reports are printed lines."""

    def __init__(self, root, until_ms):
        self.root = root
        self.files = {}
        self.received = {}
        self.utc = []
        self.ahead = []
        self.start_s = time.monotonic()
        self.until_us = until_ms * 1000

    @property
    def us(self):
        return int((time.monotonic() - self.start_s) * 1e6)

    @property
    def stop(self):
        return self.us >= self.until_us

    def send(self, kind, body=b""):
        if kind == b"O":
            self.files[body[0]] = os.open(self.root / f"uart{body[0]}", os.O_RDWR | os.O_NOCTTY)
        elif kind == b"W":
            os.write(self.files[body[0]], body[1:])
        elif kind == b"Q":
            print("EVK Q ", flush=True)

    def report(self, kind, text):
        print("EVK", kind, text, flush=True)

    def idle(self, us):
        for fd in select.select(self.files.values(), [], [], us / 1e6)[0]:
            port = next(port for port, known in self.files.items() if known == fd)
            self.received[port] = self.received.get(port, b"") + os.read(fd, 4096)

    def flush(self):
        pass


class Board:
    def __init__(self, plant, site):
        self.plant = plant
        self.uart = {bus["id"]: bus["uart"] for bus in site["buses"]}
        for bus in site["buses"]:
            settings = (bus["uart"], bus["baud"], ord(bus["parity"]), bus["stop_bits"])
            plant.send(b"O", struct.pack("<BIBB", *settings))
        self.devices = {device["role"]: device for device in site["devices"]}

    def ask(self, role, body):
        """Return the answer's body without address, function and CRC, or None."""
        device = self.devices[role]
        port = self.uart[device["bus"]]
        request = bytes((device["unit"],)) + body
        self.plant.received[port] = b""
        self.plant.send(b"W", bytes((port,)) + request + crc(request))
        deadline_us = self.plant.us + 200_000
        while self.plant.us < deadline_us:
            self.plant.idle(deadline_us - self.plant.us)
            answer = self.plant.received[port]
            if len(answer) > 4 and crc(answer) == b"\0\0" and answer[1] == body[0]:
                self.plant.idle(2_000)
                return answer[2:-2]
        return None

    def read(self, role, code, address, count):
        answer = self.ask(role, struct.pack(">BHH", code, address, count))
        return None if answer is None else answer[1:]

    def power(self, role):
        if self.devices[role]["profile"] == "sdm630":
            data = self.read(role, 4, 0x34, 2)
            return None if data is None else struct.unpack(">f", data)[0]
        data = self.read(role, 4, 0, 4)
        return None if data is None else struct.unpack(">iHH", data)[0]

    def find(self, role, wanted):
        """Return the address of a SunSpec model."""
        assert self.read(role, 3, BASE, 2) == b"SunS"
        at = BASE + 2
        while True:
            model, length = struct.unpack(">HH", self.read(role, 3, at, 2))
            assert model != 0xFFFF
            if model == wanted:
                return at
            at += length + 2

    def command(self, model, power_w):
        values = struct.pack(">HHiihhHI", 1, 1, power_w, 0, 0, 0, 0, 10)
        self.ask("pcs", struct.pack(">BHHB", 16, model + 22, 11, 22) + values)


def follow(plant, root, site):
    board = Board(plant, site)
    target_w = int(os.environ.get("FAKE_TARGET_W", "0"))
    period_us = site["control"]["period_ms"] * 1000
    model = board.find("pcs", 704)
    tick = 0
    while not plant.stop:
        load_w = board.power("load")
        wind_w = board.power("wind") if "wind" in board.devices else 0
        if load_w is not None and wind_w is not None:
            power_w = round(load_w - wind_w - target_w)
            board.command(model, power_w)
            plant.report("T", f"ON_GRID FOLLOW {target_w} {power_w}")
        tick += 1
        while plant.us < tick * period_us and not plant.stop:
            plant.idle(tick * period_us - plant.us)
    (root / "journal" / "00000").mkdir(parents=True)
    (root / "journal" / "00000" / "00000000.cbor").write_bytes(b"first")
    (root / "journal" / "00000" / "00000001.cbor").write_bytes(b"second")
    (root / "journal" / "head.cbor").write_bytes(b"no record")
    (root / "journal" / "checkpoint.txt").write_text("a checkpoint\n")
    plant.report("E", json.dumps({"utc": plant.utc, **({"ahead": plant.ahead} if plant.ahead else {})}))
    plant.report("M", f"{tick} ticks")
    plant.send(b"Q")
    plant.flush()


def main():
    root = Path(sys.argv[1])
    mode = os.environ.get("FAKE_MODE", "follow")
    plant = Wires(root, int(sys.argv[2])) if len(sys.argv) > 2 else Plant()
    if mode == "die":
        raise SystemExit("the fake firmware dies as it was told to")
    if mode == "fatal":
        plant.report("F", "CONFIG control.period_ms: 5 is not allowed; give an integer from 20 to 1000 ms")
        plant.flush()
    elif mode == "idle":
        plant.idle(1000)
    elif mode == "stray":
        print("a stray print", flush=True)
        sys.stdin.buffer.read(1)
    else:
        follow(plant, root, json.loads((root / "site.json").read_text()))


main()
