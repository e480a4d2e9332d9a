"""What the uplink takes of the emulated board's time, through a real broker to the real listener."""

import importlib
import tempfile
from pathlib import Path

from host_tools.bench.figures import Figure, Measure
from host_tools.bench.on_board import HOW, instructions, run

_RECORDS = 35 * 96  # on flash, 35 days
_SENT = 480  # of them in the run, five days
_ORDERS = 6
_LIMIT_S = 3600
_INSTRUCTIONS_A_US = 125


def measure(records=_RECORDS, sent=_SENT, full=True):
    """Return how late a tick began while so many records and some orders went their way, and the longest slices."""
    rig = importlib.import_module("tests.hil.rig_paced")
    broker = importlib.import_module("tests.broker").Broker
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as name:
        folder = Path(name)
        made = rig.Made(folder, records, full)
        with broker(folder) as running, made.listening(folder, running.port) as listener, \
                made.board(folder, running.port) as board:
            board.start(rig.UTC_S, slices=True)
            reached = 0
            for number in range(_ORDERS + 1):
                wanted = sent * number // _ORDERS
                if reached < wanted:
                    reached = int(board.wait_for("STATE", rig.acked(wanted), _LIMIT_S)[1])
                made.send(listener, 2, {1: 100_000 * number, 2: 60, 3: "bench"})
            got = board.stop()
    return _figures(got, made.facts)


def _figures(got, facts):
    ordinary = {step: row[0] for step, row in got["slices"].items()}
    flash = {step: row[1] for step, row in got["slices"].items()}
    how = (HOW + ", which stands still while the host works; whole firmware at 20 ms (hyperscale), {ran_ms} ms of it, "
           "{acked} records of a flash that held {held} ({full} permille of its blocks) through mosquitto to `listen` "
           "and acknowledged, {done} acknowledgements and signed orders verified and carried out, {missed} periods "
           "missed, {collects} collections, the longest {collect_max_us} us; {free_bytes} bytes of heap free at the "
           "end; FAKE lines at the pace of 115200 baud, simulated devices behind them").format(
               held=facts["records"], full=facts["full_permille"], **got)
    late = ("the later of: a control tick after its gate opened ({late_us} us), and the reads of a period after its "
            "grid time ({reads_late_us} us); ").format(**got)
    return {"tick_late_uplink_max_us": Figure(max(got["late_us"], got["reads_late_us"]), "us", late + how),
            "uplink_slice_max_instructions": Figure(
                _INSTRUCTIONS_A_US * max(ordinary.values()), "instructions",
                f"longest slice of the uplink that has not said it touches flash, by step {ordinary} us; {how}"),
            "uplink_flash_slice_max_us": Figure(
                max(flash.values()), "us", f"longest slice that has, by step {flash}; {how}")}


def _verification():
    got = run("signature")
    slow, fast = got["portable"], got["accelerated"]
    how = ("a command's signature with a key of which nothing is kept: its table made ({prepare}) and the check itself "
           "({verify}); {{}}; collection between slices not counted")
    return {"command_verify_instructions": instructions(
                fast["prepare"] + fast["verify"], how.format(**fast).format("the core's UMULL and UMLAL")),
            "command_verify_portable_instructions": instructions(
                slow["prepare"] + slow["verify"], how.format(**slow).format("big integers"))}


MEASURES = (
    Measure("uplink_late", ("tick_late_uplink_max_us", "uplink_slice_max_instructions", "uplink_flash_slice_max_us"),
            measure),
    Measure("command_verify", ("command_verify_instructions", "command_verify_portable_instructions"), _verification),
)
