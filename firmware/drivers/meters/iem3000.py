"""Schneider Electric iEM3000: float32, high word first, powers in kW; energies as 64 bits, Wh.

Addresses as on the wire: the document's less one. It gives no refresh period and no turn-around. Nothing is known of
the registers behind total power, so its read has one form only. Import is positive.
"""

from micropython import const

F32 = const(4)  # as in drivers.ratio and regmap; numbers that the compiler knows keep the table in flash
S64 = const(9)

DOCUMENT = "Schneider Electric, iEM3000 series user manual, DOCA0005"
FUNCTION = 3
MAX_READ = 125
TURNAROUND_US = 25_000
EXTRA = 0
TABLE = (
    (0x0BB7, F32, 1000, 1, "current_l1_ma"),
    (0x0BB9, F32, 1000, 1, "current_l2_ma"),
    (0x0BBB, F32, 1000, 1, "current_l3_ma"),
    (0x0BD3, F32, 1000, 1, "voltage_l1_mv"),
    (0x0BD5, F32, 1000, 1, "voltage_l2_mv"),
    (0x0BD7, F32, 1000, 1, "voltage_l3_mv"),
    (0x0BED, F32, 1000, 1, "power_l1_w"),  # kW
    (0x0BEF, F32, 1000, 1, "power_l2_w"),
    (0x0BF1, F32, 1000, 1, "power_l3_w"),
    (0x0BF3, F32, 1000, 1, "power_w"),
    (0x0C25, F32, 1000, 1, "frequency_mhz"),
    (0x0C83, S64, 1, 1, "import_wh"),
    (0x0C87, S64, 1, 1, "export_wh"),
    (0x0DBD, S64, 1, 1, "import_l1_wh"),
    (0x0DC1, S64, 1, 1, "import_l2_wh"),
    (0x0DC5, S64, 1, 1, "import_l3_wh"),
)
