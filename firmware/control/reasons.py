"""Reason codes: why the set point is what it is. One word for machines, one sentence for people."""

START = 0
FOLLOW = 1
BASELINE = 2
RATING = 3
SOC_LOW = 4
SOC_HIGH = 5
IMPORT_CAP = 6
EXPORT_CAP = 7
RAMP = 8
LOAD_SILENT = 9
GRID_SILENT = 10
WIND_SILENT = 11
PV_SILENT = 12
GENSET_SILENT = 13
BLIND = 14
PCS_LOST = 15
PCS_LOCAL = 16
PCS_FAULT = 17
SOC_UNKNOWN = 18
BMS_LOST = 19
WIND_LIMIT_LOST = 20
PV_LIMIT_LOST = 21
GENSET_CONTROL_LOST = 22
STOPPING = 23

NAMES = (
    "start", "follow", "baseline", "rating", "soc_low", "soc_high", "import_cap", "export_cap", "ramp",
    "load_silent", "grid_silent", "wind_silent", "pv_silent", "genset_silent", "blind", "pcs_lost", "pcs_local",
    "pcs_fault", "soc_unknown", "bms_lost", "wind_limit_lost", "pv_limit_lost", "genset_control_lost", "stopping",
)

SENTENCES = (
    "The board is starting: no value of every required meter has been seen yet.",
    "The battery covers the load less the production, so that the grid stays at its target.",
    "The battery takes what departs from the slow baseline of the load less the production.",
    "More was wanted than the PCS is rated for.",
    "The battery is at its lowest allowed state of charge.",
    "The battery is at its highest allowed state of charge.",
    "The set point was raised to keep the grid import below its cap.",
    "The set point was lowered to keep the grid export below its cap.",
    "The set point moves no faster than its ramp limit.",
    "The load meter is silent; its value is formed from the others.",
    "The grid meter is silent; its value is formed from the others.",
    "The wind meter is silent; its value is formed from the others.",
    "The PV meter is silent; its value is formed from the others.",
    "The genset meter is silent; its value is formed from the others.",
    "More than one meter is silent: the battery is taken to zero.",
    "The PCS does not answer.",
    "The PCS is under local control: the board keeps its hands off.",
    "The PCS reports a fault.",
    "The state of charge is unknown: the battery is taken to zero.",
    "The BMS does not answer; without its state of charge the battery is taken to zero.",
    "The wind limit does not answer: the wind plant may give all it can.",
    "The PV limit does not answer: the PV plant may give all it can.",
    "The genset controller does not answer: the genset may go on as it does.",
    "The firmware is stopping in good order: the battery is taken to zero.",
)
