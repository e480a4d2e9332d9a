"""What the uplink must still know after a power cut, in uplink.cbor: the operators' last numbers, the events sent."""

from firmware.core import cbor
from firmware.core.errors import LogError
from firmware.core.patience import patiently

PATH = "uplink.cbor"


class State:
    """Read once at start; save() writes it. `broken`: what is there cannot be read, so that no number can be judged."""

    def __init__(self, files):
        self._files = files
        self._numbers = {}
        self.events = 0  # number of the first event that has not been sent
        self.broken = False
        data = files.read(PATH)
        if data is not None:
            self._take(data)

    def _take(self, data):
        try:
            rows, self.events = cbor.decode(data)[0]
            self._numbers = {bytes(kid): int(number) for kid, number in rows}
        except (LogError, ValueError, TypeError):
            self.broken = True

    def number(self, kid):
        """Return the last number that was used with a key, -1 for none."""
        return self._numbers.get(kid, -1)

    def set_number(self, kid, number):
        """Take a number for used."""
        self._numbers[kid] = number

    def save(self):
        """Yield while writing all of it: the old or the new is there after a power cut."""
        if self.broken:
            return
        data = cbor.encode([[list(row) for row in self._numbers.items()], self.events])
        yield from patiently(self._files.replacing, PATH, data)
        yield
