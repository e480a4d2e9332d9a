"""Chint DTSU666: float32, high word first, powers in 0.1 W, frequency in 0.01 Hz, energies in kWh.

The document gives no refresh period and no turn-around. Import is positive.
"""

from micropython import const

F32 = const(4)  # as in drivers.ratio; a number that the compiler knows keeps the table in flash

DOCUMENT = "Chint, DTSU666 DSSU666 user manual"
FUNCTION = 3
MAX_READ = 60
TURNAROUND_US = 25_000
TABLE = (
    (0x101E, F32, 1000, 1, "import_wh"),  # kWh
    (0x1028, F32, 1000, 1, "export_wh"),
    (0x2000, F32, 100, 1, "voltage_l1_mv"),  # 0.1 V
    (0x2002, F32, 100, 1, "voltage_l2_mv"),
    (0x2004, F32, 100, 1, "voltage_l3_mv"),
    (0x200C, F32, 1, 1, "current_l1_ma"),
    (0x200E, F32, 1, 1, "current_l2_ma"),
    (0x2010, F32, 1, 1, "current_l3_ma"),
    (0x2012, F32, 1, 10, "power_w"),
    (0x2014, F32, 1, 10, "power_l1_w"),
    (0x2016, F32, 1, 10, "power_l2_w"),
    (0x2018, F32, 1, 10, "power_l3_w"),
    (0x201A, F32, 1, 10, "reactive_var"),
    (0x201C, F32, 1, 10, "reactive_l1_var"),
    (0x201E, F32, 1, 10, "reactive_l2_var"),
    (0x2020, F32, 1, 10, "reactive_l3_var"),
    (0x202A, F32, 1, 1, "power_factor_permille"),
    (0x202C, F32, 1, 1, "power_factor_l1_permille"),
    (0x202E, F32, 1, 1, "power_factor_l2_permille"),
    (0x2030, F32, 1, 1, "power_factor_l3_permille"),
    (0x2044, F32, 10, 1, "frequency_mhz"),  # 0.01 Hz
)
