"""What the page shows of one board: where power goes now, the last day's quarter hours, events, verdict."""

import json

from firmware.control.reasons import NAMES, SENTENCES  # what the words mean; nothing is judged here
from host_tools.evidence import utc
from host_tools.evidence.cose import frame_at, make_frame
from host_tools.evidence.envelope import read_payload
from host_tools.evidence.fields import INTERVAL
from host_tools.fleet.status import BoardStatus

_DAY = 96  # quarter hours
_EVENTS = 60
_SOURCES = ("wind", "pv", "genset", "grid", "bess")
_WORDS = dict(zip(NAMES, SENTENCES))
_POWERS = ("load_w", "wind_w", "pv_w", "genset_w", "bess_w", "grid_w", "setpoint_w", "soc_permille")


def flow(said):
    """Return what feeds what now, in W: sources, uses, and the share of each source in the load; None if unknown.

    Positive: BESS discharge, grid import, production, consumption (as everywhere).
    """
    power = {name: said.get(name) for name in _POWERS}
    if type(power["load_w"]) is not int:
        return None
    known = {name: value if type(value) is int else 0 for name, value in power.items()}
    sources = {"wind": max(known["wind_w"], 0), "pv": max(known["pv_w"], 0), "genset": max(known["genset_w"], 0),
               "grid": max(known["grid_w"], 0), "bess": max(known["bess_w"], 0)}
    uses = {"load": max(known["load_w"], 0), "charge": max(-known["bess_w"], 0), "export": max(-known["grid_w"], 0)}
    total = sum(sources.values())
    return {"sources_w": sources, "uses_w": uses, "setpoint_w": power["setpoint_w"],
            "soc_permille": power["soc_permille"],
            "load_permille": {name: 1000 * value // total if total else 0 for name, value in sources.items()}}


def point(said, now_ms):
    """Return one point of the live line: what the board said, and when it was heard."""
    return {"at_ms": now_ms} | {name: said.get(name) for name in _POWERS}


def quarters(store, site, device, size):
    """Return the last day's intervals of a board, oldest first: energies, origin of the load, carbon, the pool."""
    rows = []
    for raw in store.stream(site, device, max(size - _DAY, 0)):
        record, _ = read_payload(make_frame(None, 0, raw, 0, frame_at(raw, 0)).payload)
        if record is None or record[2] != INTERVAL:
            continue
        load_wh, pool = record[24][0], record[28]
        rows.append({
            "seq": record[3], "start_utc": None if record[9] is None else utc.show(record[9]),
            "load_wh": load_wh, "charge_wh": record[24][1], "discharge_wh": record[23][4],
            "mix_wh": dict(zip(_SOURCES, record[26])),
            "load_direct_mg_per_kwh": record[35][0] // load_wh if load_wh else None,
            "load_lifecycle_mg_per_kwh": record[36][0] // load_wh if load_wh else None,
            "pool_wh": pool[0], "pool_direct_mg_per_kwh": pool[1] // pool[0] if pool[0] else None,
            "pool_lifecycle_mg_per_kwh": pool[2] // pool[0] if pool[0] else None})
    return rows


def events(store, site, device):
    """Return the last events of a board, newest first."""
    lines = [json.loads(line) for line in store.last_events(site, device, _EVENTS)]
    return [{name: line.get(name) for name in ("seq", "utc_ms", "source", "code", "text")} for line in lines]


def board(store, row, refused, now_ms):
    """Return everything the page shows of one board, but its live line and verdict."""
    said = json.loads(row["status"]) if row["status"] else {}
    name = row["site"], row["device"]
    return {"status": BoardStatus(row, now_ms, refused).as_json(), "now": flow(said),
            "reason": said.get("reason"), "reason_text": _WORDS.get(said.get("reason")),
            "quarters": quarters(store, *name, row["size"]), "events": events(store, *name)}
