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
DEGRADED = 9
BLIND = 10
PCS_LOST = 11
PCS_LOCAL = 12
PCS_FAULT = 13
SOC_UNKNOWN = 14
STOPPING = 15

NAMES = (
    "start", "follow", "baseline", "rating", "soc_low", "soc_high", "import_cap", "export_cap", "ramp",
    "degraded", "blind", "pcs_lost", "pcs_local", "pcs_fault", "soc_unknown", "stopping",
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
    "One meter is silent; its value is formed from the others.",
    "More than one meter is silent: the battery is taken to zero.",
    "The PCS does not answer.",
    "The PCS is under local control: the board keeps its hands off.",
    "The PCS reports a fault.",
    "The state of charge is unknown: the battery is taken to zero.",
    "The firmware is stopping in good order: the battery is taken to zero.",
)
