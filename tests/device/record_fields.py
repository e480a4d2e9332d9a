"""An Interval out of the vectors, where hashes stand as hex: what the tests and benchmarks on boards begin with."""

from binascii import unhexlify

from firmware.core.types import Interval
from firmware.log.layout import INTERVAL_FIELDS

LONGEST = (1 << 63) - 1


def interval(fields):
    """Return an Interval with the attributes of one of the vectors' records."""
    made = Interval(fields["kind"])
    for name in fields:
        value = fields[name]
        if value and name in ("events", "witness"):
            value = value[:1] + [unhexlify(value[1])] + value[2:]
        setattr(made, name, value)
    return made


def full(roles=6):
    """Return an Interval of a site with so many roles, and with something in every field that can have it."""
    made = Interval(1)
    made.start_ms, made.duration_ms, made.uptime_ms, made.clock = 1_767_268_800_000, 900_000, 345_678_901, 2
    made.clock_age_s, made.clock_error_ms, made.flags, made.quality = 512, -3, 1 << 6, 9
    made.ticks_expected, made.ticks_ok, made.gap_max_ms = 45_000, 44_998, 40
    made.substituted_wh, made.substitute_method, made.soc_permille = 512, 1, 612
    made.meters = [[role, 44_998, 2, 1, 3, 4] for role in range(roles)]
    made.sources_wh, made.uses_wh = [180_000, 70_011, 60_001, 145_300, 20_000], [345_000, 119_002, 8_000, 999]
    made.residual_wh, made.loss_wh, made.trueup_wh = 2_311, 14_280, -120
    made.load_mix_wh = [131_295, 51_068, 43_767, 105_986, 14_589]
    made.pool_start = [400_000, 304_800_000_000, 360_000_000_000, 4_321]
    made.pool_end = [484_602, 331_289_560_000, 401_342_000_000, 987_654]
    made.direct_mg_per_kwh = [1_000, 2_000, 900_000, 38_950, 762_000]
    made.lifecycle_mg_per_kwh = [11_000, 45_000, 1_100_000, 52_300, 900_000]
    made.grid_factor, made.ticks = [1_767_268_800, 300, 1], [45_000, 3, 412, 1, 1]
    made.carbon_direct_ug = [50_899_435_000, 17_567_000_000, 1_180_000_000, 147_000_000, 1_000, 15_240_000_000]
    made.carbon_lifecycle_ug = [60_899_435_000, 20_567_000_000, 1_380_000_000, 167_000_000, 2_000, 18_000_000_000]
    made.registers = [[role, 1, 88_000_020 + role, 88_344_990, None, None, -12, None] for role in range(roles)]
    made.registers[1] = [1, 1, 41_200_000, 41_345_300, 77_000, 85_000, 5, -3]  # the grid goes both ways
    made.events, made.witness = [123_456, b"head" * 8], [35_040, b"root" * 8, 1_767_225_600]
    made.fuel_ml, made.fuel_mg_per_l, made.work = 16_500, [2_692_000, 3_320_000], 86_400
    made.serials = [[role, "1907-004%d" % role] for role in range(roles)]
    return made


def longest():
    """Return an Interval of six roles with the longest of each that a record of 2,048 bytes has room for."""
    made = full()
    for _, name, shape in INTERVAL_FIELDS:
        if shape[0] == "*":
            setattr(made, name, [[LONGEST] * (len(shape) - 1)] * 6)
        elif "h" not in shape:
            setattr(made, name, LONGEST if len(shape) == 1 else [LONGEST] * len(shape.lstrip("?")))
    made.events, made.witness = [LONGEST, b"head" * 8], [LONGEST, b"root" * 8, LONGEST]
    made.serials = [[5, "s" * 32]] * 6
    made.meters = [[5] + [1 << 29] * 5] * 6
    return made
