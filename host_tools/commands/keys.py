"""`keys`: show and change the registry of public keys, with its history."""

import time

from host_tools.errors import OK, ToolError
from host_tools.evidence import cosignature, keys, utc
from host_tools.evidence.key_file import KeyFile
from host_tools.evidence.key_history import introduced
from host_tools.evidence.source import open_source

HELP = """Show and change a key file: whose key it is, what for, since when, until when, revoked or not. Every change is
kept with its time and reason. A board that changes its keys itself says so in a record (kind 3): `verify` follows that
without this file, and --follow takes such keys over, once the record before them holds. Marks take effect at --at:
records from then on (--revoke, --end) or before (--begin) are refused.
Nothing is changed without --reason. Exit code 0, or 2 if something cannot be done."""
EXAMPLE = """python3 -m host_tools keys registry.json
  python3 -m host_tools keys registry.json --add new/keys.json --replaced-at 2026-05-01T00:00:00Z --reason "board burnt"
  python3 -m host_tools keys registry.json --revoke f367dbb28fd27559 --at 2026-05-01T00:00:00Z --reason "board stolen"
  python3 -m host_tools keys registry.json --add-witness witness.example/w1+... --reason "contract of May\""""


def add_arguments(parser):
    """Declare the command line."""
    parser.add_argument("file", metavar="FILE", help="the key file")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--add", metavar="F", help="add the keys of another key file")
    what.add_argument("--begin", metavar="KID", help="a key is valid from --at on")
    what.add_argument("--end", metavar="KID", help="a key is valid up to --at")
    what.add_argument("--revoke", metavar="KID", help="a key is not to be believed from --at on")
    what.add_argument("--follow", metavar="PATH", help="add the keys that the records of a journal introduce")
    what.add_argument("--add-witness", metavar="VKEY", help="trust a witness: the line that `witness` prints")
    parser.add_argument("--at", metavar="UTC", help="when a mark takes effect")
    parser.add_argument("--replaced-at", metavar="UTC", help="with --add: when the new board took the old one's place")
    parser.add_argument("--reason", metavar="TEXT", help="why, for the history")


def run(args):
    """Show or change; the exit code."""
    change = next((name for name in ("add", "begin", "end", "revoke", "follow", "add_witness") if getattr(args, name)),
                  None)
    file = KeyFile(args.file, int(time.time()), missing_ok=change == "add")
    if change is None:
        print("\n".join(_shown(file)))
        return OK
    if not args.reason:
        raise ToolError("--reason is missing", "Say why: it goes into the history of the key file.")
    print(_changed(args, file, change))
    file.save()
    return OK


def _changed(args, file, change):
    value = getattr(args, change)
    if change == "add":
        return f"{file.add(keys.rows_of(value), args.reason, _seconds(args.replaced_at))} keys added"
    if change == "add_witness":
        try:
            cosignature.read_vkey(value)
        except ValueError as error:
            raise ToolError(str(error), "It is the line that `witness --state FOLDER` prints.") from None
        return "witness added" if file.add_witness(value, args.reason) else "that witness is there already"
    if change == "follow":
        rows = introduced(open_source(value), keys.load(args.file))
        return f"{file.add(rows, args.reason)} keys added, of {len(rows)} that the records introduce"
    at_s = _seconds(args.at)
    if at_s is None:
        raise ToolError("--at is missing", "Say from when: --at 2026-05-01T00:00:00Z.")
    file.mark(value, change, at_s, args.reason)
    return f"{value}: {change} at {utc.show(at_s * 1000)}"


def _seconds(text):
    return None if text is None else utc.parse(text) // 1000


def _shown(file):
    """List keys, witnesses and history as lines."""
    lines = []
    for row in file.rows:
        marks = [f"{word} {utc.show(row[name] * 1000)}" for word, name in (
            ("from", "not_before_s"), ("until", "not_after_s"), ("REVOKED from", "revoked_s")) if row[name] is not None]
        lines.append(f"{row['kid']}  {row['use']:<10} {row['site']}/{row['device']}  {', '.join(marks) or 'valid'}")
    lines += [f"witness  {vkey}" for vkey in file.document.get("witnesses", [])]
    for entry in file.history:
        at = f" at {utc.show(entry['at_s'] * 1000)}" if "at_s" in entry else ""
        lines.append(f"{utc.show(entry['noted_s'] * 1000)}  {entry['key']} {entry['what']}{at}: {entry['reason']}")
    return lines
