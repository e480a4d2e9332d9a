"""Carlo Gavazzi EM24 on RS-485: 32 bits with the low word first.

Not for the Ethernet model, whose frequency and export stand elsewhere. An overflow shows as 0x7FFFFFFF. The
document at hand states no turn-around: EM330/340's is taken; and at most 11 registers a request is the smallest
figure that is in use for the series. Energies count in 0.1 kWh. Import is positive.
"""

from micropython import const

S16 = const(0)  # as in drivers.ratio; numbers that the compiler knows keep the table in flash
U16 = const(1)
S32_LOW_FIRST = const(5)

DOCUMENT = "Carlo Gavazzi, EM24-DIN serial communication protocol"
FUNCTION = 4
MAX_READ = 11
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
    (0x0032, S16, 1, 1, "power_factor_l1_permille"),
    (0x0033, S16, 1, 1, "power_factor_l2_permille"),
    (0x0034, S16, 1, 1, "power_factor_l3_permille"),
    (0x0035, S16, 1, 1, "power_factor_permille"),
    (0x0037, U16, 100, 1, "frequency_mhz"),  # 0.1 Hz
    (0x0042, S32_LOW_FIRST, 100, 1, "import_wh"),  # 0.1 kWh
    (0x0046, S32_LOW_FIRST, 100, 1, "import_l1_wh"),
    (0x0048, S32_LOW_FIRST, 100, 1, "import_l2_wh"),
    (0x004A, S32_LOW_FIRST, 100, 1, "import_l3_wh"),
    (0x005C, S32_LOW_FIRST, 100, 1, "export_wh"),
)
