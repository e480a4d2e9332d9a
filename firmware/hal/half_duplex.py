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
        self._send = serial.write
        self._sent = serial.tx_done
        self._on = drive.on
        self._off = drive.off
        self._sending = False
        drive.off()

    @micropython.native
    def write(self, buf, n):
        """Take the line and send the first `n` bytes of `buf`."""
        self._on()
        self._sending = True
        self._send(buf, n)

    @micropython.native
    def tx_done(self):
        """Return True when the last bit has left the shifter; the line is free then."""
        if self._sending:
            if not self._sent():
                return False
            self._off()
            self._sending = False
        return True
