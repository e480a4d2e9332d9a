"""Asks unit addresses on a bus for one register each, to find who answers: a master of its own, before all others.

Anything whole with a good CRC from the address that was asked is an answer, an exception too.
"""

from firmware.core import ticks
from firmware.drivers.line import modbus

_TIMEOUT_US = 200_000
_SILENCE_US = 4_000


def run(platform, config, plan, tell, stop):
    """Scan plan.scan on every bus of a site, until stop(); report each unit that answers, known or not."""
    units = plan.scan
    if not units:
        return
    known = [(device["bus"], device["unit"]) for device in config["devices"]]
    total = len(units) * len(config["buses"])
    tell.begin(plan.lines[0])
    done = 0
    for bus in config["buses"]:
        serial = platform.serial(bus["uart"], bus["baud"], bus["parity"], bus["stop_bits"])
        for unit in units:
            if stop():
                return
            if done % 8 == 0:
                tell.progress("bus %d unit %d" % (bus["id"], unit), done * 1000 // total)
            done += 1
            what = ask(platform, serial, unit, bus["baud"])
            if what is not None:
                name = "bus %d unit %d" % (bus["id"], unit)
                if (bus["id"], unit) in known:
                    tell.result("scan", name, None, "", "", "OK", None, note=what)
                else:
                    tell.result("scan", name, None, "", "", "UNKNOWN_DEVICE", None, note=what)


def ask(platform, serial, unit, baud):
    """Return what a unit answers, in words, or None for silence; input registers first, then holding registers."""
    for function in (modbus.READ_INPUT, modbus.READ_HOLDING):
        frame = bytearray(8)
        modbus.read_request(frame, unit, function, 0, 2)
        answer = _exchange(platform, serial, frame, baud)
        if answer is not None:
            if answer[1] & 0x80:
                return "answers function %d with exception %d" % (function, answer[2])
            return "answers function %d" % function
    return None


def _exchange(platform, serial, frame, baud):
    """Send one request and return the answer, checked, or None."""
    _drain(serial)
    serial.write(frame, len(frame))
    while not serial.tx_done():
        platform.idle(500)
    buf = bytearray(64)
    n = 0
    timeout_us = _TIMEOUT_US + 300_000_000 // baud
    begin_us = platform.us()
    while ticks.diff(platform.us(), begin_us) < timeout_us:
        count = min(serial.any(), len(buf) - n)
        if count:
            n += serial.readinto(buf, n, count)
            at = _find(frame, buf, n)
            if at is not None:
                platform.idle(_SILENCE_US)
                return buf[at:n]
        platform.idle(1000)
    return None


def _find(frame, buf, n):
    """Return where a whole answer of the unit begins, or None: noise and our own echo may stand before it."""
    for at in range(n - 4):
        if buf[at] != frame[0] or buf[at + 1] & 0x7F != frame[1]:
            continue
        length = 5 if buf[at + 1] & 0x80 else 5 + buf[at + 2]
        if at + length <= n and not modbus.crc16(buf, at, length):
            return at
    return None


def _drain(serial):
    junk = bytearray(64)
    while serial.any():
        serial.readinto(junk, 0, min(serial.any(), 64))
