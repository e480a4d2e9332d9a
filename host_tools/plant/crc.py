"""CRC-16 of Modbus RTU, low byte first on the wire."""


def _entry(value):
    for _ in range(8):
        value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


_TABLE = [_entry(value) for value in range(256)]


def crc16(data):
    """Return the CRC of some bytes, 0..0xFFFF; 0 over a frame that ends in its own right CRC."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def with_crc(data):
    """Return the bytes with their CRC behind them."""
    return data + crc16(data).to_bytes(2, "little")
