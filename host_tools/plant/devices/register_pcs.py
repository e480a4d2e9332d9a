"""PCSs with plain register maps: Sinexcel PWS2, FoxESS H3, SMA. After the makers' documents, not the firmware.

What the documents leave open is this simulation's: refresh 100 ms, turn-around 5 to 20 ms.
"""

from struct import pack_into, unpack_from

from host_tools.plant.devices.driven import Driven
from host_tools.plant.devices.slave import ILLEGAL_ADDRESS, Slave


class RegisterPcs(Driven, Slave):
    """A PCS whose registers lie in RANGES (first, count); WRITABLE lists addresses."""

    writable = True
    refresh_us = 100_000
    turnaround_us = (5_000, 20_000)
    RANGES = ()
    WRITABLE = frozenset()
    MEASURED = ()  # (address, words): what is masked when the device lies

    def __init__(self, unit, role, rng, site, agenda, ratings):
        first = min(at for at, _ in self.RANGES)
        last = max(at + count for at, count in self.RANGES)
        super().__init__(unit, role, first, bytearray(2 * (last - first)), rng)
        self._known = {at + i for at, count in self.RANGES for i in range(count)}
        self.rating_w = ratings["bess_w"]
        self.init_driven(site, agenda)

    def get(self, address, form="H"):
        """Return a register, or a pair, of the image."""
        return unpack_from(">" + form, self.image, 2 * (address - self.base))[0]

    def put(self, address, value, form="H"):
        """Set a register, or a pair, of the image."""
        pack_into(">" + form, self.image, 2 * (address - self.base), value)

    def check_read(self, address, count):
        """Refuse a range with registers that the device does not have."""
        return 0 if self._known.issuperset(range(address, address + count)) else ILLEGAL_ADDRESS

    def may_write(self, first, count):
        """Return True when every register of the range can be written."""
        return self.WRITABLE.issuperset(range(self.base + first, self.base + first + count))

    def masked(self):
        """Return the image with zeros, or "not available", in what is measured."""
        image = bytearray(self.image)
        for address, words in self.MEASURED:
            blank = bytes(2 * words) if self.untruth.zeros else b"\x80\0\0\0"[:2 * words]
            at = 2 * (address - self.base)
            image[at:at + 2 * words] = blank
        return image


class SinexcelPws2(RegisterPcs):
    """Sinexcel PWS2-30: set point 135 in 0.1 kW; reading feeds the EMS time-out 327 as well."""

    writes_one = True
    RANGES = ((0, 900),)
    WRITABLE = frozenset((135, 136, 327, 329, 650, 651, 652, 653, 654, 655, 658, 793, 877))
    MEASURED = ((101, 1), (102, 1), (103, 1), (107, 1), (122, 1), (141, 1))
    _FAULT, _ON, _GRID, _ISLAND, _STANDBY = 1, 4, 8, 16, 128
    _EMS_TIMEOUT = 32

    def __init__(self, *args):
        super().__init__(*args)
        self.put(32, self._STANDBY)
        self.put(327, 5)
        for address in (101, 102, 103):
            self.put(address, 2300)
        self.put(107, 5000)

    def read(self, address, count, t_us):
        """Answer a read, which feeds the time-out like a write."""
        self._fed(t_us)
        return super().read(address, count, t_us)

    def _fed(self, t_us):
        self.put(44, self.get(44) & ~self._EMS_TIMEOUT)
        self.feed(t_us, self.get(327))
        self.command(t_us)

    def written(self, first, count, t_us):
        """Take a set point or a command; commands read as 0."""
        state = self.get(32)
        for address, clear, add in ((650, self._STANDBY, self._ON), (651, self._ON, self._STANDBY),
                                    (653, 0, self._GRID), (654, self._GRID, 0), (652, self._FAULT, 0)):
            if self.get(address) == 1:
                state = state & ~clear | add
            self.put(address, 0)
        self.put(32, state | (self._FAULT if self.broken else 0))
        self._fed(t_us)
        return 0

    def wanted_w(self):
        """Return the set point while it is started on the grid."""
        running = self.get(32) & (self._ON | self._GRID) == self._ON | self._GRID
        return 100.0 * self.get(135, "h") if running and not self.fallen else 0.0

    def fall(self):
        """Say that nobody spoke in time."""
        self.put(44, self.get(44) | self._EMS_TIMEOUT)

    def show_fault(self, fault):
        """Set the fault bit."""
        self.put(32, self.get(32) | self._FAULT if fault else self.get(32) & ~self._FAULT)

    def show_island(self, forms):
        """Say so in the state."""
        state = self.get(32)
        self.put(32, state & ~self._GRID | self._ISLAND if forms else state & ~self._ISLAND | self._GRID)

    def masked(self):
        """Zeros come with the fault bit."""
        image = super().masked()
        if self.untruth.zeros:
            image[65] |= self._FAULT
        return image

    def refresh(self, first, count, t_us):
        """Show the power, 0.01 kW."""
        self.put(122, round(self.power_w(t_us) / 10), "h")
        self.put(141, self.get(122))


class FoxEssH3(RegisterPcs):
    """FoxESS H3: 44000 enables the remote, 44001 is its time-out, 44002 the set point; negative is charge."""

    writes_one = True
    RANGES = ((31000, 60), (41000, 20), (44000, 10))
    WRITABLE = frozenset((41000, 41009, 41010, 44000, 44001, 44002, 44003))
    MEASURED = ((31036, 1), (31038, 1))

    def __init__(self, *args):
        super().__init__(*args)
        self.put(41009, 10)
        self.put(41010, 100)

    def written(self, first, count, t_us):
        """Take a set point; only a write of the time-out starts it anew."""
        if self.base + first <= 44001 < self.base + first + count:
            self.feed(t_us, self.get(44001))
        self.command(t_us)
        return 0

    def wanted_w(self):
        """Return the set point while the remote is on; its own work mode rests here."""
        return float(self.get(44002, "i")) if self.get(44000) and not self.fallen else 0.0

    def fall(self):
        """Back to the work mode."""
        self.put(44000, 0)

    def refresh(self, first, count, t_us):
        """Show power, W, and charge, %."""
        self.put(31036, round(self.power_w(t_us)), "h")
        self.put(31038, round(self.soc_permille(t_us) / 10))


class SmaStorage(RegisterPcs):
    """SMA: set point 40149, active by 40151; falls back as 41193, 41195 and 41197 say."""

    RANGES = ((30201, 2), (30775, 2), (30845, 2), (40149, 4), (41193, 6))
    WRITABLE = frozenset((*range(40149, 40153), *range(41193, 41199)))
    MEASURED = ((30775, 2), (30845, 2))
    _OK, _FAULT = 307, 35
    _ACTIVE, _HOLD = 802, 2506

    def __init__(self, *args):
        super().__init__(*args)
        self.put(30201, self._OK, "I")
        self.put(40151, 803, "I")
        self.put(41193, self._HOLD, "I")
        self.put(41195, 300, "I")
        self.put(41197, 10_000, "I")

    def written(self, first, count, t_us):
        """Take a set point; it and its switch feed the time-out."""
        if self.base + first < 40153:
            self.feed(t_us, self.get(41195, "I"))
        self.command(t_us)
        return 0

    def wanted_w(self):
        """Return the set point while it is active, or what the fall-back says."""
        if self.get(40151, "I") != self._ACTIVE:
            return 0.0
        if self.fallen and self.get(41193, "I") != self._HOLD:
            return self.get(41197, "i") / 10_000 * self.rating_w
        return float(self.get(40149, "i"))

    def show_fault(self, fault):
        """Say so in the condition."""
        self.put(30201, self._FAULT if fault else self._OK, "I")

    def masked(self):
        """Zeros come with a fault."""
        image = super().masked()
        if self.untruth.zeros:
            image[0:4] = self._FAULT.to_bytes(4, "big")
        return image

    def refresh(self, first, count, t_us):
        """Show power, W, and charge, %."""
        self.put(30775, round(self.power_w(t_us)), "i")
        self.put(30845, round(self.soc_permille(t_us) / 10), "I")
