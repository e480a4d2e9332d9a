"""Say one record in plain words."""

from host_tools.evidence import utc
from host_tools.evidence.fields import (
    CLOCKS,
    FACTOR_KINDS,
    FLAGS,
    FORMED,
    INTERVAL,
    KEY_CHANGE,
    METER_STATES,
    MIX,
    QUALITIES,
    REASONS,
    ROLES,
    SUBSTITUTES,
)


def in_words(unit):
    """Write a readable unit as a few sentences."""
    record = unit.record
    owner = "/".join(unit.header.owner) if unit.header.owner else "an unknown device"
    lines = [f"Record {record[3]} of {owner}, boot {record[4]}, {unit.size} bytes at byte {unit.offset}."]
    if unit.problem:
        lines.append(f"Something is wrong with it: {unit.problem[1]} ({unit.problem[0]}).")
    lines += _interval(record) if record[2] == INTERVAL else _gap(record)
    lines.append("Whether it is genuine, `verify` says; this is only what it states.")
    return "\n".join(lines)


def _gap(record):
    if record[2] == KEY_CHANGE:
        return [f"The board changes its keys: records are signed with {record[46][0].hex()} from the next one on, "
                f"checkpoints with {record[47][0].hex()}."]
    length = "an unknown time" if record[10] is None else f"{record[10] / 1000:g} s"
    begin, reason = utc.show(record[9]), REASONS[record[38]]
    return [f"The board states a gap of {length} from {begin} on, because of a {reason}.",
            f"The storage held {_kwh(record[28][0])} across it."]


def _interval(record):
    lines = [_when(record), _energy(record)]
    lines.append("The load was covered by " + _shares(record[26]) + ".")
    lines += _carbon(record)
    lines.append(_storage(record))
    lines += _work(record)
    lines += _registers(record)
    lines += _identity(record)
    lines.append(_quality(record))
    flags = [name for bit, name in FLAGS.items() if record[19] >> bit & 1]
    lines.append("Flags: " + (", ".join(flags) if flags else "none") + ".")
    return lines


def _when(record):
    clock = f"clock {CLOCKS[record[12]]}"
    if record[13] is not None:
        clock += f", set {record[13]} s before"
    if record[9] is None:
        return f"{record[10] / 1000:g} s from {record[11] / 1000:g} s after start-up on; {clock}."
    end_ms = record[9] + record[10]
    return f"From {utc.show(record[9])} to {utc.show(end_ms)} ({record[10] / 1000:g} s); {clock}."


def _energy(record):
    wind, pv, genset, grid, bess = record[23]
    load, charge, export, aux = record[24]
    return (f"In came wind {_kwh(wind)}, PV {_kwh(pv)}, genset {_kwh(genset)}, grid {_kwh(grid)}, "
            f"battery {_kwh(bess)}; out went load {_kwh(load)}, charge {_kwh(charge)}, "
            f"export {_kwh(export)}, auxiliaries {_kwh(aux)}; {_kwh(record[25])} are left over.")


def _shares(mix):
    total = sum(mix)
    parts = [f"{name} {100 * part / total:.1f} %" for name, part in zip(MIX, mix) if part]
    return ", ".join(parts) if parts else "nothing"


def _carbon(record):
    load_wh = record[24][0]
    lines = []
    for name, key in (("direct", 35), ("life cycle", 36)):
        grams = record[key][0] / 1e6
        each = f", {record[key][0] / load_wh / 1000:.1f} g/kWh" if load_wh else ""
        lines.append(f"Carbon of the load, {name}: {grams:.3f} g{each}.")
    since_s, _, kind = record[34]
    since = "" if since_s is None else f", valid from {utc.show(since_s * 1000)}"
    if record[42] is not None:
        lines.append(f"The genset burnt {record[42] / 1000:.3f} l, which count instead of its energy.")
    grams = record[32][3] / 1000
    lines.append(f"The grid factor was {grams:g} g/kWh direct ({FACTOR_KINDS[kind]}{since}).")
    return lines


def _work(record):
    """Say what work the load did, and what a unit of it cost."""
    done = record[43]
    if done is None:
        return []
    each = ""
    if done:
        grams = [record[key][0] / done / 1e6 for key in (35, 36)]
        each = (f": {record[24][0] / done:.6g} Wh, {grams[0]:.6g} g direct and {grams[1]:.6g} g life-cycle carbon "
                "a unit")
    return [f"{done} units of computing work were done{each}."]


def _identity(record):
    """Say which devices measured, what was witnessed, and how many events there had been."""
    lines = []
    serials = [f"{ROLES[role]} {serial}" for role, serial in record[44] if serial is not None]
    if serials:
        lines.append(f"Serial numbers: {', '.join(serials)}.")
    if record[41] is not None:
        size, root, time_s = record[41]
        lines.append(f"A witness had cosigned {size} records (root {root.hex()[:16]}..) at {utc.show(time_s * 1000)}, "
                     "as the board was told.")
    lines.append(f"The board had noted {record[40][0]} events.")
    return lines


def _storage(record):
    start, end = record[27], record[28]
    soc = "unknown" if record[31] is None else f"{record[31] / 10:g} %"
    trueup = f", trued up by {_kwh(record[30])}" if record[30] else ""
    return (f"The storage went from {_kwh(start[0])} to {_kwh(end[0])}, "
            f"with {end[1] / 1e6:.3f} g of direct carbon; {_kwh(record[29])} were lost{trueup}; "
            f"state of charge {soc}.")


def _registers(record):
    """Say for each role with registers how far they went and how its energy was formed."""
    lines = []
    for role, formed, *readings in record[39]:
        parts = []
        for i, name in enumerate(("import", "export")):
            start_wh, end_wh, difference_wh = readings[2 * i], readings[2 * i + 1], readings[4 + i]
            if end_wh is not None:
                off = "" if difference_wh is None else f" ({difference_wh:+} Wh against the power)"
                parts.append(f"{name} {_kwh(start_wh)} to {_kwh(end_wh)}{off}")
        if parts:
            lines.append(f"Registers of {ROLES[role]}: {', '.join(parts)}; its energy is by {FORMED[formed]}.")
    return lines


def _quality(record):
    rows = (f"{ROLES[row[0]]} {METER_STATES[row[5]]}, {row[1]} answers, {row[2]} time-outs, {row[3]} errors, "
            f"{row[4]} values refused" for row in record[22])
    meters = "; ".join(rows)
    text = (f"Quality {QUALITIES[record[18]]}: {record[16]} of {record[15]} control periods complete, "
            f"longest gap {record[17]} ms.")
    if record[20]:
        text += f" {_kwh(record[20])} come from substitute values ({SUBSTITUTES[record[21]]})."
    return text + (f" Meters: {meters}." if meters else "")


def _kwh(energy_wh):
    return f"{energy_wh / 1000:.3f} kWh"
