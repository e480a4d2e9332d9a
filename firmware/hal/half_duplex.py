"""RS-485 direction: the driver enable (DE) goes on before the first bit and off only when the shifter is empty.

`tx_done` of a UART must tell of the last stop bit, not of an empty FIFO: with DE off one character early the last byte
never reaches the line. Who writes has to ask tx_done() until it is True; the bus does, to time the answer.
"""

import micropython


def ptr8(buf):
    """Return `buf`: the viper emitter takes this name for a byte pointer, and never calls this."""
    return buf


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

    @micropython.viper
    def take_and_write(buf, n):
        on()
        ptr8(state)[0] = 1
        write(buf, n)

    return take_and_write


def _watcher(state, tx_done, off):
    """Return tx_done(): 1 when the last bit has left the shifter; the line is free then."""

    @micropython.viper
    def free_when_done() -> int:
        ours = ptr8(state)
        if ours[0]:
            if not tx_done():
                return 0
            off()
            ours[0] = 0
        return 1

    return free_when_done
