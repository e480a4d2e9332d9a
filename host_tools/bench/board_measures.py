"""What is measured on the emulated board, and how each figure came about."""

import json
import tempfile
from pathlib import Path

from host_tools.bench import bench_site, umodbus
from host_tools.bench.figures import Figure, Measure
from host_tools.bench.on_board import HOW, in_bytes, instructions, run
from host_tools.commands import provision
from host_tools.plant.crc import with_crc
from host_tools.toolchain import paths

_RECORDS = "tests/vectors/record_few.json"
_SITE = paths.ROOT / "host_tools" / "sites" / "edge.json"
_UART = "the board's own UART and clock, each answer whole at one poll"


def _control_tick():
    site = bench_site.config()
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as folder:
        file = Path(folder) / "bench" / "site.json"
        file.parent.mkdir()
        file.write_text(json.dumps(site))
        got = run("control_tick", loose=[(Path(folder), [file])], answer=bench_site.answerer(site))
    parts = ("parsing of the 4 answers (load, wind, PCS, grid) {answers}, control_tick() with energy and frame "
             "{control_tick} ({without_frame} without the frame), the poll that sends "
             "the set point {setpoint}").format(**got)
    tick = instructions(got["tick"], f"median of 15 periods (spread {got['spread']}), edge site on one line of "
                        f"115200 baud, answered by the simulated devices; {parts}; "
                        f"idle polls and the sending of requests left out; {_UART}")
    period = instructions(got["period"], "the tick and all else of its period but idle polls: asking the queue "
                          "{asking}, sending 5 requests {sends}, line silence and the set point's own answer "
                          "{others}".format(**got))
    moved = in_bytes(got["alloc_bytes"], "growth of gc.mem_alloc() over one whole period, collection off")
    return {"control_tick_instructions": tick, "control_period_instructions": period,
            "control_tick_alloc_bytes": moved}


def _ten_registers(request):
    """Answer a read of ten registers, whatever the request."""
    return with_crc(bytes([request[0], request[1], 20]) + b"".join(bytes([i, 100 + i]) for i in range(10)))


def _modbus():
    got = run("modbus_transaction", answer=_ten_registers)
    how = ("median of 15: one FC03 read of 10 registers, asked, sent, judged, ten values through Ratio; of it asking "
           "and sending {sending}; the poll that sees the silence end afterwards {free}, "
           "one that finds nothing {idle}; {uart}")
    return {"modbus_transaction_instructions": instructions(got["instructions"], how.format(uart=_UART, **got)),
            "modbus_transaction_alloc_bytes": in_bytes(
                got["alloc_bytes"], "growth of gc.mem_alloc() over one such read, collection off")}


def _umodbus():
    got = run("umodbus_transaction", "tests/bench/modbus_transaction.py", loose=[umodbus.compiled()],
              answer=_ten_registers)
    how = (f"{HOW}; medians of 15, one run: ours {got['ours']} instructions ({got['ours_alloc_bytes']} bytes "
           f"allocated), {umodbus.NAME} {umodbus.VERSION} read_holding_registers() {got['theirs']} "
           f"({got['theirs_alloc_bytes']} bytes allocated); ours with {_UART}; theirs with a UART, a clock and sleeps "
           "that are fakes and cost next to nothing, so its waiting is left out")
    return {"modbus_vs_umodbus_ratio": Figure(round(got["ours"] / got["theirs"], 4), "ratio", how)}


def _sched():
    got = run("sched_dispatch")
    how = (f"{HOW}; one run, 800 ms of 8 tasks of 8 ms that fall due together, fake clock, waiting moves it: "
           f"ours {got['ours_together']} instructions a dispatch, asyncio {got['theirs_together']}; with one task "
           f"due each millisecond, so one wait a dispatch: {got['ours_apart']} against {got['theirs_apart']}")
    ratio = Figure(round(got["ours_together"] / got["theirs_together"], 4), "ratio", how)
    return {"sched_dispatch_vs_asyncio_ratio": ratio,
            "sched_dispatch_instructions": instructions(got["ours_together"], "as in the ratio")}


def _signature():
    got = run("signature")
    common = f"5 digests, Signer.sign() in about {got['slices']} slices, nonce included; collection between slices"
    verify = ("one signature, table of the key prepared before; longest slice "
              f"{got['verify_slice_max']}, collection between slices not counted")
    return {"sign_total_instructions": instructions(got["total"], f"median of {common}, not counted"),
            "sign_slice_max_instructions": instructions(got["slice_max"], f"longest of all slices of {common}"),
            "sign_garbage_bytes": in_bytes(got["garbage_bytes"], f"median of {common}; growth of gc.mem_alloc() "
                                           "over the slices, summed"),
            "verify_on_board_instructions": instructions(got["verify"], verify)}


def _record():
    got = run("record_encode", _RECORDS)
    return {"record_encode_instructions": instructions(
        got["instructions"], "median of 9: payload, bytes to be signed and SHA-256 of the {record_bytes}-byte example "
        "of SPEC.md; {alloc_bytes} bytes allocated".format(**got))}


def _journal():
    got = run("journal_append", _RECORDS)
    how = ("{appends} appends of a {record_bytes}-byte record, each with its flush, on littlefs on the board's 4 MiB "
           "of flash (memory: no erase time), which held 35 days ({records} records) before: "
           "{full_permille} permille of its blocks in use; median {median_us} us, p99 {p99_us} us, at 125 MIPS; "
           "collection between appends not counted").format(**got)
    return {"journal_append_max_us": Figure(got["max_us"], "us", how)}


def _heap():
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as folder:
        place = Path(folder) / "bench"
        place.mkdir()
        (place / "site.json").write_bytes(_SITE.read_bytes())
        provision.make(place, "edge", "board-1", secret=bytes(range(32)))
        files = [place / "site.json", place / "secret.bin"]
        got = run("heap", loose=[(Path(folder), files)])
    how = ("after firmware.main.build() of host_tools/sites/edge.json with an empty journal opened, two keys "
           f"prepared, no tick run, and gc.collect(); of it {got['before_bytes']} bytes were taken before (VM, REPL, "
           "firmware modules imported, this script)")
    return {"firmware_heap_bytes": in_bytes(got["heap_bytes"], f"gc.mem_alloc() {how}"),
            "firmware_free_heap_bytes": in_bytes(got["free_bytes"], f"gc.mem_free(), 140 KB heap, {how}")}


MEASURES = (
    Measure("control_tick", ("control_tick_instructions", "control_tick_alloc_bytes",
                             "control_period_instructions"), _control_tick),
    Measure("modbus", ("modbus_transaction_instructions", "modbus_transaction_alloc_bytes"), _modbus),
    Measure("umodbus", ("modbus_vs_umodbus_ratio",), _umodbus),
    Measure("sched", ("sched_dispatch_vs_asyncio_ratio", "sched_dispatch_instructions"), _sched),
    Measure("signature", ("sign_total_instructions", "sign_slice_max_instructions", "sign_garbage_bytes",
                          "verify_on_board_instructions"), _signature),
    Measure("record", ("record_encode_instructions",), _record),
    Measure("journal", ("journal_append_max_us",), _journal),
    Measure("heap", ("firmware_heap_bytes", "firmware_free_heap_bytes"), _heap),
)
