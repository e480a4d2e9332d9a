"""The one table of what site.json may hold: a line a key, with range, default and unit.

The board validates with it (site.config) and the JSON Schema beside it is written from it
(`python3 -m host_tools schema`), so that the two cannot disagree. `[]` in a path stands for every item of a list.
"""

from micropython import const

# All of this is const(), so that the table lies in flash.
INT = const(1)
TEXT = const(2)
ENUM = const(3)
LIST = const(4)

REQUIRED = const(None)
OPTIONAL = const(False)  # may be left out, and then is None

PROFILE = const("devices[].profile")
ROLES = const(("load", "grid", "wind", "pv", "genset", "pcs", "wind_limit", "pv_limit", "genset_control", "bms"))

_GW = const(1_000_000_000)
_EF = const(10_000_000)

# path, type, lowest or choices, highest, default, unit, meaning
ROWS = (
    ("version", INT, 1, 1, REQUIRED, "", "format of this file"),
    ("site.id", TEXT, 1, 32, REQUIRED, "characters", "name of the site in every record"),
    ("site.device", TEXT, 1, 32, REQUIRED, "characters", "name of this board in every record"),
    ("site.name", TEXT, 0, 80, "", "characters", "name of the site for people"),
    ("control.period_ms", INT, 20, 1000, REQUIRED, "ms", "control period"),
    ("control.policy", ENUM, ("self_consumption", "smooth"), 0, REQUIRED, "",
     "self_consumption: battery covers load less production; smooth: battery takes what departs from the baseline"),
    ("control.baseline_s", INT, 1, 3600, 300, "s", "time constant of the baseline that the grid follows (smooth)"),
    ("control.homing_permille", INT, 0, 1000, 100, "permille", "share of the BESS rating per whole deviation of SoC"),
    ("control.soc_home_permille", INT, 0, 1000, 500, "permille", "state of charge that homing aims at (smooth)"),
    ("control.trim_permille_per_s", INT, 0, 500, 20, "permille/s", "rate at which the grid meter corrects"),
    ("control.stale_ms", INT, 50, 60_000, 3000, "ms", "age at which a value is stale"),
    ("control.step_permille", INT, 10, 3000, 1000, "permille",
     "share of the rating by which a value may change from sample to sample without a second one that confirms it"),
    ("control.frozen_ms", INT, 1000, 600_000, 10_000, "ms",
     "time for which a value may stand still while the other meters or its own register contradict it"),
    ("limits.grid_import_w", INT, 0, _GW, REQUIRED, "W", "import cap"),
    ("limits.grid_export_w", INT, 0, _GW, REQUIRED, "W", "export cap"),
    ("limits.soc_min_permille", INT, 0, 1000, REQUIRED, "permille", "discharge stops here"),
    ("limits.soc_max_permille", INT, 0, 1000, REQUIRED, "permille", "charge stops here"),
    ("limits.ramp_w_per_s", INT, 1, 10_000_000_000, 10_000_000_000, "W/s", "fastest change of the set point"),
    ("ratings.load_w", INT, 10_000, _GW, REQUIRED, "W", "largest load"),
    ("ratings.grid_w", INT, 10_000, _GW, REQUIRED, "W", "rating of the grid connection"),
    ("ratings.wind_w", INT, 0, _GW, 0, "W", "rating of the wind plant"),
    ("ratings.pv_w", INT, 0, _GW, 0, "W", "rating of the PV plant"),
    ("ratings.genset_w", INT, 0, _GW, 0, "W", "rating of the genset"),
    ("ratings.bess_w", INT, 1000, _GW, REQUIRED, "W", "rating of the PCS, both ways"),
    ("ratings.bess_wh", INT, 100, _GW, REQUIRED, "Wh", "usable energy of the battery"),
    ("ratings.charge_efficiency_permille", INT, 500, 1000, 940, "permille", "AC to battery"),
    ("ratings.discharge_efficiency_permille", INT, 500, 1000, 940, "permille", "battery to AC"),
    ("pcs.reversion_s", INT, 2, 3600, 10, "s", "time after which the PCS falls back to zero by itself"),
    ("buses", LIST, 1, 4, REQUIRED, "buses", "RS-485 lines"),
    ("buses[].id", INT, 0, 9, REQUIRED, "", "number by which devices name the bus"),
    ("buses[].uart", INT, 0, 9, REQUIRED, "", "UART of the board, in the order of its board.py"),
    ("buses[].baud", INT, 1200, 921_600, REQUIRED, "bit/s", "speed"),
    ("buses[].parity", ENUM, ("N", "E", "O"), 0, "N", "", "parity"),
    ("buses[].stop_bits", INT, 1, 2, 1, "bits", "stop bits"),
    ("devices", LIST, 3, 16, REQUIRED, "devices", "what answers on the buses"),
    ("devices[].role", ENUM, ROLES, 0, REQUIRED, "", "what the device is for"),
    (PROFILE, TEXT, 1, 32, REQUIRED, "characters",
     "register table; of a meter a built-in one, or the user's own profiles/NAME.json in the board's folder"),
    ("devices[].bus", INT, 0, 9, REQUIRED, "", "id of its bus"),
    ("devices[].unit", INT, 1, 247, REQUIRED, "", "Modbus address"),
    ("devices[].invert", INT, 0, 1, 0, "", "1: the CT clamp looks the other way"),
    ("devices[].timeout_ms", INT, 5, 2000, 200, "ms", "longest wait for an answer"),
    ("devices[].turnaround_ms", INT, 0, 2000, OPTIONAL, "ms", "typical pause before an answer, if not the profile's"),
    ("commissioning.at_s", INT, 0, 8_589_934_592, OPTIONAL, "s", "when the following was measured, UTC since 1970"),
    ("commissioning.dead_ms", INT, 0, 600_000, OPTIONAL, "ms", "measured: from a command to the first movement"),
    ("commissioning.response_ms", INT, 0, 600_000, OPTIONAL, "ms", "measured: from a command to nine tenths of it"),
    ("commissioning.ramp_w_per_s", INT, 0, 1_099_511_627_776, OPTIONAL, "W/s", "measured: rate of change in mid-step"),
    ("commissioning.dead_band_w", INT, 0, _GW, OPTIONAL, "W", "measured: smallest set point that moves the PCS"),
    ("commissioning.error_w", INT, 0, _GW, OPTIONAL, "W", "measured: set point against power, once settled"),
    ("commissioning.discharge_limit_w", INT, 0, _GW, OPTIONAL, "W", "measured: most that was delivered when asked"),
    ("commissioning.charge_limit_w", INT, 0, _GW, OPTIONAL, "W", "measured: most that was taken when asked"),
    ("commissioning.reversion_s", INT, 0, 100_000, OPTIONAL, "s", "measured: when the PCS falls back, 0 never"),
    ("commissioning.reversion_w", INT, -_GW, _GW, OPTIONAL, "W", "measured: what it falls back to, discharge +"),
    ("factors.wind.direct_mg_per_kwh", INT, 0, _EF, 0, "mg/kWh", "emission factor"),
    ("factors.wind.lifecycle_mg_per_kwh", INT, 0, _EF, 11_000, "mg/kWh", "emission factor"),
    ("factors.pv.direct_mg_per_kwh", INT, 0, _EF, 0, "mg/kWh", "emission factor"),
    ("factors.pv.lifecycle_mg_per_kwh", INT, 0, _EF, 45_000, "mg/kWh", "emission factor"),
    ("factors.genset.direct_mg_per_kwh", INT, 0, _EF, 900_000, "mg/kWh", "emission factor"),
    ("factors.genset.lifecycle_mg_per_kwh", INT, 0, _EF, 1_100_000, "mg/kWh", "emission factor"),
    ("factors.grid.direct_mg_per_kwh", INT, 0, _EF, REQUIRED, "mg/kWh", "factor where no table row is valid"),
    ("factors.grid.lifecycle_mg_per_kwh", INT, 0, _EF, REQUIRED, "mg/kWh", "factor where no table row is valid"),
    ("factors.grid.kind", ENUM, ("default", "residual"), 0, "default", "", "what that factor is"),
    ("factors.bess_substitute.direct_mg_per_kwh", INT, 0, _EF, REQUIRED, "mg/kWh",
     "conservative factor of stored energy whose origin is unknown"),
    ("factors.bess_substitute.lifecycle_mg_per_kwh", INT, 0, _EF, REQUIRED, "mg/kWh",
     "conservative factor of stored energy whose origin is unknown"),
    ("factors.stale_s", INT, 900, 864_000, 7200, "s", "age at which a row of the factor table is stale"),
)
