"""Eastron SDM630-Modbus (CT inputs): float32, high word first.

Even addresses and counts only; at most 30 values (60 registers) a request, 40 in the MID V2 edition. The document
gives no refresh period and no turn-around. The pause after a transaction is ours, from reports of smaller models
that restart when polled back to back. Import is positive.
"""

from micropython import const

F32 = const(4)  # as in drivers.ratio; a number that the compiler knows keeps the table in flash

DOCUMENT = "Eastron, SDM630 Modbus protocol, version 1.5"
FUNCTION = 4
MAX_READ = 60
STEP = 2
GAP_US = 20_000
TURNAROUND_US = 25_000
EXTRA = 2  # over the empty value behind total power
TABLE = (
    (0x0000, F32, 1000, 1, "voltage_l1_mv"),
    (0x0002, F32, 1000, 1, "voltage_l2_mv"),
    (0x0004, F32, 1000, 1, "voltage_l3_mv"),
    (0x0006, F32, 1000, 1, "current_l1_ma"),
    (0x0008, F32, 1000, 1, "current_l2_ma"),
    (0x000A, F32, 1000, 1, "current_l3_ma"),
    (0x000C, F32, 1, 1, "power_l1_w"),
    (0x000E, F32, 1, 1, "power_l2_w"),
    (0x0010, F32, 1, 1, "power_l3_w"),
    (0x0012, F32, 1, 1, "apparent_l1_va"),
    (0x0014, F32, 1, 1, "apparent_l2_va"),
    (0x0016, F32, 1, 1, "apparent_l3_va"),
    (0x0018, F32, 1, 1, "reactive_l1_var"),
    (0x001A, F32, 1, 1, "reactive_l2_var"),
    (0x001C, F32, 1, 1, "reactive_l3_var"),
    (0x001E, F32, 1000, 1, "power_factor_l1_permille"),
    (0x0020, F32, 1000, 1, "power_factor_l2_permille"),
    (0x0022, F32, 1000, 1, "power_factor_l3_permille"),
    (0x0024, F32, 1000, 1, "phase_angle_l1_mdeg"),
    (0x0026, F32, 1000, 1, "phase_angle_l2_mdeg"),
    (0x0028, F32, 1000, 1, "phase_angle_l3_mdeg"),
    (0x002A, F32, 1000, 1, "voltage_mean_mv"),
    (0x002E, F32, 1000, 1, "current_mean_ma"),
    (0x0030, F32, 1000, 1, "current_sum_ma"),
    (0x0034, F32, 1, 1, "power_w"),
    (0x0038, F32, 1, 1, "apparent_va"),
    (0x003C, F32, 1, 1, "reactive_var"),
    (0x003E, F32, 1000, 1, "power_factor_permille"),
    (0x0042, F32, 1000, 1, "phase_angle_mdeg"),
    (0x0046, F32, 1000, 1, "frequency_mhz"),
    (0x0048, F32, 1000, 1, "import_wh"),  # kWh
    (0x004A, F32, 1000, 1, "export_wh"),
    (0x004C, F32, 1000, 1, "reactive_import_varh"),
    (0x004E, F32, 1000, 1, "reactive_export_varh"),
    (0x0050, F32, 1000, 1, "apparent_vah"),
    (0x0052, F32, 1000, 1, "charge_mah"),
    (0x0054, F32, 1, 1, "demand_w"),
    (0x0056, F32, 1, 1, "demand_max_w"),
    (0x0064, F32, 1, 1, "demand_va"),
    (0x0066, F32, 1, 1, "demand_max_va"),
    (0x0068, F32, 1000, 1, "demand_neutral_ma"),
    (0x006A, F32, 1000, 1, "demand_neutral_max_ma"),
    (0x00C8, F32, 1000, 1, "voltage_l1_l2_mv"),
    (0x00CA, F32, 1000, 1, "voltage_l2_l3_mv"),
    (0x00CC, F32, 1000, 1, "voltage_l3_l1_mv"),
    (0x00CE, F32, 1000, 1, "voltage_line_mean_mv"),
    (0x00E0, F32, 1000, 1, "current_neutral_ma"),
    (0x00EA, F32, 10, 1, "voltage_thd_l1_permille"),  # %
    (0x00EC, F32, 10, 1, "voltage_thd_l2_permille"),
    (0x00EE, F32, 10, 1, "voltage_thd_l3_permille"),
    (0x00F0, F32, 10, 1, "current_thd_l1_permille"),
    (0x00F2, F32, 10, 1, "current_thd_l2_permille"),
    (0x00F4, F32, 10, 1, "current_thd_l3_permille"),
    (0x00F8, F32, 10, 1, "voltage_thd_mean_permille"),
    (0x00FA, F32, 10, 1, "current_thd_mean_permille"),
    (0x0102, F32, 1000, 1, "demand_l1_ma"),
    (0x0104, F32, 1000, 1, "demand_l2_ma"),
    (0x0106, F32, 1000, 1, "demand_l3_ma"),
    (0x0108, F32, 1000, 1, "demand_max_l1_ma"),
    (0x010A, F32, 1000, 1, "demand_max_l2_ma"),
    (0x010C, F32, 1000, 1, "demand_max_l3_ma"),
    (0x014E, F32, 10, 1, "voltage_thd_l1_l2_permille"),
    (0x0150, F32, 10, 1, "voltage_thd_l2_l3_permille"),
    (0x0152, F32, 10, 1, "voltage_thd_l3_l1_permille"),
    (0x0154, F32, 10, 1, "voltage_thd_line_mean_permille"),
    (0x0156, F32, 1000, 1, "total_wh"),
    (0x0158, F32, 1000, 1, "reactive_total_varh"),
    (0x015A, F32, 1000, 1, "import_l1_wh"),
    (0x015C, F32, 1000, 1, "import_l2_wh"),
    (0x015E, F32, 1000, 1, "import_l3_wh"),
    (0x0160, F32, 1000, 1, "export_l1_wh"),
    (0x0162, F32, 1000, 1, "export_l2_wh"),
    (0x0164, F32, 1000, 1, "export_l3_wh"),
    (0x0166, F32, 1000, 1, "total_l1_wh"),
    (0x0168, F32, 1000, 1, "total_l2_wh"),
    (0x016A, F32, 1000, 1, "total_l3_wh"),
    (0x016C, F32, 1000, 1, "reactive_import_l1_varh"),
    (0x016E, F32, 1000, 1, "reactive_import_l2_varh"),
    (0x0170, F32, 1000, 1, "reactive_import_l3_varh"),
    (0x0172, F32, 1000, 1, "reactive_export_l1_varh"),
    (0x0174, F32, 1000, 1, "reactive_export_l2_varh"),
    (0x0176, F32, 1000, 1, "reactive_export_l3_varh"),
    (0x0178, F32, 1000, 1, "reactive_total_l1_varh"),
    (0x017A, F32, 1000, 1, "reactive_total_l2_varh"),
    (0x017C, F32, 1000, 1, "reactive_total_l3_varh"),
)
