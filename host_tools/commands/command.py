"""Ask something of a board through a broker, signed with an operator's key, and wait for its signed answer."""

import hashlib
import json
import queue
import time
import uuid

from host_tools.errors import DOES_NOT_HOLD, OK, ToolError, read_bytes, read_password, read_text
from host_tools.evidence import keys, utc
from host_tools.operators import answer as signed_answer
from host_tools.operators import key as operator_key
from host_tools.operators import message

HELP = """Ask something of a board by a broker. It obeys only what is signed with a key in its operators.json, valid
now, in range and new; limits, ramp and states hold against it all the same. Its signed answer is printed.
  set-point W          the battery's, discharge positive, until --for is over
  mode NAME            auto, manual or dry_run, until --for is over
  import-cap W         tighter than the site's, until --for is over; export-cap likewise
  factors FILE         a day of grid factors, CSV: time_s,direct_mg_per_kwh, an hour a row
  configuration FILE   a new site.json, for the board's next start
  again SEQ            send the records from this one on again
  checkpoint           send the checkpoint again
  witness FILE         a checkpoint of the board that witnesses have cosigned
  time                 set the board's clock to this machine's, known as well as the way there and back is short;
                       it takes it whatever its own clock says, for it is asked for in its last status
Exit code 0 if the board has answered, 1 if not in time (its events say why it refused), 2 if it cannot be sent."""
EXAMPLE = ("python3 -m host_tools command --broker mqtt://127.0.0.1 --operator-key operator.pem --board north/cab-1 "
           "--keys keys.json set-point 200000 --for 600 --reason 'test of the PCS'")
_PIECE = 480
_VALID_S = 300
_TIME = 10


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("what", choices=sorted(_KINDS), help="what to ask for")
    parser.add_argument("value", nargs="?", metavar="VALUE", help="its value")
    parser.add_argument("--broker", required=True, metavar="URL", help="mqtt://[user@]host[:port], or mqtts://")
    parser.add_argument("--operator-key", required=True, metavar="FILE", help="the private key, PEM")
    parser.add_argument("--board", required=True, metavar="SITE/DEVICE", help="for whom it is")
    parser.add_argument("--keys", required=True, metavar="FILE", help="public keys of the boards, to check the answer")
    parser.add_argument("--for", dest="seconds", type=int, default=600, metavar="S", help="how long (default 600 s)")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the event log; at most 60 letters")
    parser.add_argument("--wait", type=float, default=60, metavar="S", help="for the answer (default 60 s)")
    parser.add_argument("--password-file", metavar="FILE", help="the broker's password, alone in a file")
    parser.add_argument("--ca-file", metavar="FILE", help="certificates to believe for mqtts://")


def run(args):
    """Send and wait; the exit code."""
    from host_tools.operators.dialogue import Dialogue

    site, _, device = args.board.partition("/")
    if not site or not device:
        raise ToolError(f"{args.board!r} names no board", "Give SITE/DEVICE, as its records do.")
    registry = keys.load(args.keys)
    asked = _KINDS[args.what](args)
    key = operator_key.load(args.operator_key)
    password = read_password(args.password_file)
    with Dialogue(args.broker, f"operator-{uuid.uuid4().hex[:8]}", password, args.ca_file, (site, device)) as dialogue:
        for place, (kind, arguments) in enumerate(asked):
            number = time.time_ns() // 1_000_000
            if kind == _TIME:
                arguments = _time_for(dialogue, place, args.wait)
            now_s = time.time_ns() // 1_000_000_000
            data = message.message(key, kind, site, device, number, arguments, now_s - _VALID_S, now_s + _VALID_S)
            dialogue.send(data)
            said = _answer(dialogue, registry, (site, device), key, number, args.wait)
            if said is None:
                print(f"command: no answer within {args.wait:g} s; if the board refused it, its events say why")
                return DOES_NOT_HOLD
            print(f"{args.board}: {said or 'done'}")
    return OK


def _time_for(dialogue, answers, wait_s):
    """Return the arguments of a time: the clock here, and the challenge of a state told behind so many answers."""
    try:
        came, state = dialogue.states.get(timeout=wait_s)
        while came < answers or not dialogue.states.empty():
            came, state = dialogue.states.get(timeout=wait_s)
        challenge = bytes.fromhex(state["challenge"])
    except (queue.Empty, KeyError, TypeError, ValueError):
        raise ToolError("the board has told no state with a challenge, which it wants to find in a time",
                        "See that it is online: python3 -m host_tools fleet status; then try again.") from None
    now_ms = time.time_ns() // 1_000_000
    print(f"command: the clock here says {utc.show(now_ms)}")
    return {1: now_ms // 1000, 2: now_ms % 1000, 3: challenge}


def _answer(dialogue, registry, board, key, number, wait_s):
    """Return what the board said to this very message, None if nothing in time."""
    end_s = time.monotonic() + wait_s
    while True:
        try:
            data = dialogue.came.get(timeout=max(end_s - time.monotonic(), 0))
        except queue.Empty:
            return None
        said = signed_answer.read(data, registry, board)
        if said is not None and said.kid == key.kid and said.number == number:
            return said.text


def _whole(args, what):
    try:
        return int(args.value)
    except (TypeError, ValueError):
        raise ToolError(f"{args.what} needs {what}", f"For example: {args.what} 200000") from None


def _set_point(args):
    return [(2, {1: _whole(args, "a power in W"), 2: args.seconds, 3: args.reason})]


def _mode(args):
    return [(3, {1: _text(args, "a mode"), 2: args.seconds, 3: args.reason})]


def _cap(args):
    name = args.what.replace("-cap", "_w")
    return [(4, {1: name, 2: _whole(args, "a power in W"), 3: args.seconds, 4: args.reason})]


def _factors(args):
    lines = read_text(_text(args, "a file"), "factors").splitlines()[1:]
    try:
        rows = [line.split(",") for line in lines if line]
        hours = [int(float(row[0])) // 3600 for row in rows]
        values = [int(row[1]) for row in rows]
    except (ValueError, IndexError) as error:
        raise ToolError(f"{args.value}: {error}", "Give rows of time_s,direct_mg_per_kwh.") from error
    if hours != list(range(hours[0], hours[0] + len(hours))) if hours else True:
        raise ToolError(f"{args.value} is not one row an hour", "Give 1 to 24 rows, each an hour behind the last.")
    return [(5, {1: hours[0], 2: values})]


def _configuration(args):
    data = read_bytes(_text(args, "a file"), "site description")
    try:
        json.loads(data)
    except ValueError as error:
        raise ToolError(f"{args.value} is not JSON: {error}", "Check it with: python3 -m host_tools schema") from error
    digest = hashlib.sha256(data).digest()
    return [(6, {1: len(data), 2: at, 3: data[at:at + _PIECE], 4: digest}) for at in range(0, len(data), _PIECE)]


def _again(args):
    return [(7, {1: _whole(args, "the number of a record")})]


def _checkpoint(_):
    return [(8, {})]


def _witness(args):
    return [(9, {1: read_text(_text(args, "a file"), "witnessed checkpoint")})]


def _time(_):
    # Twice: the first state may have been told a while ago, the second is told when the clock has been set.
    return [(_TIME, None), (_TIME, None)]


def _text(args, what):
    if not args.value:
        raise ToolError(f"{args.what} needs {what}", "See: python3 -m host_tools command --help")
    return args.value


_KINDS = {"set-point": _set_point, "mode": _mode, "import-cap": _cap, "export-cap": _cap, "factors": _factors,
          "configuration": _configuration, "again": _again, "checkpoint": _checkpoint, "witness": _witness,
          "time": _time}
