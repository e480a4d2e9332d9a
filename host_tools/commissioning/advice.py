"""What each code of the board's procedure means for the person at the cabinet: verdict and one sentence of advice."""

ADVICE = {
    "OK": "",
    "UNKNOWN_DEVICE": "It is not in site.json: describe it there, or take it off the bus.",
    "NO_ANSWER": "Check the wiring (A/B), the address, the speed and the parity; --scan finds who answers.",
    "REFUSED": "It answers with exceptions: the profile or the firmware of the device is another one.",
    "GARBLED": "Answers arrive damaged: check termination, shielding, speed and parity.",
    "NOT_AS_PROFILE": "It answers, but not with what the profile says: check the profile and the meter's set-up.",
    "NOT_FOUND": "Correct what is missing above, then run it again.",
    "PCS_LOCAL": "Turn the key switch or the menu of the PCS to remote.",
    "PCS_FAULT": "Clear the fault at the PCS first.",
    "PCS_LOST": "The PCS stopped answering: check its bus and its supply.",
    "SOC_UNKNOWN": "Without a state of charge the battery is not moved: check the BMS link of the PCS.",
    "SOC_LOW": "Charge the battery by hand first.",
    "SOC_HIGH": "Discharge the battery by hand first.",
    "CT_REVERSED": "Turn the CTs round (P1/P2 or S1/S2); or set invert in site.json, which --apply writes.",
    "CT_ONE_PHASE_REVERSED": "One phase's CT is turned round: turn it; invert cannot mend one phase.",
    "CT_TWO_PHASES_REVERSED": "Two phases' CTs are turned round: turn them; invert cannot mend two phases.",
    "CT_WRONG_PHASE": "A CT sits on another phase than its voltage: move the CTs so that L1 meets L1.",
    "CT_RATIO": "Check the CT ratio set in the meter, and that all of the current goes through its clamps.",
    "NO_RESPONSE": "It does not see the PCS: check that its CTs sit at the grid connection, and two swapped CTs.",
    "ROLE_SWAPPED": "Exchange the two unit addresses in site.json, which --apply does, or the two meters' wiring.",
    "SEES_BESS": "This meter sees the battery, which its role should not: move its CTs behind the battery's branch.",
    "UNCERTAIN": "The load moves too much for this step: raise --step-permille, or run it at a quieter hour.",
    "PCS_NOT_FOLLOWING": "The PCS takes the set point and does nothing: check remote mode, breakers and its limits.",
    "PCS_NO_STEP": "No clean step was seen: raise --step-permille.",
    "PCS_INACCURATE": "The power settles off the set point: check the PCS's calibration and its own losses.",
    "PCS_LIMITED": "It delivers less than asked: enter its real limit, or find what derates it.",
    "DEAD_BAND": "Small set points do nothing: lower the PCS's dead band, or expect the grid to show it.",
    "REVERSION_LATE": "Set the time-out in the PCS to the configured one, or pcs.reversion_s to what it does.",
    "REVERSION_EARLY": "Something but pcs.reversion_s makes it fall back, perhaps a heartbeat watch: set that too.",
    "REVERSION_NEVER": "With the board dead the last set point stands for ever: enable the PCS's watchdog before use.",
    "REVERSION_NOT_ZERO": "Set the PCS's fall-back power to zero.",
    "REVERSION_UNSEEN": "Reading this PCS feeds its watchdog, and the meters are not right yet: correct them first.",
    "NO_ROOM": "State of charge or grid caps leave no room for the step: choose another hour or --step-permille.",
    "NOT_ACKNOWLEDGED": "The PCS did not acknowledge a set point: check its bus.",
    "METER_LOST": "A meter fell silent: check its bus, then run it again.",
    "GRID_CAP": "The grid is beyond the caps of site.json: wait for less load, or correct limits.grid_*_w.",
    "STEP_LIMIT": "The step took longer than it may: see which result is missing.",
    "STOPPED": "It was asked to stop.",
    "INTERRUPTED": "It was broken off.",
    "ERROR": "Please report it, with the board's events.jsonl.",
}


def advice(code):
    """Return the sentence for a code; an unknown one is a newer firmware's."""
    return ADVICE.get(code, "This firmware is newer than the host tools: use them of the same version.")
