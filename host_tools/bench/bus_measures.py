"""The bus: how old the load is in the set point made from it, and what a site's requests take at each baud rate."""

import importlib
import json
from types import SimpleNamespace

from host_tools.bench.figures import Figure, Measure
from host_tools.bench.on_board import HOW, PACED, run
from host_tools.errors import ToolError
from host_tools.toolchain import build_info, paths

BAUDS = (9600, 19_200, 38_400, 115_200)
_SITE = paths.ROOT / "host_tools" / "sites" / "edge.json"
_UNIT_W = 100
_SITES = {"two": "20 ms, load and grid on one bus, PCS on another", "one": "50 ms, load, grid and PCS on one bus"}
_PART = ("{what}: mean {took_us} us (worst {worst_us}, {late} of {rounds} at 1.25 times the wire or above; {left_out} "
         "left out, in which the FAKE line met a new request, {firsts} behind a standstill) over {ideal_us} us = pause "
         "{pause_us} + answer {answer_us} + silence on the same line {between_us} + set point frame {setpoint_us}; a "
         "round of the load's bus takes {cycle_us} us; set points by their time, in steps of 100 us: {sizes}")


def _latency():
    got = run("bus_latency", *PACED)
    ratios, worst, ages, parts = {}, {}, {}, []
    for name, what in _SITES.items():
        row = got[name]
        if row["errors"] or not row["records"] or row["firsts"] > 1:
            raise ToolError(f"{what}: {row['errors']} errors, {row['records']} records, {row['firsts']} times a set "
                            "point behind a standstill", "See what the board says.")
        ratios[name] = row["took_us"] / row["ideal_us"]
        worst[name] = row["worst_us"] / row["ideal_us"]
        ages[name] = row["took_us"] / row["cycle_us"]
        parts.append(_PART.format(what=what, **row))
    how = (f"{HOW}; the whole firmware from its start on for {got['two']['seconds']} s each, with log, keys, "
           "collections and a record closed and signed; FAKE lines at the pace of 115200 baud, devices that answer "
           "3.5 characters after a request: from the last byte of the load meter's request to the last byte of the "
           "set point; the larger of " + "; ".join(parts))
    return {"bus_latency_over_wire_ratio": Figure(round(max(ratios.values()), 4), "ratio", how),
            "bus_latency_worst_over_wire_ratio": Figure(round(max(worst.values()), 4), "ratio", how),
            "bus_load_age_cycles": Figure(round(max(ages.values()), 4), "bus cycles", how)}


def _budget():
    figures = {}
    for baud in BAUDS:
        made, rows, loads = reckoned(baud)
        print("\n".join(lines(baud, loads)))
        shortest_ms = importlib.import_module("firmware.drivers.line.budget").shortest_ms(made, rows)
        print(f"shortest control period that holds at {baud}: {shortest_ms or 'none up to 1000'} ms\n", flush=True)
        how = ("firmware.drivers.line.budget on host_tools/sites/edge.json with all buses at this speed, all requests "
               "of one second of its control period, the busier bus; line by line in the output of `bench`")
        figures[f"wire_budget_{baud}_us"] = Figure(max(load.busy_us for load in loads), "us", how)
        figures[f"wire_budget_{baud}_period_ms"] = Figure(
            shortest_ms, "ms", f"shortest control period that this site holds at {baud}, 0 for none; {how}")
    return figures


def reckoned(baud):
    """Return (field, its bus rows, the Load of each bus) of the edge site with all its buses at this speed."""
    budget, field, profile, config = (importlib.import_module(f"firmware.{name}") for name in (
        "drivers.line.budget", "drivers.field", "drivers.profile", "site.config"))
    site = json.loads(_SITE.read_bytes())
    for row in site["buses"]:
        row["baud"] = baud
    site, _ = config.load(json.dumps(site).encode())
    known = profile.Profiles(build_info.profiles(paths.ROOT), None, build_info.devices(paths.ROOT))
    made = field.Field(site, _Still(), _UNIT_W, known)
    return made, site["buses"], budget.loads(made, site["buses"], site["control"]["period_ms"] * 1000)


class _Still:
    """A FAKE board on which nothing moves."""

    def us(self):
        """Return no time."""
        return 0

    ms = us

    def serial(self, index, baud, parity, stop_bits):
        """Return a line on which nothing is sent."""
        return SimpleNamespace(any=self.us, readinto=None, write=None, tx_done=None)


def lines(baud, loads):
    """Yield the budget line by line."""
    yield (f"wire budget at {baud}: {'request':26} {'bytes':>5} {'wire us':>8} {'silence us':>10} "
           f"{'turn-around us':>14} {'total us':>8} {'a period':>8}")
    for load in loads:
        for r in load.requests:
            what = f"bus {load.bus_id} {r.role} {r.what}"
            yield (f"{'':{len(str(baud)) + 17}}{what:26} {r.count:5} {r.wire_us:8} {r.silence_us:10} "
                   f"{r.turnaround_us:14} {r.total_us:8} {r.times(load.period_us) / 1000:8.2f}")
        yield (f"bus {load.bus_id}: {load.busy_us} us in a period of {load.period_us} us, {load.permille} permille; "
               f"set point out after {load.chain_us} us")


_WIRE = tuple(f"wire_budget_{baud}_{unit}" for baud in BAUDS for unit in ("us", "period_ms"))
MEASURES = (
    Measure("bus_latency", ("bus_latency_over_wire_ratio", "bus_latency_worst_over_wire_ratio",
                            "bus_load_age_cycles"), _latency),
    Measure("wire_budget", _WIRE, _budget),
)
