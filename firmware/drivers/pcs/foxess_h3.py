"""FoxESS H3: one block of remote enable, time-out and set point from 44000 on; battery power 31036, charge 31038.

Its own fall-back: the remote time-out (44001) has to be written again with every set point, as every command here
does; when commands stop, it goes back to its work mode (41000), self-consumption as a rule. Reading does not feed
it. Negative is charge. Some devices refuse writes to 44000 now and then: such a command is repeated by the next one.
"""

from micropython import const

from firmware.drivers.table_pcs import SETPOINT, TIMEOUT_S, TablePcs

DOCUMENT = "FoxESS, H3 Modbus protocol as used by evcc and foxess_modbus"
FUNCTION = 3
WRITE_FUNCTION = 6
MAX_READ = 60
GAP_US = 10_000
TURNAROUND_US = 100_000
HAS_SOC = True
FED_BY = ("remote_enable .. setpoint_w",)
READS_FEED = False
REVERTS_TO = "work mode (41000)"
TIMEOUT = "remote_timeout_s"
TIMEOUT_RANGE = (1, 65_534)

_S16 = const(0)
_U16 = const(1)
_S32 = const(2)

# address, kind, num, den, name: raw * num / den in the unit that ends the name
READS = (
    (31036, _S16, 1, 1, "power_w"),  # of the battery, discharge +
    (31038, _S16, 10, 1, "soc_permille"),  # %
    (41000, _U16, 1, 1, "work_mode"),
    (41009, _U16, 10, 1, "soc_min_permille"),
    (41010, _U16, 10, 1, "soc_max_permille"),
    (44000, _U16, 1, 1, "remote_enable"),
    (44001, _U16, 1, 1, "remote_timeout_s"),
    (44002, _S32, 1, 1, "setpoint_w"),
)
FAST = (31036, 3)  # power and charge in one
SLOW = ()
BACK = (44000, 4)
COMMAND = (
    (44000, _U16, 1, 1, "remote_enable", 1),
    (44001, _U16, 1, 1, "remote_timeout_s", TIMEOUT_S),
    (44002, _S32, 1, 1, "setpoint_w", SETPOINT),
)
SETTINGS = ()
START = ()
FEED = None
FAULT_BITS = ()
FAULT_CODES = ()
DRIVER = TablePcs
