"""DE goes on before the first bit and off only when the last one has left the shifter."""

from firmware.hal.half_duplex import HalfDuplex


class FakeUart:
    """A FAKE UART: `left` characters still stand in FIFO and shifter."""

    def __init__(self, log):
        self.log = log
        self.left = 0

    def write(self, buf, n):
        self.log.append("write")
        self.left = n

    def tx_done(self):
        return self.left == 0

    def any(self):
        return 3

    def readinto(self, buf, off, n):
        buf[off] = 7
        return 1


class FakePin:
    """A FAKE pin that notes when it changes."""

    def __init__(self, log):
        self.log = log

    def on(self):
        self.log.append("on")

    def off(self):
        self.log.append("off")


def test_the_line_is_kept_while_a_character_is_in_the_shifter():
    log = []
    uart = FakeUart(log)
    port = HalfDuplex(uart, FakePin(log))
    assert log == ["off"] and port.tx_done()
    port.write(b"abc", 3)
    for _ in range(3):
        assert not port.tx_done()
        assert log == ["off", "on", "write"]
        uart.left -= 1
    assert port.tx_done() and port.tx_done()
    assert log == ["off", "on", "write", "off"]


def test_reading_goes_through():
    port = HalfDuplex(FakeUart([]), FakePin([]))
    buf = bytearray(2)
    assert port.any() == 3 and port.readinto(buf, 1, 1) == 1 and buf == b"\0\x07"
