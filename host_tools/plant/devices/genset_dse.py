"""A Deep Sea Electronics genset controller by GenComm: mode, engine, fuel, battery, control keys with complement.

The engine itself is this simulation's: pre-start for 2 s, then running at no load, as the site model has no genset.
"""

from struct import pack_into, unpack_from

from host_tools.plant.agenda import Timer
from host_tools.plant.devices.slave import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Slave

_START_US = 2_000_000
_BASE = 768
_PAGES = ((768, 8), (1024, 64), (1408, 8), (1536, 32), (4096, 16))
_STOPPED, _PRE_START, _RUNNING = 0, 1, 3
_AUTO, _MANUAL = 1, 2
_KEYS = {35701: "auto", 35732: "start", 35733: "stop"}


class DseGenComm(Slave):
    """The controller."""

    writable = True
    turnaround_us = (5_000, 30_000)

    def __init__(self, unit, role, rng, agenda):
        super().__init__(unit, role, _BASE, bytearray(2 * (4112 - _BASE)), rng)
        self._known = {first + i for first, count in _PAGES for i in range(count)}
        self._agenda = agenda
        self._timer = Timer(agenda, self._started)
        for address, value in ((768, 1), (769, 32_845), (772, _AUTO), (1027, 75), (1029, 243)):
            self.put(address, value)
        for key in _KEYS:
            word, bit = divmod(key - 35_700, 16)
            self.put(4096 + word, self.get(4096 + word) | 1 << (15 - bit))

    def get(self, address):
        """Return a register."""
        return unpack_from(">H", self.image, 2 * (address - _BASE))[0]

    def put(self, address, value, form="H"):
        """Set a register, or a pair."""
        pack_into(">" + form, self.image, 2 * (address - _BASE), value)

    def set_local(self, local):
        """Turn the panel to manual, or back to auto."""
        self.put(772, _MANUAL if local else _AUTO)

    @property
    def running(self):
        """True while the engine runs."""
        return self.get(1408) == _RUNNING

    def check_read(self, address, count):
        """Refuse registers that the controller does not have."""
        return 0 if self._known.issuperset(range(address, address + count)) else ILLEGAL_ADDRESS

    def may_write(self, first, count):
        """Only a key with its complement can be written."""
        return (first + _BASE, count) == (4104, 2)

    def written(self, first, count, t_us):
        """Carry out a control key."""
        key, complement = self.get(4104), self.get(4105)
        if key + complement != 0xFFFF or key not in _KEYS:
            return ILLEGAL_VALUE
        if _KEYS[key] == "auto":
            self.put(772, _AUTO)
        elif self.get(772) == _AUTO:
            self._engine(_KEYS[key] == "start", t_us)
        return 0

    def _engine(self, start, t_us):
        if not start:
            self._timer.stop()
            self.put(1408, _STOPPED)
            self.put(1030, 0)
        elif self.get(1408) == _STOPPED:
            self.put(1408, _PRE_START)
            self._timer.start(t_us + _START_US)

    def _started(self):
        self.put(1408, _RUNNING)
        self.put(1030, 1500)
