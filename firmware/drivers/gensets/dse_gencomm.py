"""Deep Sea Electronics genset controllers by GenComm: power, state, alarms, fuel, battery; start and stop by telemetry.

GenComm numbers pages of 256 registers. A command is a system control key with its complement behind it, in 4104 and
4105; 4096 to 4103 say by bits which keys a model knows. Telemetry start and stop act in Auto mode only: outside it
the panel's user commands, and the driver keeps its hands off; auto() asks for Auto mode. No time-out is documented:
the last key holds for ever, so the board must take a start back itself. Values from 0xFFF8 (signed: 0x7FF8) up are
"not measured". The mains are read where a model senses them (7x20, 8x20 and kin). The models 4xxx, 6xxx, 7xxx and 8xxx
have these registers; not every model has all of them.
"""

from micropython import const

from firmware.drivers.table_genset import TableGenset

DOCUMENT = "Deep Sea Electronics, GenComm standard, pages 3, 4, 5, 6 and 16"
FUNCTION = 3
WRITE_FUNCTION = 16
MAX_READ = 125
GAP_US = 20_000
TURNAROUND_US = 100_000
FED_BY = ()
READS_FEED = False
REVERTS_TO = "nothing: the last key holds"
TIMEOUT = None

_U16 = const(1)
_S32 = const(2)
_U32 = const(3)

# address, kind, num, den, name: raw * num / den in the unit that ends the name
READS = (
    (772, _U16, 1, 1, "mode"),  # 0 stop, 1 auto, 2 manual, 3 test on load, 4 auto with manual restore
    (774, _U16, 1, 1, "alarm_bits"),  # 0x2000 unit failure, 0x1000 shutdown, 0x0800 electrical trip, 0x0400 warning
    (1027, _U16, 10, 1, "fuel_permille"),  # %
    (1029, _U16, 100, 1, "battery_mv"),  # 0.1 V
    (1030, _U16, 1, 1, "speed_rpm"),
    (1059, _U16, 100, 1, "mains_frequency_mhz"),  # 0.1 Hz
    (1060, _U32, 100, 1, "mains_voltage_l1_mv"),  # 0.1 V
    (1408, _U16, 1, 1, "engine_state"),  # 0 stopped, 1 pre-start, 2 warming up, 3 running, 4 cooling down, 5, 6 stopped
    (1536, _S32, 1, 1, "power_w"),
    (1798, _U32, 1, 1, "run_s"),
)
FAST = (1536, 2)
SLOW = ((772, 3), (1027, 4), (1408, 1))
SOMETIMES = ((1059, 3), (1798, 2))  # mains and hours: by turns, and not again where the model refuses them
AUTO_MODES = (1, 4)
RUNNING_STATES = (2, 3, 4)
RUNNING_RPM = 100  # where the model has no engine state
FAULT_MASK = 0x3800
COMMAND_AT = 4104  # key, complement
SUPPORT_AT = 4096
FIRST_KEY = 35_700
START_KEY = 35_732
STOP_KEY = 35_733
AUTO_KEY = 35_701
DRIVER = TableGenset
