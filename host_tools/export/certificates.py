"""gc_like.json: what each source gave in each interval, in the words of granular certificates."""

import hashlib
import json

from host_tools.export.periods import month_of
from host_tools.export.records import moment
from host_tools.export.storage import device_id, efficiencies

FILE = "gc_like.json"
LABEL = ("Energy by source and interval in the attributes of granular certificates. NOT an issued certificate: no "
         "issuing body has seen it, nothing was cancelled, and it does not prove that the same energy was not sold "
         "as a guarantee of origin.")
#            name, energy_source, device_technology_type, rating in site.json, index in sources_wh
_SOURCES = (("wind", "wind", "wind_turbine", "wind_w", 0), ("pv", "solar_pv", "solar_pv", "pv_w", 1),
            ("genset", "other", "other", "genset_w", 2), ("bess", "battery_storage", "battery_storage", "bess_w", 4))
_EXPORT = 2


def document(reading, options, provenance):
    """Return the whole document as plain values."""
    factors = efficiencies(reading)
    bundles = [bundle for entry in reading.intervals if entry.record[9] is not None
               for source in _SOURCES for bundle in _bundles(reading, options, entry, source, factors)]
    return {"label": LABEL, "provenance": provenance, "stated_by_the_exporter": options.stated(),
            "certificates": bundles}


def _bundles(reading, options, entry, source, factors):
    """Yield what was used on the site and what was fed into the grid, each in whole Wh rounded down."""
    energy_wh, uses = entry.record[23][source[4]], entry.record[24]
    injected_wh, rest = divmod(energy_wh * uses[_EXPORT], sum(uses)) if sum(uses) else (0, 0)
    kept_wh = energy_wh - injected_wh - bool(rest)  # a Wh that is cut in two belongs to neither
    for quantity_wh, level in ((kept_wh, "self-consumed"), (injected_wh, "injected")):
        if quantity_wh:
            yield _bundle(reading, options, entry, source, factors, quantity_wh, level)


def _bundle(reading, options, entry, source, factors, quantity_wh, level):
    name, energy_source, technology, rating, index = source
    record, stored = entry.record, name == "bess"
    device = device_id(reading) if stored else f"{reading.owner}/{name}"
    bundle = {
        "issuance_id": f"{device}-{moment(record[9])}" + ("-injected" if level == "injected" else ""),
        "energy_carrier": "electricity", "energy_source": energy_source,
        "face_value": 1, "bundle_quantity": quantity_wh,
        "device_id": device, "device_name": f"{options.site_name or reading.site}: {name}",
        "device_technology_type": technology, "device_capacity": options.ratings.get(rating),
        "device_location": options.location,
        "production_starting_interval": moment(record[9]), "production_ending_interval": moment(entry.end_ms),
        "is_storage": stored, "storage_efficiency_factor": factors[month_of(record[9])][2] if stored else None,
        "emissions_factor_production_device": _factor(record, index),
        "emissions_factor_source": f"life cycle, kgCO2e/MWh; factor table SHA-256 {record[8].hex()}, site "
                                   f"description SHA-256 {record[7].hex()}",
        "dissemination_level": level, "issue_market_zone": options.zone,
    }
    return bundle | {"hash": content_hash(bundle, entry.sha256)}


def _factor(record, index):
    """Give kgCO2e/MWh, life cycle; of stored energy what it carried on the way out, rounded down to 3 decimals."""
    if index < 4:
        return record[33][index] / 1000
    drawn_wh, excess_wh = min(record[23][4], record[27][0]), max(record[23][4] - record[27][0], 0)
    return (record[36][5] + excess_wh * record[33][4]) // (drawn_wh + excess_wh) / 1000


def content_hash(bundle, parent):
    """Hash the attributes as JSON, keys sorted and no spaces, and behind them the hash of the record in hex."""
    text = json.dumps(bundle, sort_keys=True, separators=(",", ":")) + parent.hex()
    return hashlib.sha256(text.encode()).hexdigest()
