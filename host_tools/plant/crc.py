"""CRC-16 of Modbus RTU, low byte first on the wire; two bytes at a time."""

from struct import iter_unpack


def _entry(value):
    for _ in range(8):
        value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


_TABLE = [_entry(value) for value in range(256)]
_PAIRS = [_TABLE[_TABLE[pair & 0xFF] & 0xFF ^ pair >> 8] ^ _TABLE[pair & 0xFF] >> 8 for pair in range(65_536)]


def crc16(data):
    """Return the CRC of some bytes, 0..0xFFFF; 0 over a frame that ends in its own right CRC."""
    crc = 0xFFFF
    if len(data) & 1:
        crc = crc >> 8 ^ _TABLE[(crc ^ data[0]) & 0xFF]
        data = data[1:]
    for (pair,) in iter_unpack("<H", data):
        crc = _PAIRS[crc ^ pair]
    return crc


def with_crc(data):
    """Return the bytes with their CRC behind them."""
    return data + crc16(data).to_bytes(2, "little")
