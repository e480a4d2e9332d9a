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
UNASKED = 24
DISTURBED = 25
ISLAND_BATTERY = 26
ISLAND_GENSET = 27
ISLAND_DARK = 28
GRID_THERE = 29
GRID_ASSUMED = 30
GRID_BACK = 31
RESYNC_LATE = 32
GENSET_UNREACHED = 33
GENSET_ALARM = 34
GENSET_ON_THE_SPOT = 35
GENSET_READY = 36
GENSET_STARTED_OUTSIDE = 37
GENSET_TAKEN_OVER = 38
GENSET_FOUND_RUNNING = 39
GENSET_FOR_LIFE = 40
GENSET_FOR_SOC = 41
GENSET_FOR_LOAD = 42
GENSET_FOR_LOSS = 43
GENSET_FOR_BLIND = 44
GENSET_BY_HAND = 45
GENSET_FOR_TEST = 46
GENSET_WARMS = 47
GENSET_AT_ONCE = 48
GENSET_CARRIES = 49
GENSET_DID_NOT_START = 50
GENSET_AGAIN = 51
GENSET_DIED = 52
GENSET_LOCKED = 53
GENSET_NOT_NEEDED = 54
GENSET_LONGEST_RUN = 55
GENSET_IN_VAIN = 56
GENSET_WANTED_AGAIN = 57
GENSET_STOPS = 58
GENSET_WILL_NOT_STOP = 59
LOAD_HELD = 60
GRID_HELD = 61
WIND_HELD = 62
PV_HELD = 63
GENSET_HELD = 64
SOC_HELD = 65
LOAD_WORST = 66
GRID_WORST = 67
WIND_WORST = 68
PV_WORST = 69
GENSET_WORST = 70
LOAD_ZERO = 71
GRID_ZERO = 72
WIND_ZERO = 73
PV_ZERO = 74
GENSET_ZERO = 75
LOAD_LATCHED = 76
GRID_LATCHED = 77
WIND_LATCHED = 78
PV_LATCHED = 79
GENSET_LATCHED = 80
SOC_LATCHED = 81
SOC_FROZEN = 82
MANUAL = 83
OVERRIDE = 84
PCS_LIMITED = 85
DEMAND_CAP = 86
RESERVE = 87
RESERVE_CHARGE = 88
CARBON_HOLD = 89
CARBON_CHARGE = 90

NAMES = (
    "start", "follow", "baseline", "rating", "soc_low", "soc_high", "import_cap", "export_cap", "ramp",
    "load_silent", "grid_silent", "wind_silent", "pv_silent", "genset_silent", "blind", "pcs_lost", "pcs_local",
    "pcs_fault", "soc_unknown", "bms_lost", "wind_limit_lost", "pv_limit_lost", "genset_control_lost", "stopping",
    "unasked", "disturbed",
    "island_battery", "island_genset", "island_dark", "grid_there", "grid_assumed", "grid_back", "resync_late",
    "genset_unreached", "genset_alarm", "genset_on_the_spot", "genset_ready", "genset_started_outside",
    "genset_taken_over", "genset_found_running", "genset_for_life", "genset_for_soc", "genset_for_load",
    "genset_for_loss", "genset_for_blind", "genset_by_hand", "genset_for_test", "genset_warms", "genset_at_once",
    "genset_carries", "genset_did_not_start", "genset_again", "genset_died", "genset_locked", "genset_not_needed",
    "genset_longest_run", "genset_in_vain", "genset_wanted_again", "genset_stops", "genset_will_not_stop",
    "load_held", "grid_held", "wind_held", "pv_held", "genset_held", "soc_held", "load_worst", "grid_worst",
    "wind_worst", "pv_worst", "genset_worst", "load_zero", "grid_zero", "wind_zero", "pv_zero", "genset_zero",
    "load_latched", "grid_latched", "wind_latched", "pv_latched", "genset_latched", "soc_latched", "soc_frozen",
    "manual", "override", "pcs_limited",
    "demand_cap", "reserve", "reserve_charge", "carbon_hold", "carbon_charge",
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
    "A device of the site speaks on its bus without having been asked.",
    "Somebody who is no device of the site speaks on a bus, or it is disturbed.",
    "The grid is lost: the battery forms the site's own, and its set point is not followed.",
    "The grid is lost: the genset forms the site's own, and the battery takes the load less its share.",
    "The grid is lost and nobody can carry the load: the battery is taken to zero.",
    "The site is on the grid.",
    "Nobody says whether the grid is there: the site begins as if it were.",
    "The grid has been steady for long enough: the site waits to be put back onto it.",
    "The site was not put back onto the grid in time: it stays an island for another try.",
    "The genset controller does not answer: nothing can be asked of it.",
    "The genset has shut down by an alarm of its own: somebody has to look at it.",
    "The genset is commanded at its panel: the board keeps its hands off.",
    "The genset stands and would start.",
    "The genset runs and it was not the board that started it: it is left to run.",
    "The genset runs already and is needed: the board takes it over.",
    "The genset was found running and is not needed: it is cooled down and stopped.",
    "The genset starts: the battery cannot carry the load, or soon not.",
    "The genset starts: the state of charge is low.",
    "The genset starts: the load has been high.",
    "The genset starts: the grid has been away for long.",
    "The genset starts: the state of charge is unknown.",
    "The genset starts: somebody asked for it.",
    "The genset starts for its test run.",
    "The engine runs and warms up.",
    "The genset takes the load before it is warm: nobody else can.",
    "The genset is warm and carries load.",
    "The engine has not started in its time: it is tried again after a pause.",
    "The genset is started once more.",
    "The engine has stopped by itself: it is started again after a pause.",
    "The genset has failed as often as it may: it is left alone for a long pause.",
    "No condition asks for the genset any more, and it has run for its shortest time.",
    "The genset has run for its longest time: it is stopped and rests.",
    "The genset runs and the state of charge gains nothing: it is stopped and rests.",
    "The genset was cooling down and is needed again.",
    "The genset has cooled down and is stopped.",
    "The genset has been told to stop and still runs: it is told again.",
    "The load meter is silent; its last value counts for a while.",
    "The grid meter is silent; its last value counts for a while.",
    "The wind meter is silent; its last value counts for a while.",
    "The PV meter is silent; its last value counts for a while.",
    "The genset meter is silent; its last value counts for a while.",
    "The state of charge is old; its last value counts for a while.",
    "The load meter is silent; what it might show at worst keeps the caps.",
    "The grid meter is silent; what it might show at worst keeps the caps.",
    "The wind meter is silent; what it might show at worst keeps the caps.",
    "The PV meter is silent; what it might show at worst keeps the caps.",
    "The genset meter is silent; what it might show at worst keeps the caps.",
    "The load meter is silent: the battery is taken to zero, as its policy says.",
    "The grid meter is silent: the battery is taken to zero, as its policy says.",
    "The wind meter is silent: the battery is taken to zero, as its policy says.",
    "The PV meter is silent: the battery is taken to zero, as its policy says.",
    "The genset meter is silent: the battery is taken to zero, as its policy says.",
    "The load meter was silent: the battery stays at zero until somebody acknowledges.",
    "The grid meter was silent: the battery stays at zero until somebody acknowledges.",
    "The wind meter was silent: the battery stays at zero until somebody acknowledges.",
    "The PV meter was silent: the battery stays at zero until somebody acknowledges.",
    "The genset meter was silent: the battery stays at zero until somebody acknowledges.",
    "The state of charge was unknown: the battery stays at zero until somebody acknowledges.",
    "The state of charge stands still though the battery works: the battery is taken to zero.",
    "The set point is the operator's: the board does not follow the load.",
    "The set point is the operator's, for a time that ends by itself.",
    "The PCS gives or takes less than it was asked for: no more is asked of it than that.",
    "The set point was raised to keep the mean import of this clock quarter below its cap.",
    "The battery keeps its reserve: it discharges for the import cap and for backup only.",
    "The battery charges from the grid up to its reserve.",
    "The battery keeps its energy for an hour in which the grid emits more.",
    "The battery charges from the grid, which emits less now than when the energy will be used.",
)
