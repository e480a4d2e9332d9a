"""What tests of the virtual bus share: a site with one of each device, and frames sent to it by hand."""

import struct

from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.crc import crc16, with_crc
from host_tools.plant.series import Series, constant

SECOND = 1_000_000
SITE = {
    "site": {"id": "s", "device": "d"}, "control": {"period_ms": 100},
    "ratings": {"bess_w": 40_000_000, "bess_wh": 20_000_000, "wind_w": 8_000_000},
    "buses": [{"id": 0, "uart": 0, "baud": 38_400}, {"id": 7, "uart": 1, "baud": 9600, "parity": "E"}],
    "devices": [
        {"role": "load", "profile": "sdm630", "bus": 0, "unit": 1},
        {"role": "grid", "profile": "generic_fast", "bus": 0, "unit": 2},
        {"role": "wind", "profile": "sdm630", "bus": 7, "unit": 3, "invert": 1},
        {"role": "pcs", "profile": "sunspec_der", "bus": 7, "unit": 10},
        {"role": "wind_limit", "profile": "sunspec_limit", "bus": 7, "unit": 11}],
}


def make_plant():
    """Return a plant whose load rises by 100 kW/s and whose wind stands at 5 MW."""
    load = Series([0, 100 * SECOND], [60e6, 70e6])
    return Plant(SITE, Inputs(load, constant(5e6)), 1_704_067_200, 1)


def send(plant, port, body, wait_us=SECOND, crc=None):
    """Write a frame and return [(time us, bytes)] of what arrives within a time."""
    frame = with_crc(body) if crc is None else body + crc
    plant.ports[port].write(frame)
    end_us = plant.agenda.now_us + wait_us
    arrived = []
    while plant.agenda.now_us < end_us:
        plant.agenda.run(end_us)
        arrived += [(plant.agenda.now_us, data) for _, data in plant.inbox]
        plant.inbox.clear()
    return arrived


def read(plant, port, unit, code, address, count):
    """Return the registers of a good answer as bytes."""
    ((_, data),) = send(plant, port, struct.pack(">BBHH", unit, code, address, count))
    assert data[:3] == bytes((unit, code, 2 * count)) and not crc16(data)
    return data[3:-2]


def write(plant, port, unit, address, data):
    """Write registers by FC16; return the answer."""
    head = struct.pack(">BBHHB", unit, 16, address, len(data) // 2, len(data))
    ((_, answer),) = send(plant, port, head + data)
    return answer
