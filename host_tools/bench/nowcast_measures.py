"""The wind nowcast on a measured year: the board's own integer code, against persistence, on 10-minute means."""

import csv
import io
import math
from collections import defaultdict
from datetime import UTC, datetime

from host_tools.bench.figures import Figure, Measure
from host_tools.bench.on_board import in_bytes, instructions, run
from host_tools.data_sources import SOURCES, obtain
from host_tools.errors import ToolError

LEADS_MIN = (10, 20, 30, 60)
_RATING_W = 8_200_000
_TURBINES = 4
_WINDOW_S = 600
_STEP_MS = 60_000
_WINDY = 0.2  # of the rating
_NAMES = (*(f"nowcast_skill_{lead}min" for lead in LEADS_MIN), "nowcast_coverage", "nowcast_coverage_windy")


def farm_year(data, year):
    """Return the mean power in W of each 10 minutes of a UTC year, None where no turbine has a value.

    As for the demonstration: of a double stamp the first value, a farm that is partly silent scaled up from the rest,
    own consumption counted as 0. A stamp is taken for the beginning of its 10 minutes; nothing here depends on it.
    """
    begin = datetime(year, 1, 1, tzinfo=UTC)
    count = int((datetime(year + 1, 1, 1, tzinfo=UTC) - begin).total_seconds()) // _WINDOW_S
    turbines = defaultdict(dict)
    for row in csv.DictReader(io.StringIO(data.decode())):
        if row["P_avg"]:
            at_s = (datetime.fromisoformat(row["Date_time"]) - begin).total_seconds()
            turbines[at_s / _WINDOW_S].setdefault(row["Wind_turbine_name"], float(row["P_avg"]))
    powers = (turbines.get(window, {}).values() for window in range(count))
    return [max(1000 * sum(known) * _TURBINES / len(known), 0.0) if known else None for known in powers]


def nowcasts(powers_w, rating_w=_RATING_W, step_ms=_STEP_MS):
    """Return (forecasts, lows, highs) in W by lead for each window, or None before the board knows any.

    The firmware is fed each window's mean in steps, and nothing in a hole: its next sample comes the later.
    """
    from firmware.control.windcast import Windcast
    from firmware.core.scale import choose_unit_w, to_pu

    unit_w = choose_unit_w(rating_w)
    cast = Windcast(to_pu(rating_w, unit_w))
    asked = (cast.forecast_pu, cast.low_pu, cast.high_pu)
    made, late_ms = [], 0
    for power_w in powers_w:
        if power_w is None:
            late_ms += _WINDOW_S * 1000
            made.append(None)
            continue
        for _ in range(_WINDOW_S * 1000 // step_ms):
            cast.add(to_pu(round(power_w), unit_w), step_ms + late_ms, False)
            late_ms = 0
        made.append(tuple([ask(lead) * unit_w for lead in LEADS_MIN] for ask in asked) if cast.known else None)
    return made


def score(powers_w, made, first=0, last=None, rating_w=_RATING_W):
    """Return {lead: skill}, coverage and coverage from 20 % of the rating on, of the nowcasts made in these windows."""
    skills, inside, windy = {}, [], []
    for number, lead in enumerate(LEADS_MIN):
        ours = naive = 0.0
        thens_w = powers_w[first + lead * 60 // _WINDOW_S:]
        for now, then, nowcast in zip(powers_w[first:last], thens_w, made[first:last]):
            if now is None or then is None or nowcast is None:
                continue
            forecast, low, high = (values[number] for values in nowcast)
            ours += (then - forecast) ** 2
            naive += (then - now) ** 2
            inside.append(low <= then <= high)
            if now > _WINDY * rating_w:
                windy.append(inside[-1])
        skills[lead] = 1 - math.sqrt(ours / naive)
    return skills, sum(inside) / len(inside), sum(windy) / len(windy)


def _said(skills, covered, windy):
    return f"skill {', '.join(f'{skills[lead]:.4f}' for lead in LEADS_MIN)}, coverage {covered:.3f}, windy {windy:.3f}"


def measure():
    """Return skill by lead and coverage over 2014."""
    data = obtain("la_haute_borne")
    if data is None:
        raise ToolError("the wind measurement could not be had",
                        f"Put it into .cache/data: {SOURCES['la_haute_borne'].file}.")
    powers_w = farm_year(data, 2014)
    made = nowcasts(powers_w)
    half = len(powers_w) // 2
    skills, covered, windy = score(powers_w, made)
    count = sum(one is not None for one in made)
    how = ("firmware/control/windcast.py fed the 10-minute means of La Haute Borne 2014 (4 turbines, 8.2 MW) in steps "
           f"of {_STEP_MS // 1000} s, {count} nowcasts from the first day on; it learns as it goes, from start values "
           "of another place; nothing below 10 minutes can be proved on this data; first half: "
           f"{_said(*score(powers_w, made, 0, half))}; second half: {_said(*score(powers_w, made, half))}; ")
    values = {f"nowcast_skill_{lead}min": (skills[lead], f"1 - RMSE / RMSE of persistence, {lead} minutes ahead")
              for lead in LEADS_MIN}
    values["nowcast_coverage"] = covered, "share of outcomes inside P10-P90, all leads pooled"
    values["nowcast_coverage_windy"] = windy, "the same where the power is above 20 % of the rating"
    return {name: Figure(round(value, 4), "fraction", how + what) for name, (value, what) in values.items()}


def _cost():
    got = run("nowcast")
    how = ("Windcast.add() at the end of 10 minutes, when it scores and learns; the end of another minute takes "
           "{minute}, a sample in between {sample}, an answer {answer} (medians); {alloc_bytes} bytes allocated")
    return {"nowcast_window_instructions": instructions(got["window"], how.format(**got)),
            "nowcast_heap_bytes": in_bytes(got["heap_bytes"], "growth of gc.mem_alloc() by one Windcast")}


def _learned():
    got = run("learned", "tests/device/test_learned.py",
              "tests/device/test_dispatch.py", "tests/device/test_files.py")
    how = ("control/learned.py writes {file_bytes} bytes to a fresh flash, slice by slice {slices}, those of littlefs "
           "included; taking the days back once the clock is known {days}, the rest at the start {start}, a look in "
           "between {look}; {garbage_bytes} bytes of garbage each time").format(**got)
    return {"learned_slice_max_instructions": instructions(max(got["slices"] + [got["days"]]), how),
            "learned_heap_bytes": in_bytes(got["heap_bytes"], "growth of gc.mem_alloc() by one Learned")}


MEASURES = (Measure("nowcast", _NAMES, measure),
            Measure("nowcast_cost", ("nowcast_window_instructions", "nowcast_heap_bytes"), _cost),
            Measure("learned", ("learned_slice_max_instructions", "learned_heap_bytes"), _learned))
