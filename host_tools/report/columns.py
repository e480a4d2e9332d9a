"""Pack columns of whole numbers for a page: differences, zigzag, 7 bits a byte, deflated, base64.

A page unpacks it with the browser's own DecompressionStream; a year of quarter hours is about a megabyte.
"""

import base64
import zlib

LARGEST = (1 << 53) - 1
"""A browser's numbers are whole up to here."""


def pack(columns):
    """Pack columns of integers from -LARGEST to LARGEST, all of one length, as text."""
    out = bytearray()
    for column in columns:
        last = 0
        for value in column:
            step = value - last
            last = value
            rest = 2 * step if step >= 0 else -2 * step - 1
            while rest > 127:
                out.append(rest & 127 | 128)
                rest >>= 7
            out.append(rest)
    return base64.b64encode(zlib.compress(bytes(out), 9)).decode()


def unpack(text, names, count):
    """Read what pack wrote: {name: [integer]}."""
    data = zlib.decompress(base64.b64decode(text))
    at, columns = 0, {}
    for name in names:
        column, last = [], 0
        for _ in range(count):
            rest = shift = 0
            while True:
                byte = data[at]
                at += 1
                rest |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            last += -(rest + 1) // 2 if rest & 1 else rest // 2
            column.append(last)
        columns[name] = column
    return columns
