"""What the makers' documents say of each meter: registers, limits, refresh, turn-around. Independent of the firmware.

A row is (register, struct format, unit, quantity); a register holds the quantity in V, A, W, VA, var, Hz, Wh divided
by the unit. `+` is import and `-` export; the digit is the phase. Where a document gives no refresh period or
turn-around, figures of this simulation stand in, marked "ours".
"""

from struct import calcsize


class MeterMap:
    """One meter type."""

    def __init__(self, codes, rows, low_word_first=False, max_read=125, even=False, phases=3,
                 refresh_us=200_000, turnaround_us=(15_000, 30_000), missing=(), registers=0):
        self.codes = codes  # Modbus functions that read it
        self.rows = rows
        self.low_word_first = low_word_first
        self.max_read = max_read
        self.even = even  # addresses and counts
        self.phases = phases
        self.refresh_us = refresh_us
        self.turnaround_us = turnaround_us
        self.missing = missing  # (register, hex): what is not measured, as the meter shows it
        self.registers = registers or max(row[0] + calcsize(row[1]) // 2 for row in rows)


def _phases(register, step, form, unit, quantity):
    return tuple((register + step * i, form, unit, f"{quantity}{i + 1}") for i in range(3))


# Eastron SDM120-Modbus and SDM230-Modbus: float32, even addresses; refresh and turn-around ours.
_EASTRON_ONE = ((0x00, "f", 1, "V1"), (0x06, "f", 1, "A1"), (0x0C, "f", 1, "W"), (0x12, "f", 1, "VA"),
                (0x18, "f", 1, "var"), (0x1E, "f", 1, "PF"), (0x46, "f", 1, "Hz"), (0x48, "f", 1000, "Wh+"),
                (0x4A, "f", 1000, "Wh-"), (0x156, "f", 1000, "Wh"))
SDM120 = MeterMap((4,), _EASTRON_ONE, max_read=80, even=True, phases=1)
SDM230 = MeterMap((4,), _EASTRON_ONE, max_read=80, even=True, phases=1)

# Eastron SDM630-Modbus: at most 40 values a request; refresh and turn-around ours.
SDM630 = MeterMap((4,), (
    *_phases(0x00, 2, "f", 1, "V"), *_phases(0x06, 2, "f", 1, "A"), *_phases(0x0C, 2, "f", 1, "W"),
    *_phases(0x12, 2, "f", 1, "VA"), *_phases(0x1E, 2, "f", 1, "PF"), (0x34, "f", 1, "W"), (0x38, "f", 1, "VA"),
    (0x3E, "f", 1, "PF"), (0x46, "f", 1, "Hz"), (0x48, "f", 1000, "Wh+"), (0x4A, "f", 1000, "Wh-"),
    (0x156, "f", 1000, "Wh"), *_phases(0x15A, 2, "f", 1000, "Wh+"), *_phases(0x160, 2, "f", 1000, "Wh-")),
    max_read=80, even=True, registers=0x180)

# Carlo Gavazzi EM24 (RS-485); turn-around as EM340's, refresh ours.
EM24 = MeterMap((3, 4), (
    *_phases(0x00, 2, "i", 0.1, "V"), *_phases(0x0C, 2, "i", 0.001, "A"), *_phases(0x12, 2, "i", 0.1, "W"),
    (0x28, "i", 0.1, "W"), (0x2A, "i", 0.1, "VA"), (0x2C, "i", 0.1, "var"), *_phases(0x32, 1, "h", 0.001, "PF"),
    (0x35, "h", 0.001, "PF"), (0x37, "H", 0.1, "Hz"), (0x42, "i", 100, "Wh+"), *_phases(0x46, 2, "i", 100, "Wh+"),
    (0x5C, "i", 100, "Wh-")), low_word_first=True, max_read=16, turnaround_us=(30_000, 60_000))

# Carlo Gavazzi EM330/340: answers typically after 40 ms, 500 ms at the latest; refresh ours.
EM340 = MeterMap((3, 4), (
    *_phases(0x00, 2, "i", 0.1, "V"), *_phases(0x0C, 2, "i", 0.001, "A"), *_phases(0x12, 2, "i", 0.1, "W"),
    (0x28, "i", 0.1, "W"), (0x2A, "i", 0.1, "VA"), (0x2C, "i", 0.1, "var"), *_phases(0x2E, 1, "h", 0.001, "PF"),
    (0x31, "h", 0.001, "PF"), (0x33, "H", 0.1, "Hz"), (0x34, "i", 100, "Wh+"), *_phases(0x40, 2, "i", 100, "Wh+"),
    (0x4E, "i", 100, "Wh-")), low_word_first=True, max_read=50, turnaround_us=(30_000, 60_000))

# ABB B23/B24; refresh and turn-around ours.
ABB_B23 = MeterMap((3,), (
    (0x5000, "Q", 10, "Wh+"), (0x5004, "Q", 10, "Wh-"), *_phases(0x5460, 4, "Q", 10, "Wh+"),
    *_phases(0x546C, 4, "Q", 10, "Wh-"), *_phases(0x5B00, 2, "I", 0.1, "V"), *_phases(0x5B0C, 2, "I", 0.01, "A"),
    (0x5B14, "i", 0.01, "W"), *_phases(0x5B16, 2, "i", 0.01, "W"), (0x5B2C, "H", 0.01, "Hz")),
    missing=((0x5B12, "ffffffff"), (0x5B1C, "7fffffff")))

# Janitza UMG 96RM: "the Modbus register addresses are updated every 200 ms"; turn-around ours.
UMG96RM = MeterMap((3, 4), (
    *_phases(19000, 2, "f", 1, "V"), *_phases(19012, 2, "f", 1, "A"), *_phases(19020, 2, "f", 1, "W"),
    (19026, "f", 1, "W"), *_phases(19028, 2, "f", 1, "VA"), (19034, "f", 1, "VA"), *_phases(19036, 2, "f", 1, "var"),
    (19042, "f", 1, "var"), (19050, "f", 1, "Hz"), *_phases(19062, 2, "f", 1, "Wh+"), (19068, "f", 1, "Wh+"),
    *_phases(19070, 2, "f", 1, "Wh-"), (19076, "f", 1, "Wh-")), turnaround_us=(5_000, 15_000))

# Schneider iEM3000: powers in kW, energies int64; refresh and turn-around ours.
IEM3000 = MeterMap((3,), (
    *_phases(0x0BB7, 2, "f", 1, "A"), *_phases(0x0BD3, 2, "f", 1, "V"), *_phases(0x0BED, 2, "f", 1000, "W"),
    (0x0BF3, "f", 1000, "W"), (0x0C25, "f", 1, "Hz"), (0x0C83, "q", 1, "Wh+"), (0x0C87, "q", 1, "Wh-"),
    *_phases(0x0DBD, 4, "q", 1, "Wh+")), refresh_us=1_000_000)

# Acrel ADW300; refresh and turn-around ours.
ADW300 = MeterMap((3,), (
    *_phases(20, 1, "H", 0.1, "V"), *_phases(26, 1, "H", 0.01, "A"), *_phases(30, 2, "i", 1, "W"), (36, "i", 1, "W"),
    (62, "i", 10, "Wh+"), (64, "i", 10, "Wh-")), refresh_us=1_000_000)

# Chint DTSU666: powers in 0.1 W; refresh and turn-around ours.
DTSU666 = MeterMap((3,), (
    (0x101E, "f", 1000, "Wh+"), (0x1028, "f", 1000, "Wh-"), *_phases(0x2000, 2, "f", 0.1, "V"),
    *_phases(0x200C, 2, "f", 0.001, "A"), (0x2012, "f", 0.1, "W"), *_phases(0x2014, 2, "f", 0.1, "W"),
    (0x201A, "f", 0.1, "var"), *_phases(0x201C, 2, "f", 0.1, "var"), (0x202A, "f", 0.001, "PF"),
    *_phases(0x202C, 2, "f", 0.001, "PF"), (0x2044, "f", 0.01, "Hz")), refresh_us=1_000_000)

MAPS = {"sdm120": SDM120, "sdm230": SDM230, "sdm630": SDM630, "em24": EM24, "em340": EM340, "abb_b23": ABB_B23,
        "umg96rm": UMG96RM, "iem3000": IEM3000, "adw300": ADW300, "dtsu666": DTSU666}
