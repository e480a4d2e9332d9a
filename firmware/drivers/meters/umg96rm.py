"""Janitza UMG 96RM (CT inputs; UMG 604, 511, 801 have the same list): float32, high word first, energies in Wh.

Registers are updated every 200 ms. The document gives no turn-around and no limit beyond Modbus's own. Import is
positive.
"""

from micropython import const

F32 = const(4)  # as in drivers.ratio; a number that the compiler knows keeps the table in flash

DOCUMENT = "Janitza, UMG 96RM Modbus address list"
FUNCTION = 3
MAX_READ = 125
TURNAROUND_US = 10_000
REFRESH_MS = 200
TABLE = (
    (19000, F32, 1000, 1, "voltage_l1_mv"),
    (19002, F32, 1000, 1, "voltage_l2_mv"),
    (19004, F32, 1000, 1, "voltage_l3_mv"),
    (19012, F32, 1000, 1, "current_l1_ma"),
    (19014, F32, 1000, 1, "current_l2_ma"),
    (19016, F32, 1000, 1, "current_l3_ma"),
    (19020, F32, 1, 1, "power_l1_w"),
    (19022, F32, 1, 1, "power_l2_w"),
    (19024, F32, 1, 1, "power_l3_w"),
    (19026, F32, 1, 1, "power_w"),
    (19028, F32, 1, 1, "apparent_l1_va"),
    (19030, F32, 1, 1, "apparent_l2_va"),
    (19032, F32, 1, 1, "apparent_l3_va"),
    (19034, F32, 1, 1, "apparent_va"),
    (19036, F32, 1, 1, "reactive_l1_var"),
    (19038, F32, 1, 1, "reactive_l2_var"),
    (19040, F32, 1, 1, "reactive_l3_var"),
    (19042, F32, 1, 1, "reactive_var"),
    (19050, F32, 1000, 1, "frequency_mhz"),
    (19062, F32, 1, 1, "import_l1_wh"),
    (19064, F32, 1, 1, "import_l2_wh"),
    (19066, F32, 1, 1, "import_l3_wh"),
    (19068, F32, 1, 1, "import_wh"),
    (19070, F32, 1, 1, "export_l1_wh"),
    (19072, F32, 1, 1, "export_l2_wh"),
    (19074, F32, 1, 1, "export_l3_wh"),
    (19076, F32, 1, 1, "export_wh"),
)
