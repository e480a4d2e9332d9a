"""Write an interval's payload in one go, by a plan made from the tables: what a board with Thumb-2 does.

The plain version is log.swift; log.layout, which takes several times the instructions, says what is wrong with a field.
"""

import micropython

from firmware.core import cbor, cbor_plan
from firmware.core.cbor_plan import BYTES, END, LIST, NUMBER, OR_NULL, ROWS
from firmware.core.types import KIND_INTERVAL
from firmware.log.layout import INTERVAL_FIELDS, VERSION

_KEYS = 44  # of an interval: 1 to 45 without 38


def _planned():
    """Return the plan of an interval."""
    made = bytearray()
    links = ((3, "seq", "u"), (4, "boot", "u"), (5, "prev", "h"), (6, "firmware", "h"), (7, "config", "h"),
             (8, "factor_table", "h"))
    lead = bytes((0xB8, _KEYS, 1, VERSION, 2, KIND_INTERVAL))
    for key, _, shape in links + INTERVAL_FIELDS:
        encoded = shape == "*ut"  # serial numbers seldom change
        if not encoded:
            lead += cbor.encode(key)
        made.append(len(lead))
        made.extend(lead)
        lead = b""
        flags = bytes(["unish".find(letter) for letter in shape if letter in "unish"])
        if encoded:
            made.append(BYTES)
        elif len(shape) == 1:
            made.append(NUMBER)
            made.extend(flags)
        else:
            kinds = {"*": ROWS, "?": OR_NULL}
            made.append(kinds.get(shape[0], LIST))
            made.append(len(flags))
            made.extend(flags)
    made.append(END)
    return bytes(made)


PLAN = _planned()


@micropython.native
def put_interval(out, seq, boot, prev, hashes, made, serials):
    """Write the payload of an Interval into `out`; return how many bytes.

    `hashes` are those of keys 6 to 8, `serials` key 44 and its value, encoded.
    """
    firmware, config, factor_table = hashes
    values = (
        seq, boot, prev, firmware, config, factor_table, made.start_ms, made.duration_ms, made.uptime_ms, made.clock,
        made.clock_age_s, made.clock_error_ms, made.ticks_expected, made.ticks_ok, made.gap_max_ms, made.quality,
        made.flags, made.substituted_wh, made.substitute_method, made.meters, made.sources_wh, made.uses_wh,
        made.residual_wh, made.load_mix_wh, made.pool_start, made.pool_end, made.loss_wh, made.trueup_wh,
        made.soc_permille, made.direct_mg_per_kwh, made.lifecycle_mg_per_kwh, made.grid_factor,
        made.carbon_direct_ug, made.carbon_lifecycle_ug, made.ticks, made.registers, made.events, made.witness,
        made.fuel_ml, made.work, serials, made.fuel_mg_per_l)
    return cbor_plan.fast(out, values, PLAN, cbor_plan.EXAMPLES)


def agrees(fast):
    """Return whether `fast` writes numbers of every size and each kind of value as the encoder does."""
    # at both sides of where their form or their place in memory changes
    numbers = (0, 23, 24, 255, 256, 65_535, 65_536, (1 << 30) - 1, 1 << 30, (1 << 32) - 1, 1 << 32, 1 << 47, 1 << 48,
               (1 << 64) - 1)
    signed = [None, -1, -25, -257, -65_537, -(1 << 30), -(1 << 30) - 1, -(1 << 32) - 1, -(1 << 63), (1 << 63) - 1]
    proof = (b"\x01\x84\x01" + bytes([len(numbers)]) + bytes(len(numbers)) +
             b"\x00\x02" + bytes([len(signed)]) + b"\x03" * len(signed) +
             b"\x00\x03\x02\x04\x00\x00\x02\x01\x00\xff")  # rows of a hash and a number; null
    values = numbers, signed, [[bytes(range(32)), 7]], None
    own, plain = bytearray(250), cbor.encode(values)
    return fast(own, values, proof, cbor_plan.EXAMPLES) == len(plain) and own[:len(plain)] == plain
