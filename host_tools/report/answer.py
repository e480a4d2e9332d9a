"""Say in words what a quarter hour was: where its power came from, its carbon, the battery, how good the evidence is.

The page says the same with `lookup.js`: both work with whole numbers only, so that they agree to the letter, and
`tests/test_report_browser.py` compares them for every quarter hour.
"""

from host_tools.evidence import utc
from host_tools.evidence.fields import FACTOR_KINDS, FLAGS, QUALITIES
from host_tools.evidence.origin import ORIGINS

NAMES = ("wind", "PV", "genset", "grid", "stored before the first record", "beyond what was stored")
_STRAIGHT = tuple(f"straight_{name}" for name in ORIGINS[:4])
_STORED = tuple(f"stored_{name}" for name in ORIGINS)
COLUMNS = (
    "seq", "start_ms", "duration_ms", "load_wh", *_STRAIGHT, *_STORED, "wind_wh", "pv_wh", "genset_wh", "import_wh",
    "discharge_wh", "charge_wh", "export_wh", "direct_ug", "lifecycle_ug", "pool_wh", "pool_direct_ug", "soc_permille",
    "grid_direct_mg", "grid_lifecycle_mg", "factor_kind", "ticks_ok", "ticks_expected", "quality", "flags",
    "substituted_wh", "work")


def row_of(entry):
    """Return the whole numbers that an answer is made of, in the order of COLUMNS; -1 for what is not known."""
    record, flow = entry.record, entry.flow
    stored = flow.from_battery[0][0]
    soc, work = (-1 if record[key] is None else record[key] for key in (31, 43))
    return [record[3], record[9], record[10], record[24][0], *record[26][:4], *stored, *record[23],
            record[24][1], record[24][2], record[35][0], record[36][0], record[28][0], record[28][1], soc,
            record[32][3], record[33][3], record[34][2], record[16], record[15], *(record[key] for key in (18, 19, 20)),
            work]


def sentences(row):
    """Return the answer as sentences, the short one first; `row` is a dict by COLUMNS."""
    return [_was_it_wind(row), _origin(row), _carbon(row), _battery(row), _factor(row), _quality(row)]


def rounded(numerator, denominator, places):
    """Write a ratio of whole numbers rounded half up, with so many decimals, thousands not apart."""
    value = (2 * numerator * 10**places + denominator) // (2 * denominator)
    return f"{value // 10**places}.{value % 10**places:0{places}d}" if places else str(value)


def _share(part, total):
    return rounded(100 * part, total, 1)


def _kwh(energy_wh):
    return rounded(energy_wh, 1000, 3) + " kWh"


def _parts(row):
    """Return [(name, Wh straight, Wh out of the battery)] of the load, those above zero."""
    straight = [row[name] for name in _STRAIGHT] + [0, 0]
    stored = [row[name] for name in _STORED]
    return [(name, a, b) for name, a, b in zip(NAMES, straight, stored) if a or b]


def _was_it_wind(row):
    total = sum(a + b for _, a, b in _parts(row))
    if not total:
        return "Nothing to tell: the load took nothing."
    wind = row["straight_wind"] + row["stored_wind"]
    share = f"{_share(wind, total)} % of the load"
    if wind * 100 >= total * 95:
        return f"Yes, it was wind: {share}."
    if wind * 2 >= total:
        return f"Mostly wind: {share}."
    if wind * 1000 >= total:
        return f"Partly wind: {share}."
    return "No, it was not wind."


def _origin(row):
    parts = _parts(row)
    total = sum(a + b for _, a, b in parts)
    words = []
    for name, straight, stored in parts:
        through = f" ({_share(stored, total)} % through the battery)" if stored and name in NAMES[:4] else ""
        words.append(f"{name} {_share(straight + stored, total)} %{through}")
    end = utc.show(row["start_ms"] + row["duration_ms"])
    return (f"From {utc.show(row['start_ms'])} to {end} the load took {_kwh(row['load_wh'])}"
            + (": " + "; ".join(words) if words else "") + ".")


def _carbon(row):
    if not row["load_wh"]:
        return "There was no load to carry carbon."
    parts = [f"{rounded(row[name], 10**9, 3)} kg {what}, {rounded(row[name], row['load_wh'] * 1000, 1)} g/kWh"
             for name, what in (("direct_ug", "direct"), ("lifecycle_ug", "over the life cycle"))]
    text = f"Its carbon was {parts[0]}; {parts[1]}."
    if row["work"] > 0:
        each = rounded(row["direct_ug"], row["work"] * 1000, 3)
        text += f" {row['work']} units of work were done with it, at {each} mg direct each."
    return text


def _battery(row):
    words = [f"took in {_kwh(row['charge_wh'])}"] if row["charge_wh"] else []
    words += [f"gave {_kwh(row['discharge_wh'])}"] if row["discharge_wh"] else []
    words = words or ["rested"]
    held = f"and held {_kwh(row['pool_wh'])} at the end"
    if row["pool_wh"]:
        held += f", at {rounded(row['pool_direct_ug'], row['pool_wh'] * 1000, 1)} g/kWh direct"
    soc = "" if row["soc_permille"] < 0 else f" (state of charge {rounded(row['soc_permille'], 10, 1)} %)"
    return f"The battery {' and '.join(words)} {held}{soc}."


def _factor(row):
    return (f"The grid factor was {rounded(row['grid_direct_mg'], 1000, 1)} g/kWh direct, "
            f"{rounded(row['grid_lifecycle_mg'], 1000, 1)} g/kWh over the life cycle "
            f"({FACTOR_KINDS[row['factor_kind']]}).")


def _quality(row):
    words = f"Record {row['seq']} is {QUALITIES[row['quality']]}"
    if row["ticks_expected"]:
        words += f"; {_share(row['ticks_ok'], row['ticks_expected'])} % of its control periods had every measurement"
    if row["substituted_wh"]:
        words += f"; {_kwh(row['substituted_wh'])} come from substitute values"
    flags = [name for bit, name in FLAGS.items() if row["flags"] >> bit & 1]
    return words + ("; " + ", ".join(flags) if flags else "") + "."
