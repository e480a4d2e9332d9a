"""SMA Sunny Island, STP-SE and SBS: set point 40149, switched on by 40151; power 30775, charge 30845, condition 30201.

Its own fall-back: set point and "active" (802) have to come again and again; the heartbeat writes 40151 each second
and commands write 40149. When both stop for the time-out (41195), the inverter holds (41193 = 2506) or falls back to
a share of its rating (41193 = 2507, 41197 %): set here to fall back to 0 %. These three are kept in flash and are
written only where they stand otherwise; devices without them decide for themselves. Reading feeds nothing.
Positive feeds the grid (discharge), negative charges. Modbus/TCP with unit 3 by nature: behind a gateway on RTU.
"""

from micropython import const

from firmware.drivers.table_pcs import SETPOINT, TIMEOUT_S, TablePcs

DOCUMENT = "SMA, Modbus parameters and measured values of Sunny Island and Sunny Tripower Smart Energy"
FUNCTION = 3
WRITE_FUNCTION = 16
MAX_READ = 125
GAP_US = 0
TURNAROUND_US = 100_000
HAS_SOC = True
FED_BY = ("setpoint_w", "control_active")
READS_FEED = False
REVERTS_TO = "0 W (41193 fall-back, 41197 0 %)"
TIMEOUT = "fallback_timeout_s"
TIMEOUT_RANGE = (1, 600)

_S32 = const(2)
_U32 = const(3)

# address, kind, num, den, name: raw * num / den in the unit that ends the name; n/a is 0x80000000 or 0xFFFFFFFF
READS = (
    (30201, _U32, 1, 1, "condition"),  # 35 fault, 303 off, 307 ok, 455 warning
    (30775, _S32, 1, 1, "power_w"),
    (30845, _U32, 10, 1, "soc_permille"),  # %
    (40149, _S32, 1, 1, "setpoint_w"),
    (40151, _U32, 1, 1, "control_active"),  # 802 active, 803 inactive
    (41193, _U32, 1, 1, "fallback_mode"),  # 2506 hold, 2507 fall back
    (41195, _U32, 1, 1, "fallback_timeout_s"),
    (41197, _U32, 1, 10, "fallback_permille"),  # 0.01 %
)
FAST = (30775, 2)
SLOW = ((30201, 2), (30845, 2))
BACK = None  # write only on most devices
COMMAND = (
    (40149, _S32, 1, 1, "setpoint_w", SETPOINT),
)
SETTINGS = (
    (41195, _U32, 1, 1, "fallback_timeout_s", TIMEOUT_S),
    (41197, _U32, 1, 10, "fallback_permille", 0),
    (41193, _U32, 1, 1, "fallback_mode", 2507),
)
START = (
    (40151, _U32, 1, 1, "control_active", 802),
)
FEED = (40151, _U32, 1, 1, "control_active", 802)
FAULT_BITS = ()
FAULT_CODES = (("condition", 35),)
DRIVER = TablePcs
