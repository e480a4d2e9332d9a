"""The site on which the control tick is measured: load, grid and wind meter and PCS on one line, simulated devices."""

import json
import time

from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.crc import with_crc
from host_tools.plant.series import constant
from host_tools.toolchain import paths

_SITE = paths.ROOT / "host_tools" / "sites" / "edge.json"
_LOAD_W, _WIND_W = 1_200_000, 300_000


def config():
    """Return its site.json as a dict: the edge site without its wind limit, on one bus of 115200 baud."""
    site = json.loads(_SITE.read_text())
    site["control"].update(period_ms=100, stale_ms=60_000)
    site["buses"] = [{"id": 0, "uart": 0, "baud": 115_200}]
    site["devices"] = [{**device, "bus": 0, "profile": _PROFILES.get(device["role"], device["profile"])}
                       for device in site["devices"] if device["role"] != "wind_limit"]
    return site


_PROFILES = {"load": "generic_fast", "grid": "generic_fast"}


def answerer(site):
    """Return answer(request): what the site's simulated devices say, in the host's time."""
    plant = Plant(site, Inputs(constant(_LOAD_W), constant(_WIND_W)), 0, seed=1)
    slaves = {slave.unit: slave for slave in plant.slaves.values()}
    begin = time.monotonic_ns()

    def answer(request):
        now_us = (time.monotonic_ns() - begin) // 1000
        plant.agenda.run(now_us)
        slave = slaves.get(request[0])
        said = slave.answer(request[:-2], now_us) if slave else None
        return with_crc(said) if said else b""

    return answer
