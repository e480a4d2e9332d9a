"""Eastron SDM120-Modbus, one phase: float32, high word first.

Even addresses and counts only. The document gives no refresh period and no turn-around; the pause after a
transaction is ours, from reports of models that restart when polled back to back. Import is positive.
"""

from micropython import const

F32 = const(4)  # as in drivers.ratio; a number that the compiler knows keeps the table in flash

DOCUMENT = "Eastron, SDM120-Modbus protocol implementation"
FUNCTION = 4
MAX_READ = 60
STEP = 2
GAP_US = 20_000
TURNAROUND_US = 25_000
EXTRA = 2  # over the empty value behind the power
TABLE = (
    (0x0000, F32, 1000, 1, "voltage_l1_mv"),
    (0x0006, F32, 1000, 1, "current_l1_ma"),
    (0x000C, F32, 1, 1, "power_w"),
    (0x0012, F32, 1, 1, "apparent_va"),
    (0x0018, F32, 1, 1, "reactive_var"),
    (0x001E, F32, 1000, 1, "power_factor_permille"),
    (0x0046, F32, 1000, 1, "frequency_mhz"),
    (0x0048, F32, 1000, 1, "import_wh"),  # kWh
    (0x004A, F32, 1000, 1, "export_wh"),
    (0x004C, F32, 1000, 1, "reactive_import_varh"),
    (0x004E, F32, 1000, 1, "reactive_export_varh"),
    (0x0156, F32, 1000, 1, "total_wh"),
    (0x0158, F32, 1000, 1, "reactive_total_varh"),
)
