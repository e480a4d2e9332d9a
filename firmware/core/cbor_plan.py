"""Plans: how many values at once become CBOR, each number in its shortest form. A record's payload has one.

`fast` follows a plan in instructions of the machine, where hal has put it in place at start; None where it has none:
fast(out, values, plan, EXAMPLES) returns how many bytes it has written into `out`, which has room for them, or 0 where
a value is not as planned. A plan is bytes. A step of it takes one value: how many bytes stand before it, these bytes,
then what the value is:

  0 number   its flag
  1 list     how many, and the flag of each: a list or tuple of just so many
  2 list or null, the same way
  3 rows     the same way, for each list of a list of at most six
  4 bytes    as they are: somebody has encoded them

255 ends it. Flags: 0 a number, 0 .. 2**64 - 1; +1 it may be null; +2 it may be below zero, -2**63 .. 2**63 - 1; 4 a
hash, 32 bytes.
"""

NUMBER = 0
LIST = 1
OR_NULL = 2
ROWS = 3
BYTES = 4
END = 255
EXAMPLES = (None, [], (), 1 << 40, b"")  # `fast` knows by these what an object is

fast = None
