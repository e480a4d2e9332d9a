"""RS-485 direction: the driver enable (DE) goes on before the first bit and off only when the shifter is empty.

`tx_done` of a UART must tell of the last stop bit, not of an empty FIFO: with DE off one character early the last byte
never reaches the line. Who writes has to ask tx_done() until it is True; the bus does, to time the answer.
"""

import micropython


class HalfDuplex:
    """A serial with a DE pin; `drive` has on() and off(). Receiver and driver are never on together.

    any() and readinto(buf, off, n) are the serial's own: receiving needs no direction.
    """

    def __init__(self, serial, drive):
        self.any = serial.any
        self.readinto = serial.readinto
        state = bytearray(1)  # 1 while the line is ours
        self.write = _writer(state, serial.write, drive.on)
        self.tx_done = _watcher(state, serial.tx_done, drive.off)
        drive.off()


def _writer(state, write, on):
    """Return write(buf, n): take the line and send the first `n` bytes of `buf`."""

    @micropython.native
    def take_and_write(buf, n):
        on()
        state[0] = 1
        write(buf, n)

    return take_and_write


def _watcher(state, tx_done, off):
    """Return tx_done(): True when the last bit has left the shifter; the line is free then."""

    @micropython.native
    def free_when_done():
        if state[0]:
            if not tx_done():
                return False
            off()
            state[0] = 0
        return True

    return free_when_done
