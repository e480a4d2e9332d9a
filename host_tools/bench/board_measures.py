"""What is measured on the emulated board, and how each figure came about."""

import json
import tempfile
from pathlib import Path

from host_tools.bench import bench_site, umodbus
from host_tools.bench.figures import Figure, Measure
from host_tools.bench.on_board import HOW, PACED, in_bytes, instructions, run
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
    how = ("median of 15: one FC03 read of 10 registers, asked, sent, judged, ten values taken; of it asking "
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
    slow, fast = got["portable"], got["accelerated"]
    signing = ("{} of 5 digests, Signer.sign() with {} in about {} slices, nonce included; collection between slices"
               ", not counted")
    ours = signing.format("median", "big integers", slow["slices"])
    quick = ("the core's UMULL and UMLAL (hal/thumb.py), the same signatures byte for byte, longest slice {slice_max}, "
             "{garbage_bytes} bytes of garbage").format(**fast)
    verify = ("one signature, big integers, table of the key prepared before ({prepare} instructions, longest slice "
              "{prepare_slice_max}); longest slice {verify_slice_max}, {verify_garbage_bytes} bytes of garbage; "
              "collection between slices not counted")
    return {"sign_total_instructions": instructions(slow["total"], ours),
            "sign_slice_max_instructions": instructions(slow["slice_max"], "longest slice " + ours),
            "sign_garbage_bytes": in_bytes(slow["garbage_bytes"], f"growth of gc.mem_alloc() over the slices, {ours}"),
            "sign_accelerated_instructions": instructions(
                fast["total"], signing.format("median", quick, fast["slices"])),
            "verify_on_board_instructions": instructions(slow["verify"], verify.format(**slow)),
            "verify_slice_max_instructions": instructions(slow["verify_slice_max"], "longest slice, as in "
                                                          "verify_on_board_instructions"),
            "verify_accelerated_instructions": instructions(
                fast["verify"], verify.format(**fast).replace("big integers", "the core's UMULL and UMLAL"))}


def _record():
    got = run("record_encode", "tests/device/record_fields.py", _RECORDS)
    how = ("median of 9: an Interval to the bytes to be signed, and their SHA-256 ({{hashing_{0}}} of it), of {1}, "
           "{{record_bytes_{0}}} bytes; numbers are written by hal/thumb_cbor.py{2}; serial numbers are encoded when "
           "they change only; {{alloc_bytes_{0}}} bytes allocated; signature, envelope, tree and flash are not in it")
    full = "a record of six roles with something in every field and registers in every role"
    plain = " in no case, but by log/numbers.py as on a board without Thumb-2"
    kinds = (("example", "", "the example of SPEC.md (four roles, every field there, three of them null)", ""),
             ("full", "_full", full, ""), ("plain", "_plain", full, plain),
             ("longest", "_longest", "one of six roles, as long as a record may be", ""))
    return {f"record_encode{name}_instructions": instructions(got[f"instructions_{kind}"],
                                                              how.format(kind, what, by).format(**got))
            for kind, name, what, by in kinds}


def _journal():
    got = run("journal_append", "tests/device/test_chain.py", "tests/device/memory_files.py")
    where = ("on littlefs on the board's 4 MiB of flash (memory: no erase time), which held {days} days of "
             "{record_bytes}-byte records and all the events it keeps: {full_permille} permille of its blocks in use; "
             "at 125 MIPS; collection not counted").format(**got)
    how = ("{appends} appends of a record, each with its flush, between them head, checkpoint and events; whole, its "
           "slices added up; median {median_us} us, p99 {p99_us} us; {where}").format(where=where, **got)
    slices = ("longest piece of any write that is not cut further: append {append_slice_us} us, head {head_slice_us}, "
              "checkpoint {checkpoint_slice_us}, events {events_slice_us}; {where}").format(where=where, **got)
    return {"journal_append_max_us": Figure(got["max_us"], "us", how),
            "journal_slice_max_us": Figure(got["slice_us"], "us", slices),
            "journal_recovery_us": Figure(got["recovery_us"], "us", "start of the chain with 96 records in the last "
                                          f"file, keys not counted; {where}")}


def _tick_late():
    got = run("tick_late", "tests/bench/tick_watch.py", *PACED, _RECORDS, limit_s=3600)
    how = (HOW + "; the later of: a control tick after its gate opened ({late_us} us), and the reads of a period "
           "after its grid time ({reads_late_us} us); whole firmware at 20 ms with log, keys and collection, "
           "{seconds} virtual seconds, {records} records written with checkpoint, {missed} periods missed; littlefs "
           "held 35 days and a full event log before: {full_permille} permille of its blocks in use; collections "
           "{collects}, the longest {collect_max_us} us, {collects_forced} out of place; longest slice and slices "
           "out of place of each background job: {jobs}; FAKE lines at the pace of 115200 baud, load and grid on "
           "one, PCS on the other").format(**got)
    return {"tick_late_max_us": Figure(max(got["late_us"], got["reads_late_us"]), "us", how),
            "flash_slice_max_us": Figure(got["jobs"]["keeper"][0], "us", "longest slice of the log, writes to flash "
                                         f"included; as in tick_late_max_us: {how}")}


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
            "firmware_free_heap_bytes": in_bytes(got["free_bytes"], f"gc.mem_free(), 140 KB heap, {how}"),
            "firmware_free_piece_bytes": in_bytes(got["piece_bytes"], f"of the free heap in one piece, {how}")}


MEASURES = (
    Measure("control_tick", ("control_tick_instructions", "control_tick_alloc_bytes",
                             "control_period_instructions"), _control_tick),
    Measure("modbus", ("modbus_transaction_instructions", "modbus_transaction_alloc_bytes"), _modbus),
    Measure("umodbus", ("modbus_vs_umodbus_ratio",), _umodbus),
    Measure("sched", ("sched_dispatch_vs_asyncio_ratio", "sched_dispatch_instructions"), _sched),
    Measure("signature", ("sign_total_instructions", "sign_slice_max_instructions", "sign_garbage_bytes",
                          "sign_accelerated_instructions", "verify_on_board_instructions",
                          "verify_slice_max_instructions", "verify_accelerated_instructions"), _signature),
    Measure("record", ("record_encode_instructions", "record_encode_full_instructions",
                       "record_encode_longest_instructions", "record_encode_plain_instructions"), _record),
    Measure("journal", ("journal_append_max_us", "journal_slice_max_us", "journal_recovery_us"), _journal),
    Measure("tick_late", ("tick_late_max_us", "flash_slice_max_us"), _tick_late),
    Measure("heap", ("firmware_heap_bytes", "firmware_free_heap_bytes", "firmware_free_piece_bytes"), _heap),
)
