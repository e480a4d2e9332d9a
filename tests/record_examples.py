"""The example records of SPEC.md and of tests/vectors/record_v1.json, written by the firmware's own code.

`python3 tests/record_examples.py` writes the vectors anew; tests/test_spec.py fails where they differ.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VECTORS = ROOT / "tests" / "vectors" / "record_v1.json"
FEW = ROOT / "tests" / "vectors" / "record_few.json"  # what the heap of a small board takes
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "host_tools" / "compat")]

from firmware.core.types import KIND_GAP, KIND_INTERVAL, Interval  # noqa: E402
from firmware.log import checkpoint, keys, layout, record  # noqa: E402
from firmware.log.signer import Signer  # noqa: E402
from firmware.log.tree import Tree  # noqa: E402

SECRET = bytes(range(32))
SITE, DEVICE = "north", "cab-1"
FIRMWARE, CONFIG = sha256(b"firmware of the examples").digest(), sha256(b"site.json of the examples").digest()
FACTOR_TABLE = sha256(b"").digest()
QUARTER_MS = 900_000
NOON_MS = 1_767_268_800_000  # 2026-01-01T12:00:00Z
CODED = {"duration_ms": (1, 900_000), "clock": (0, 3), "quality": (0, 10), "substitute_method": (0, 2),
         "flags": (0, 1 << 18 | 1 << 16 | 0x3FFB), "soc_permille": (0, 1000), "grid_factor": (0, 3), "meters": (0, 5),
         "registers": (0, 5), "serials": (0, 5)}
DIRECT, LIFECYCLE = [0, 0, 762_000, 38_950, 762_000], [11_000, 45_000, 900_000, 52_300, 900_000]
ETA_PPM, MOST = 846_400, 2**64 - 1
CODEC = "codec only: the values do not add up"


def drain(generator):
    """Return what a generator returns, running it to its end."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def share(lump, uses):
    """Split a lump over the uses by largest remainder, ties to the lowest index."""
    total = sum(uses)
    if not total:
        return [lump, 0, 0, 0]
    parts = [lump * use // total for use in uses]
    order = sorted(range(4), key=lambda j: (-(lump * uses[j] % total), j))
    for j in order[: lump - sum(parts)]:
        parts[j] += 1
    return parts


def settle(interval, pool):
    """Fill in the carbon fields of an interval from its energies and the pool; return the pool after."""
    sources, uses = interval.sources_wh, interval.uses_wh
    interval.pool_start, interval.residual_wh = list(pool), sum(sources) - sum(uses)
    interval.direct_mg_per_kwh, interval.lifecycle_mg_per_kwh = DIRECT, LIFECYCLE
    interval.load_mix_wh = [share(wh, uses)[0] for wh in sources]
    energy, taken = pool[0], min(sources[4], pool[0])
    after = [energy - taken]
    for track, factors in enumerate((DIRECT, LIFECYCLE)):
        carbon = pool[1 + track]
        out = carbon if taken == energy else carbon * taken // energy
        lumps = [sources[k] * factors[k] for k in range(4)]
        if interval.fuel_ml is not None:
            lumps[2] = interval.fuel_ml * interval.fuel_mg_per_l[track]
        parts = [share(lump, uses) for lump in (*lumps, out + (sources[4] - taken) * factors[4])]
        use = [sum(part[j] for part in parts) for j in range(4)]
        after.append(carbon - out + use[1])
        setattr(interval, ("carbon_direct_ug", "carbon_lifecycle_ug")[track], [*use, 0, out])
    added, remainder = divmod(uses[1] * ETA_PPM + pool[3], 1_000_000)
    after[0] += added
    interval.loss_wh, interval.trueup_wh, interval.pool_end = uses[1] - added, 0, [*after, remainder]
    return interval.pool_end


def interval(sources, uses, pool, start_ms, uptime_ms, **changes):
    """Return an Interval of 900 s at a synchronised clock; `changes` replace fields."""
    made = Interval(KIND_INTERVAL)
    made.start_ms, made.duration_ms, made.uptime_ms = start_ms, QUARTER_MS, uptime_ms
    made.clock, made.clock_age_s, made.clock_error_ms = 2, 512, -3
    made.ticks_expected, made.ticks_ok, made.gap_max_ms, made.quality = 45_000, 44_998, 40, 0
    made.substituted_wh, made.substitute_method = 0, 0
    made.meters = [[0, 44_998, 2, 0, 0, 0], [1, 44_999, 1, 0, 0, 0], [2, 9_000, 0, 0, 0, 0], [3, 45_000, 0, 0, 0, 0]]
    made.sources_wh, made.uses_wh, made.soc_permille = sources, uses, 612
    made.grid_factor, made.ticks = [start_ms and start_ms // 1000, 0, 1], [45_000, 3, 412, 0, 1]
    for name in ("fuel_ml", "fuel_mg_per_l"):
        setattr(made, name, changes.pop(name, None))
    settle(made, pool)
    made.registers, made.work = registers(), None
    made.events, made.witness = [17, sha256(b"an event of the examples").digest()], None
    made.serials = [[0, "1907-0042"], [1, "1907-0043"], [2, "SIM-10"], [3, None]]
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def registers(load=None, grid=None):
    """Return the rows of a site whose load and grid meters have registers, and PCS and wind meter none."""
    rows = [[role, 0] + [None] * 6 for role in range(4)]
    for row in (load, grid):
        if row:
            rows[row[0]] = row
    return rows


def gap(start_ms, duration_ms, uptime_ms, pool, reason):
    """Return a gap; the clock is unknown where the duration is."""
    made = Interval(KIND_GAP)
    made.start_ms, made.duration_ms, made.uptime_ms, made.reason = start_ms, duration_ms, uptime_ms, reason
    known = duration_ms is not None
    made.clock, made.clock_age_s, made.clock_error_ms = (2, 4, 120) if known else (0, None, None)
    made.pool_start = made.pool_end = pool
    made.events = [17, sha256(b"another event of the examples").digest()]
    return made


def extreme(largest):
    """Return an Interval with every integer as large as the format holds, or as small."""
    made = Interval(KIND_INTERVAL)
    number, signed = (MOST, MOST >> 1) if largest else (0, -(MOST >> 1) - 1)
    for _, name, shape in layout.INTERVAL_FIELDS:
        coded = CODED.get(name, (0, number))[largest]
        if shape[0] == "?" and not largest:
            value = None
        elif shape[0] == "*":
            value = [[role] + [_extreme(kind, largest) for kind in shape[2:]] for role in range(coded + 1)]
        elif len(shape) > 1:
            value = [_extreme(kind, largest) for kind in shape.lstrip("?")]
        else:
            value = signed if shape in "is" else coded
        setattr(made, name, value)
    for rows, at, most in ((made.meters, 5, 6), (made.registers, 1, 3)):
        for row in rows:
            row[at] = most if largest else 0
    made.grid_factor[2] = CODED["grid_factor"][largest]
    for pool in (made.pool_start, made.pool_end):
        pool[3] = 999_999 if largest else 0
    return made


def _extreme(kind, largest):
    """Return the largest value of a kind, or the smallest; null for the smallest where null may stand."""
    if kind in "is":
        return MOST >> 1 if largest else None if kind == "s" else -(MOST >> 1) - 1
    if kind in "un":
        return MOST if largest else None if kind == "n" else 0
    return (bytes([255] if largest else [0]) * 32) if kind == "h" else "S" * 32 if largest else None


def story():
    """Return (name, boot, Interval) in order: what one board wrote, then two at the ends of ranges."""
    first = interval([180_000, 0, 0, 145_300, 20_000], [345_000, 0, 0, 0],
                     [400_000, 400_000 * DIRECT[4], 400_000 * LIFECYCLE[4], 0], NOON_MS, 35_990,
                     registers=registers([0, 2, 88_000_020, 88_344_990, None, None, -12, None],
                                         [1, 2, 41_200_000, 41_345_300, 77_000, 77_000, 5, 0]))
    charging = interval([420_017, 0, 0, 0, 1_003], [298_001, 119_002, 3_000, 999],
                        first.pool_end, NOON_MS + QUARTER_MS, 935_990, soc_permille=655, flags=1 << 6,
                        registers=registers([0, 1, 88_344_990, 88_642_980, None, None, 31, None],
                                            [1, 1, 41_345_300, 41_345_300, 77_000, 80_000, 0, -3]))
    charging.meters[0][4:] = [2, 4]
    charging.witness, charging.work = [1, sha256(b"root of a witnessed tree").digest(), NOON_MS // 1000 + 800], 86_400
    pool = charging.pool_end
    stopped = gap(NOON_MS + 2 * QUARTER_MS, None, 80, pool, 1)
    dark = interval([0, 0, 60_001, 0, 0], [60_001, 0, 0, 0], pool, None, 80, clock=0, clock_age_s=None,
                    clock_error_ms=None, grid_factor=[None, None, 2], flags=1 << 1 | 1 << 11, quality=9,
                    substituted_wh=512, substitute_method=1, soc_permille=None,
                    fuel_ml=16_500, fuel_mg_per_l=[2_692_000, 3_320_000])
    stepped = gap(None, None, 900_080, dark.pool_end, 2)
    stepped.clock, stepped.clock_age_s, stepped.clock_error_ms = 1, 0, None
    rest = interval([3_000, 0, 0, 20_000, 0], [23_001, 0, 0, 0], dark.pool_end,
                    NOON_MS + 9 * QUARTER_MS - 60_000, 900_080, duration_ms=60_000, clock=1,
                    clock_error_ms=None, clock_age_s=0, flags=1 << 16)
    for i, made in enumerate((first, charging, stopped, dark, stepped, rest)):
        made.events[0] += i
    return [("interval", 1, first), ("interval that charges and exports", 1, charging),
            ("gap after a restart, clock unknown", 2, stopped), ("interval without a clock", 2, dark),
            ("gap where the clock was set", 2, stepped), ("partial interval", 2, rest),
            (CODEC + ", smallest", 2, extreme(False)), (CODEC + ", largest", MOST, extreme(True))]


def write_all():
    """Sign the story; return (vectors as a dict, records as bytes)."""
    signer, other = Signer(keys.record_scalar(SECRET)), Signer(keys.checkpoint_scalar(SECRET))
    drain(signer.prepare())
    drain(other.prepare())
    protected = record.protected_header(SITE, DEVICE, signer.kid)
    tree, prev, entries, records = Tree(), bytes(32), [], []
    for seq, (name, boot, made) in enumerate(story()):
        if seq and made.kind == KIND_INTERVAL and made.witness and made.witness[0] <= seq:
            made.witness[1] = bytes.fromhex(entries[made.witness[0] - 1]["root"])
        body = drain(layout.payload(made, seq, boot, prev, FIRMWARE, CONFIG, FACTOR_TABLE))
        prev = sha256(record.to_be_signed(protected, body)).digest()
        drain(signer.sign(prev))
        records.append(bytes(record.envelope(protected, body, signer.signature)))
        tree.append(records[-1])
        entries.append({"name": name, "seq": seq, "boot": boot, "fields": fields(made),
                        "signed_sha256": prev.hex(), "root": tree.root().hex(), "record": records[-1].hex()})
    origin = checkpoint.origin(SITE, DEVICE)
    text = drain(checkpoint.signed(checkpoint.note(origin, tree.size, tree.root()), origin, other))
    identity = {"firmware": FIRMWARE.hex(), "config": CONFIG.hex(), "factor_table": FACTOR_TABLE.hex()}
    return {"secret": SECRET.hex(), "site": SITE, "device": DEVICE, **identity, "protected": protected.hex(),
            "keys": [public(signer, "record"), public(other, "checkpoint")], "records": entries,
            "checkpoint": text.decode()}, records


def few(vectors):
    """Return the part of the vectors that the tests on boards read."""
    records = vectors["records"]
    return vectors | {"records": [records[0], records[2], records[-1]], "size": len(records)}


def fields(made):
    """Return the attributes of an Interval as the record has them, by name; hashes as hex."""
    found = {name: getattr(made, name) for _, name, _ in layout.FIELDS[made.kind]} | {"kind": made.kind}
    for name in ("events", "witness"):
        if found.get(name):
            found[name] = [part.hex() if isinstance(part, bytes) else part for part in found[name]]
    return found


def public(signer, use):
    """Return the entry of keys.json for a signer."""
    return {"kid": signer.kid.hex(), "site": SITE, "device": DEVICE, "use": use, "alg": "ES256",
            "x": f"{signer.x:064x}", "y": f"{signer.y:064x}",
            "not_before_s": None, "not_after_s": None, "revoked_s": None}


if __name__ == "__main__":
    whole = write_all()[0]
    VECTORS.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    FEW.write_text(json.dumps(few(whole), ensure_ascii=False) + "\n")
