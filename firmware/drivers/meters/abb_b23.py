"""ABB B23 and B24: integers, high word first; what the meter does not have shows as 0x7FFF... or 0xFFFF...

Up to 125 registers a request. The document gives no refresh period and no turn-around. Import is positive.
"""

from micropython import const

U16 = const(1)  # as in drivers.ratio and regmap; numbers that the compiler knows keep the table in flash
S32 = const(2)
U32 = const(3)
U64 = const(8)

DOCUMENT = "ABB, B23/B24 user manual, communication with Modbus"
FUNCTION = 3
MAX_READ = 125
TURNAROUND_US = 25_000
TABLE = (
    (0x5000, U64, 10, 1, "import_wh"),  # 0.01 kWh
    (0x5004, U64, 10, 1, "export_wh"),
    (0x5460, U64, 10, 1, "import_l1_wh"),
    (0x5464, U64, 10, 1, "import_l2_wh"),
    (0x5468, U64, 10, 1, "import_l3_wh"),
    (0x546C, U64, 10, 1, "export_l1_wh"),
    (0x5470, U64, 10, 1, "export_l2_wh"),
    (0x5474, U64, 10, 1, "export_l3_wh"),
    (0x5B00, U32, 100, 1, "voltage_l1_mv"),  # 0.1 V
    (0x5B02, U32, 100, 1, "voltage_l2_mv"),
    (0x5B04, U32, 100, 1, "voltage_l3_mv"),
    (0x5B0C, U32, 10, 1, "current_l1_ma"),  # 0.01 A
    (0x5B0E, U32, 10, 1, "current_l2_ma"),
    (0x5B10, U32, 10, 1, "current_l3_ma"),
    (0x5B14, S32, 1, 100, "power_w"),
    (0x5B16, S32, 1, 100, "power_l1_w"),
    (0x5B18, S32, 1, 100, "power_l2_w"),
    (0x5B1A, S32, 1, 100, "power_l3_w"),
    (0x5B2C, U16, 10, 1, "frequency_mhz"),  # 0.01 Hz
)
