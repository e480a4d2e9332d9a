"""Say what a board does now, and why, over its cable."""

import json

from firmware.control.reasons import NAMES, SENTENCES  # what the words mean; nothing is judged here
from host_tools.cable.port import open_board
from host_tools.errors import DOES_NOT_HOLD, OK, ToolError

HELP = """Say in words what a board does now and why: its state, powers, battery, clock and log. The firmware goes on.
Exit code 0 if nothing is wrong, 1 if the board raises an alarm, 2 if it does not answer."""
EXAMPLE = "python3 -m host_tools status --port /dev/ttyACM0"

_POWERS = (("load_w", "load"), ("wind_w", "wind"), ("pv_w", "PV"), ("genset_w", "genset"),
           ("bess_w", "battery, discharge positive"), ("grid_w", "grid, import positive"))


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("--port", required=True, metavar="P", help="serial port of the board, as mpremote takes it")
    parser.add_argument("--json", action="store_true", help="print what the board said, as JSON")


def run(args):
    """Ask and print; the exit code."""
    board = open_board(args.port)
    try:
        if not board.runs:
            raise ToolError(f"the firmware does not run on the board at {args.port}",
                            "Reset the board; what it prints then says why it does not start.")
        said = json.loads(board.status())
    finally:
        board.close()
    print(json.dumps(said, indent=1) if args.json else "\n".join(in_words(said)))
    return DOES_NOT_HOLD if said["alarms"] else OK


def in_words(said):
    """Return what the board said, as lines for people."""
    why = dict(zip(NAMES, SENTENCES)).get(said["reason"], said["reason"])
    lines = [f"{said['mode']}: {why}", f"set point {_power(said['setpoint_w'])}"]
    lines += [f"{name}: {_power(said[key])}" for key, name in _POWERS if said.get(key) is not None]
    if said.get("soc_permille") is not None:
        lines.append(f"state of charge {said['soc_permille'] / 10:.1f} %")
    lines.append(f"clock {said['clock']}, up {_time(said['uptime_s'])}")
    lines.append(f"{said['size']} records, {said['acked']} of them stored elsewhere")
    lines.append("alarms: " + (", ".join(said["alarms"]) or "none"))
    lines.append(f"firmware {said['firmware']}, site.json {said['config'][:16]}")
    return lines


def _power(power_w):
    for unit, size in (("MW", 10**6), ("kW", 10**3)):
        if abs(power_w) >= size:
            return f"{power_w / size:.2f} {unit}"
    return f"{power_w} W"


def _time(seconds):
    days, rest = divmod(seconds, 86_400)
    return f"{days} d {rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
