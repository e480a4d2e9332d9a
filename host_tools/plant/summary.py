"""summary.json: what went in, what the true energies were, and how well the grid followed its target."""

import hashlib
import json
from math import sqrt
from pathlib import Path

from host_tools.errors import read_bytes
from host_tools.plant.series import W_US_PER_WH
from host_tools.plant.utc import show_utc


class Energies:
    """The true energies at the end of the run, taken at exactly that time."""

    def __init__(self, plant, end_us):
        self._site = plant.site
        self._stored_start_wh = plant.site.battery.stored_wh(0)
        self._soc_start = plant.site.battery.soc_permille(0)
        self._result = None
        plant.agenda.calmly_at(end_us, self._take, end_us)

    def _take(self, t_us):
        site = self._site
        site.advance(t_us)
        battery = site.battery
        wh = {name: area / W_US_PER_WH for name, area in site.areas.items()}
        discharge_wh, charge_wh = battery.counters_wh(t_us)
        stored_wh = battery.stored_wh(t_us)
        value = sqrt(battery.charge_efficiency * battery.discharge_efficiency)
        direct_wh = wh["load"] - wh["import"] - wh["genset"] + (stored_wh - self._stored_start_wh) * value
        self._result = {
            "sources_wh": _rounded({"wind": wh["wind"], "pv": wh["pv"], "genset": wh["genset"],
                                    "grid_import": wh["import"], "bess_discharge": discharge_wh}),
            "uses_wh": _rounded({"load": wh["load"], "bess_charge": charge_wh, "grid_export": wh["export"]}),
            "wind_available_wh": round(wh["wind_available"]), "pv_available_wh": round(wh["pv_available"]),
            "unserved_wh": round(wh["unserved"], 1),
            "battery": {
                "soc_start_permille": round(self._soc_start, 1),
                "soc_end_permille": round(battery.soc_permille(t_us), 1),
                "soc_lowest_permille": round(1000 * battery.lowest / battery.capacity, 1),
                "soc_highest_permille": round(1000 * battery.highest / battery.capacity, 1),
                "stored_start_wh": round(self._stored_start_wh), "stored_end_wh": round(stored_wh)},
            "direct_renewable_use": _direct_use(direct_wh, wh["direct_without_storage"]),
        }

    def summary(self):
        """Return the energies, or None where the end was not reached."""
        return self._result


def _direct_use(direct_wh, alone_wh):
    """Compare the use of own renewables with that of a site without storage; None where it has none."""
    if alone_wh <= 0:
        return None
    return {"with_storage_wh": round(direct_wh), "without_storage_wh": round(alone_wh),
            "gain_percent": round(100 * (direct_wh / alone_wh - 1), 2),
            "how": "served load - import - genset + (final - initial stored) x root of the round trip; "
                   "without: min(wind + pv, load)"}


def _rounded(energies):
    return {name: round(wh, 1) for name, wh in energies.items()}


def input_entry(role, path, scale=1.0):
    """Describe one input file: name, hash, scale, and the story that lies beside it; synthetic or not."""
    path = Path(path)
    entry = {"role": role, "file": str(path), "sha256": hashlib.sha256(read_bytes(path, role)).hexdigest(),
             "scale": scale, "synthetic": path.name.startswith("synthetic_")}
    story = path.with_suffix(".json")
    if story.is_file():
        entry["story"] = json.loads(story.read_bytes())
    return entry


def run_entry(start_s, duration_s, args, version, site_bytes):
    """Describe the run itself."""
    return {"start_utc": show_utc(start_s), "duration_s": duration_s, "mode": args.mode, "seed": args.seed,
            "vm": {"kind": args.vm, "version": version},
            "site_sha256": hashlib.sha256(site_bytes).hexdigest()}
