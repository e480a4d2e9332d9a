"""A Deep Sea Electronics genset controller by GenComm: mode, engine, mains, fuel, hours, control keys with complement.

It shows and commands the engine of host_tools.plant.genset, and senses the mains: their frequency and voltage are there
too.
"""

from struct import pack_into, unpack_from

from host_tools.plant.devices.slave import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Slave
from host_tools.plant.series import US_PER_S

_BASE = 768
_PAGES = ((768, 8), (1024, 64), (1408, 8), (1536, 32), (1792, 16), (4096, 16))
_AUTO, _MANUAL = 1, 2
_SHUTDOWN = 0x1000
_SPEED_RPM = 1500
_KEYS = {35701: "auto", 35732: "start", 35733: "stop"}


class DseGenComm(Slave):
    """The controller."""

    writable = True
    turnaround_us = (5_000, 30_000)

    def __init__(self, unit, role, rng, site, genset):
        super().__init__(unit, role, _BASE, bytearray(2 * (4112 - _BASE)), rng)
        self._known = {first + i for first, count in _PAGES for i in range(count)}
        self._site = site
        self.genset = genset
        for address, value in ((768, 1), (769, 32_845), (772, _AUTO), (1029, 243)):
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

    def set_broken(self, broken):
        """Shut down by an alarm, or be as before it."""
        self.put(774, _SHUTDOWN if broken else 0)
        self.genset.trip(broken)

    @property
    def running(self):
        """True while the engine runs."""
        return self.genset.turns

    def check_read(self, address, count):
        """Refuse registers that the controller does not have."""
        return 0 if self._known.issuperset(range(address, address + count)) else ILLEGAL_ADDRESS

    def refresh(self, first, count, t_us):
        """Show the engine and the mains as they are."""
        genset = self.genset
        self._site.advance(t_us)
        volts, hertz = self._site.supply("grid")
        self.put(1027, round(genset.fuel_permille / 10))
        self.put(1030, _SPEED_RPM if genset.turns else 0)
        self.put(1059, round(10 * hertz))
        self.put(1060, round(10 * volts), "I")
        self.put(1408, genset.state)
        self.put(1536, round(self.untruth.power_w(self._site.genset(t_us), t_us // US_PER_S)), "i")
        self.put(1798, genset.turned_us // US_PER_S, "I")

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
            (self.genset.start if _KEYS[key] == "start" else self.genset.stop)()
        return 0
