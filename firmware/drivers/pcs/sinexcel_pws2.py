"""Sinexcel PWS2-30 and kin: set point 135, power 122, state 32 and 36 to 47. It knows no state of charge: add a BMS.

Its own fall-back: when neither written nor read for the EMS time-out (327), it stops; READING FEEDS the time-out too,
so that a board which only looks keeps an old set point alive. The driver therefore sends zero before it reads while
nobody commands, and writes zero before anything else at set-up. The document states no unit for 327: taken as
seconds, and measured at commissioning. Power counts as here: discharge +, charge -.
"""

from micropython import const

from firmware.drivers.table_pcs import SETPOINT, TIMEOUT_S, TablePcs

DOCUMENT = "Sinexcel, PWS2-30K register list v1.06 (2021-04-16)"
FUNCTION = 3
WRITE_FUNCTION = 6
MAX_READ = 60
GAP_US = 5_000
TURNAROUND_US = 50_000
HAS_SOC = False
FED_BY = ("setpoint_w", "every other write")
READS_FEED = True
REVERTS_TO = "stop"
TIMEOUT = "ems_timeout_s"
TIMEOUT_RANGE = (1, 32_767)

_S16 = const(0)
_U16 = const(1)

# address, kind, num, den, name: raw * num / den in the unit that ends the name
READS = (
    (32, _U16, 1, 1, "state_bits"),  # 0 fault, 1 alert, 2 on, 3 grid-tied, 4 island, 5 derating, 7 standby
    (36, _U16, 1, 1, "fault_ac_1_bits"),
    (37, _U16, 1, 1, "fault_ac_2_bits"),
    (38, _U16, 1, 1, "fault_ac_3_bits"),
    (39, _U16, 1, 1, "fault_ac_4_bits"),
    (40, _U16, 1, 1, "dc_state_bits"),  # charging, discharging, full, empty, fault, alert
    (44, _U16, 1, 1, "fault_dc_bits"),  # 0 DC OV, 1 DC UV, 3 BMS alert, 4 BMS time-out, 5 EMS time-out
    (45, _U16, 1, 1, "fault_45_bits"),
    (47, _U16, 1, 1, "fault_47_bits"),
    (101, _U16, 100, 1, "voltage_l1_mv"),  # 0.1 V
    (102, _U16, 100, 1, "voltage_l2_mv"),
    (103, _U16, 100, 1, "voltage_l3_mv"),
    (107, _U16, 10, 1, "frequency_mhz"),  # 0.01 Hz
    (122, _S16, 10, 1, "power_w"),  # 0.01 kW
    (135, _S16, 100, 1, "setpoint_w"),  # 0.1 kW
    (141, _S16, 10, 1, "dc_power_w"),
    (142, _U16, 100, 1, "dc_voltage_mv"),
    (143, _S16, 100, 1, "dc_current_ma"),
    (327, _U16, 1, 1, "ems_timeout_s"),
    (329, _U16, 1, 1, "bms_timeout_s"),
)
FAST = (122, 1)
SLOW = ((32, 16),)
BACK = (135, 1)
COMMAND = (
    (135, _S16, 100, 1, "setpoint_w", SETPOINT),
)
SETTINGS = (
    (327, _U16, 1, 1, "ems_timeout_s", TIMEOUT_S),
)
START = (
    (653, _U16, 1, 1, "on_grid", 1),
    (650, _U16, 1, 1, "start", 1),
)
FEED = None
FAULT_BITS = (("state_bits", 1), ("fault_dc_bits", 0b11))
FAULT_CODES = ()
ISLAND_BITS = ("state_bits", 8, 16)
DRIVER = TablePcs
