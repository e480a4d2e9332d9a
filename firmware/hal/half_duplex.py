"""RS-485 direction: the driver enable (DE) goes on before the first bit and off only when the shifter is empty.

`tx_done` of a UART must tell of the last stop bit, not of an empty FIFO: with DE off one character early the last byte
never reaches the line. Who writes has to ask tx_done() until it is True; the bus does, to time the answer.
"""

import micropython


class HalfDuplex:
    """A serial with a DE pin; `drive` has on() and off(). Receiver and driver are never on together."""

    def __init__(self, serial, drive):
        self._serial = serial
        self._drive = drive
        self._sending = False
        drive.off()

    def any(self):
        """Return the number of bytes received and not yet read."""
        return self._serial.any()

    @micropython.native
    def readinto(self, buf, off, n):
        """Move up to `n` received bytes to buf[off:]; return how many."""
        return self._serial.readinto(buf, off, n)

    @micropython.native
    def write(self, buf, n):
        """Take the line and send the first `n` bytes of `buf`."""
        self._drive.on()
        self._sending = True
        self._serial.write(buf, n)

    @micropython.native
    def tx_done(self):
        """Return True when the last bit has left the shifter; the line is free then."""
        if self._sending:
            if not self._serial.tx_done():
                return False
            self._drive.off()
            self._sending = False
        return True
