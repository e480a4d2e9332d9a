"""Carlo Gavazzi EM330, EM340, ET330, ET340 (EM530/540 have the same map): 32 bits with the low word first.

An overflow shows as 0x7FFFFFFF. Answers come typically after 40 ms, after 500 ms at the latest. The document allows
50 registers a request in one place and 20 in its frame table: 20 holds for both. Energies count in 0.1 kWh. Import is
positive.
"""

from micropython import const

S16 = const(0)  # as in drivers.ratio; numbers that the compiler knows keep the table in flash
U16 = const(1)
S32_LOW_FIRST = const(5)

DOCUMENT = "Carlo Gavazzi, EM330 EM340 ET330 ET340 communication protocol"
FUNCTION = 4
MAX_READ = 20
TURNAROUND_US = 40_000
TABLE = (
    (0x0000, S32_LOW_FIRST, 100, 1, "voltage_l1_mv"),  # 0.1 V
    (0x0002, S32_LOW_FIRST, 100, 1, "voltage_l2_mv"),
    (0x0004, S32_LOW_FIRST, 100, 1, "voltage_l3_mv"),
    (0x000C, S32_LOW_FIRST, 1, 1, "current_l1_ma"),
    (0x000E, S32_LOW_FIRST, 1, 1, "current_l2_ma"),
    (0x0010, S32_LOW_FIRST, 1, 1, "current_l3_ma"),
    (0x0012, S32_LOW_FIRST, 1, 10, "power_l1_w"),
    (0x0014, S32_LOW_FIRST, 1, 10, "power_l2_w"),
    (0x0016, S32_LOW_FIRST, 1, 10, "power_l3_w"),
    (0x0028, S32_LOW_FIRST, 1, 10, "power_w"),
    (0x002A, S32_LOW_FIRST, 1, 10, "apparent_va"),
    (0x002C, S32_LOW_FIRST, 1, 10, "reactive_var"),
    (0x002E, S16, 1, 1, "power_factor_l1_permille"),
    (0x002F, S16, 1, 1, "power_factor_l2_permille"),
    (0x0030, S16, 1, 1, "power_factor_l3_permille"),
    (0x0031, S16, 1, 1, "power_factor_permille"),
    (0x0033, U16, 100, 1, "frequency_mhz"),  # 0.1 Hz
    (0x0034, S32_LOW_FIRST, 100, 1, "import_wh"),  # 0.1 kWh
    (0x0040, S32_LOW_FIRST, 100, 1, "import_l1_wh"),
    (0x0042, S32_LOW_FIRST, 100, 1, "import_l2_wh"),
    (0x0044, S32_LOW_FIRST, 100, 1, "import_l3_wh"),
    (0x004E, S32_LOW_FIRST, 100, 1, "export_wh"),
)
