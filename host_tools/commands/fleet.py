"""Many boards at once: how they are, whether they hold, what they say together."""

import json
import sys
import time
from pathlib import Path

from host_tools.errors import DOES_NOT_HOLD, OK, ToolError
from host_tools.evidence import utc
from host_tools.fleet import archive, figures, status, work

HELP = """Look after many boards.
  status    how each one is: late, silent, alarms, clock, firmware; the worst first    --store
  fetch     write a folder a board from a store: records, events, checkpoint           --store, ARCHIVE
  verify    judge every board below a folder                                           ARCHIVE, --keys
  report    write a report beside each board's records                                 ARCHIVE, --keys
  tabulate  write each board's Parquet table                                           ARCHIVE, --keys
  figures   sums over all tables, by site, device, hour, day, month, source            ARCHIVE, --by
verify, report and tabulate use all cores, or the workers of a Dask cluster by --scheduler: the results are the same.
Exit code 0 if everything holds or nothing is wrong, 1 if not, 2 if the input cannot be used."""
EXAMPLE = """python3 -m host_tools fleet status --store sqlite:///build/store.db
  python3 -m host_tools fleet fetch build/archive --store sqlite:///build/store.db
  python3 -m host_tools fleet verify build/archive --keys keys.json
  python3 -m host_tools fleet figures build/archive --by site hour"""


def add_arguments(parser):
    """Declare what the command takes."""
    parser.add_argument("action", choices=sorted(_ACTIONS), help="what to do")
    parser.add_argument("archive", nargs="?", type=Path, metavar="ARCHIVE", help="the folder with the boards' folders")
    parser.add_argument("--store", metavar="URL", help="the listener's store")
    parser.add_argument("--keys", metavar="FILE", help="public keys of the boards: keys.json")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster: tcp://host:8786")
    parser.add_argument("--workers", type=int, metavar="N", help="processes, without a cluster (default: the cores)")
    parser.add_argument("--from", dest="from_utc", metavar="UTC", help="start of the range")
    parser.add_argument("--to", dest="to_utc", metavar="UTC", help="end of the range")
    parser.add_argument("--by", nargs="+", default=["site"], choices=[*figures.BY, "source"], metavar="WORD",
                        help=f"figures: {', '.join(figures.BY)}, source")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(args):
    """Do it; the exit code."""
    return _ACTIONS[args.action](args)


def _status(args):
    store = _store(args)
    found = status.statuses(store, time.time_ns() // 1_000_000)
    store.close()
    if args.json:
        print(json.dumps([one.as_json() for one in found], indent=1))
    else:
        print("\n".join(status.table(found)) if found else "no board has sent anything yet")
    return DOES_NOT_HOLD if any(one.words for one in found) else OK


def _fetch(args):
    store = _store(args)
    added = archive.fetch(store, _folder(args), work.Progress("fetch:"))
    store.close()
    print(f"fetch: {sum(added.values())} records added, of {len(added)} boards, in {args.archive}")
    return OK


def _verify(args):
    from_ms, to_ms = (None if text is None else utc.parse(text) for text in (args.from_utc, args.to_utc))
    found = _each(args, work.judge, (_keys(args), from_ms, to_ms), "verify:")
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        for name, result in found.items():
            print(_verdict_line(name, result))
        held = sum(result["holds"] for result in found.values())
        print(f"verify: {held} of {len(found)} boards hold")
    return _worst(found)


def _verdict_line(name, result):
    if "error" in result:
        return f"{name}: {result['error']}; {result['advice']}"
    words = [f"{kind} {result[kind]}" for kind in ("integrity", "completeness", "plausibility")]
    codes = ", ".join(f"{code} x {count}" for code, count in result["finding_counts"].items())
    return f"{name}: {', '.join(words)}; {result['records']} records" + (f"; {codes}" if codes else "")


def _report(args):
    found = _each(args, _report_of, (_keys(args), args.from_utc, args.to_utc), "report:")
    return _said(args, found)


def _report_of(path, key_path, from_utc, to_utc):
    """Write one board's report.html; what `fleet report` says of it."""
    from host_tools.report.page import page
    from host_tools.report.run_data import RunData

    times = [None if text is None else utc.parse(text) for text in (from_utc, to_utc)]
    try:
        run_ = RunData(Path(path), Path(key_path), *times)
        file = Path(path) / "report.html"
        file.write_text(page([run_]), encoding="utf-8", newline="\n")
    except ToolError as error:
        return {"error": error.message, "advice": error.advice, "holds": False}
    return {"file": str(file), "holds": run_.verdict.exit_code == OK}


def _tabulate(args):
    return _said(args, _each(args, figures.tabulate, (_keys(args),), "tabulate:"))


def _said(args, found):
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        for name, result in found.items():
            print(f"{name}: " + (result["file"] if "file" in result else f"{result['error']}; {result['advice']}")
                  + ("" if result["holds"] or "error" in result else "; does not hold"))
    return _worst(found)


def _figures(args):
    names, rows = figures.figures(_folder(args), args.by, args.from_utc, args.to_utc)
    if args.json:
        print(json.dumps([dict(zip(names, map(_plain, row))) for row in rows], indent=1))
    else:
        print(",".join(names))
        for row in rows:
            print(",".join("" if value is None else str(_plain(value)) for value in row))
    return OK


def _plain(value):
    if hasattr(value, "isoformat"):
        return value.replace(tzinfo=None).isoformat() + "Z"
    return float(value) if type(value).__name__ == "Decimal" else value


def _each(args, function, arguments, what):
    found, progress = {}, work.Progress(what)
    places = archive.places(_folder(args))
    for done, (place, result) in enumerate(
            work.for_each(function, places, arguments, args.scheduler, args.workers), 1):
        found[place.name] = result
        progress(done, len(places))
    return found


def _worst(found):
    return OK if all(result["holds"] for result in found.values()) else DOES_NOT_HOLD


def _store(args):
    from host_tools.listen.store import Store

    if not args.store:
        raise ToolError(f"fleet {args.action} needs --store", "Give the listener's: --store sqlite:///build/store.db")
    return Store(args.store)


def _folder(args):
    if args.archive is None:
        raise ToolError(f"fleet {args.action} needs ARCHIVE", "Name the folder: build/archive")
    return args.archive


def _keys(args):
    if not args.keys:
        raise ToolError(f"fleet {args.action} needs --keys", "Give the boards' public keys: --keys keys.json")
    print(f"keys: {args.keys}", file=sys.stderr)
    return str(Path(args.keys).resolve())


_ACTIONS = {"status": _status, "fetch": _fetch, "verify": _verify, "report": _report, "tabulate": _tabulate,
            "figures": _figures}
