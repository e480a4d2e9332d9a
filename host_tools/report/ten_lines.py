"""Say in ten lines what the demonstration was and what came out."""

from host_tools.report.figures_of_merit import interval_count, largest_ramp
from host_tools.report.limits import SYNTHETIC
from host_tools.report.plot import number, scaled


def ten_lines(hyperscale, edge, verdicts, expected, report, wall_s):
    """Return the lines; `verdicts` holds verify's JSON per run, `expected` the quarter hours of the edge run."""
    return [
        f"Ran the firmware in {_machine(edge)}: {_hours(hyperscale)} of a training load, {_hours(edge)} of an "
        f"edge site, in {wall_s / 60:.1f} minutes.",
        f"Hyperscale: {_load(hyperscale)}; {_battery(hyperscale)}; control every {_period(hyperscale)}.",
        f"  grid off its target   {_residual(hyperscale)}",
        f"  largest change        {_ramp(hyperscale)}",
        f"Edge: {_load(edge)}; {_battery(edge)}; control every {_period(edge)}.",
        f"  own wind used         {_direct_use(edge)}",
        f"  signed records        {interval_count(edge)[0]} of {expected} quarter hours; the load's carbon was "
        f"{_carbon(edge)}",
        "Verdicts: " + "; ".join(f"{name} {_verdicts(verdict)}" for name, verdict in verdicts.items()) + ".",
        _honesty(hyperscale, edge),
        f"Report: {report}",
    ]


def _machine(run):
    vm = (run.summary.get("run") or {}).get("vm") or {}
    return vm.get("version") or vm.get("kind") or "a VM"


def _hours(run):
    duration_s = run.summary["run"]["duration_s"]
    return f"{duration_s / 3600:g} h" if duration_s >= 7200 else f"{duration_s / 60:.0f} min"


def _power(watts, digits=3):
    divisor, prefix = scaled(abs(watts))
    return f"{number(watts / divisor, digits)} {prefix}W"


def _load(run):
    load_w = run.trace.columns["load_w"]
    wind = max(run.trace.columns["wind_available_w"])
    text = f"load {_power(min(load_w))} to {_power(max(load_w))}"
    return text + (f", wind up to {_power(wind)}" if wind else "")


def _battery(run):
    ratings = run.site["ratings"]
    divisor, prefix = scaled(ratings["bess_wh"])
    return f"battery {_power(ratings['bess_w'])}, {number(ratings['bess_wh'] / divisor)} {prefix}Wh"


def _period(run):
    return f"{run.site['control']['period_ms']} ms"


def _residual(run):
    control = run.summary["control"]
    controlled, alone = control["grid_minus_target"], control["without_battery_minus_target"]
    if not controlled or not alone or not alone["rms_w"]:
        return "unknown"
    return (f"{_power(controlled['rms_w'])} RMS with the battery, {_power(alone['rms_w'])} without: "
            f"{number(100 * controlled['rms_w'] / alone['rms_w'], 2)} % of it is left")


def _ramp(run):
    found = largest_ramp(run)
    if not found:
        return "unknown"
    window_s, alone_w, controlled_w = found
    return f"{_power(controlled_w)} in {window_s:g} s with the battery, {_power(alone_w)} without"


def _direct_use(run):
    use = run.summary["energy"]["direct_renewable_use"]
    if not use:
        return "the site has none"
    with_wh, alone_wh = use["with_storage_wh"], use["without_storage_wh"]
    divisor, prefix = scaled(max(with_wh, alone_wh))
    return (f"{number(with_wh / divisor)} {prefix}Wh with the battery, {number(alone_wh / divisor)} {prefix}Wh "
            f"without: {use['gain_percent']:+.1f} %")


def _carbon(run):
    load_wh = sum(record[24][0] for record in run.intervals)
    if not load_wh:
        return "not measured"
    direct, lifecycle = (sum(record[key][0] for record in run.intervals) / load_wh / 1000 for key in (35, 36))
    return f"{direct:.1f} g/kWh direct, {lifecycle:.1f} over the life cycle"


def _verdicts(verdict):
    return ", ".join(f"{name} {verdict[name]}" for name in ("integrity", "completeness", "plausibility"))


def _honesty(*runs):
    if any(run.synthetic for run in runs):
        return "SYNTHETIC INPUT: " + SYNTHETIC
    return ("Inputs are real measurements of different places and years, the training load scaled to a worst "
            "case; the plant is a model.")
