"""A year of load, wind and grid factors of the edge site, from the measurements, in steps of a minute.

Load: the Alibaba days 1, 3, 4, 5 in turn, each over its own mean, times 1 MW, by means of a minute: the cluster has a
beat of a minute, so that samples a minute apart are 1 % too high. Wind: La Haute Borne 2014, the sum of its
turbines, linear between the 10-minute values. Factors: Germany 2020, life cycle, hourly means, without 29 February.
Neither the same place nor the same year: aligned by calendar only.
"""

import csv
import io
from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, datetime

from host_tools.data_sources import obtain
from host_tools.errors import ToolError

DAYS = 365
MINUTES = DAYS * 1440
LOAD_DAYS = (1, 3, 4, 5)
_TURBINES = 4
_BEGIN = datetime(2014, 1, 1, tzinfo=UTC)


def load_kw(mean_kw=1000.0):
    """Return the load at each minute of the year and at its end; linear in between, as `simulate` has it."""
    year = []
    days = [_day(number) for number in LOAD_DAYS]
    for day in range(DAYS):
        year += days[day % len(days)]
    return [value * mean_kw for value in [*year, year[0]]]


def _day(number):
    rows = csv.DictReader(io.StringIO(_obtained(f"alibaba_{number}").decode()))
    power = [0.4 + 0.6 * float(row["cpu_util_percent"]) / 100 for row in rows][:8640]
    mean = sum(power) / len(power)
    return [sum(power[6 * minute:6 * minute + 6]) / (6 * mean) for minute in range(1440)]


def wind_kw():
    """Return the available wind at each minute of the year and at its end; holes are bridged in a straight line."""
    turbines = defaultdict(dict)
    for row in csv.DictReader(io.StringIO(_obtained("la_haute_borne").decode())):
        if row["P_avg"]:
            at_s = int((datetime.fromisoformat(row["Date_time"]) - _BEGIN).total_seconds())
            turbines[at_s].setdefault(row["Wind_turbine_name"], float(row["P_avg"]))
    times = sorted(turbines)
    farm = [max(sum(turbines[t].values()) * _TURBINES / len(turbines[t]), 0.0) for t in times]
    return [_at(times, farm, 60 * minute) for minute in range(MINUTES + 1)]


def _at(times, values, t_s):
    i = bisect_right(times, t_s)
    if i == 0 or i == len(times):
        return values[min(i, len(times) - 1)]
    share = (t_s - times[i - 1]) / (times[i] - times[i - 1])
    return values[i - 1] + (values[i] - values[i - 1]) * share


def factors_g():
    """Return the factor of each hour of the year, g/kWh."""
    rows = csv.DictReader(io.StringIO(_obtained("carbon_DE_lifecycle").decode()))
    hours = [float(row["carbon_intensity"]) for row in rows]
    return hours[:59 * 24] + hours[60 * 24:]


def means(values, minutes):
    """Return the means of steps of so many minutes of what is given by the minute and linear in between."""
    steps = []
    for begin in range(0, len(values) - minutes, minutes):
        part = values[begin:begin + minutes + 1]
        steps.append((sum(part) - (part[0] + part[-1]) / 2) / minutes)
    return steps


def _obtained(name):
    data = obtain(name)
    if data is None:
        raise ToolError(f"the measurement {name} cannot be had", "See `python3 -m host_tools dataset`.")
    return data
