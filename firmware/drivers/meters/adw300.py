"""Acrel ADW300 (CT inputs): integers, high word first.

No refresh period and no turn-around is stated, and no frequency register is known to us. Nothing is known of the
registers behind total power, so its read has one form only. Import is positive.
"""

from micropython import const

U16 = const(1)  # as in drivers.ratio; numbers that the compiler knows keep the table in flash
S32 = const(2)

DOCUMENT = "Acrel, ADW300 installation and operation instruction, Modbus address table"
FUNCTION = 3
MAX_READ = 50
TURNAROUND_US = 25_000
EXTRA = 0
TABLE = (
    (20, U16, 100, 1, "voltage_l1_mv"),  # 0.1 V
    (21, U16, 100, 1, "voltage_l2_mv"),
    (22, U16, 100, 1, "voltage_l3_mv"),
    (26, U16, 10, 1, "current_l1_ma"),  # 0.01 A
    (27, U16, 10, 1, "current_l2_ma"),
    (28, U16, 10, 1, "current_l3_ma"),
    (30, S32, 1, 1, "power_l1_w"),
    (32, S32, 1, 1, "power_l2_w"),
    (34, S32, 1, 1, "power_l3_w"),
    (36, S32, 1, 1, "power_w"),
    (62, S32, 10, 1, "import_wh"),  # 0.01 kWh
    (64, S32, 10, 1, "export_wh"),
)
