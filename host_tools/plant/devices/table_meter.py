"""A meter of any maker, by its map: registers are made up when they are read."""

from math import sqrt
from struct import Struct, calcsize

from host_tools.plant.devices.meter_maps import MAPS
from host_tools.plant.devices.slave import ILLEGAL_ADDRESS, Meter

_VOLTS = 230.0  # where there is any
_LIMITS = {"h": (-0x7FFF, 0x7FFF), "H": (0, 0xFFFE), "i": (-0x7FFFFFFF, 0x7FFFFFFE), "I": (0, 0xFFFFFFFE),
           "q": (-(2**63) + 1, 2**63 - 2), "Q": (0, 2**64 - 2)}
_FORMS = {form: Struct(">" + form) for form in "hHiIqQf"}
_NOTHING = {"h": "7fff", "H": "ffff", "i": "7fffffff", "I": "ffffffff", "q": "7fffffffffffffff",
            "Q": "ffffffffffffffff", "f": "7fc00000"}


class TableMeter(Meter):
    """The meter in any meter role; `map` says which one it is."""

    map = None

    def __init__(self, unit, role, rng, measure, counters_wh):
        made = self.map
        self.refresh_us = made.refresh_us
        self.turnaround_us = made.turnaround_us
        self.max_read = made.max_read
        self.read_codes = made.codes
        super().__init__(unit, role, made.registers, rng, measure, counters_wh)
        self._power_w = 0.0
        self._energies_wh = (0.0, 0.0)
        self._plans = {}
        for register, text in made.missing:
            self._put(register, bytes.fromhex(text))

    def _put(self, register, data):
        if self.map.low_word_first and len(data) == 4:
            data = data[2:] + data[:2]
        self.image[2 * register:2 * register + len(data)] = data

    def check_read(self, address, count):
        """Refuse odd addresses and counts where the meter does."""
        odd = self.map.even and (address | count) & 1
        return ILLEGAL_ADDRESS if odd else super().check_read(address, count)

    def refresh(self, first, count, t_us):
        """Bring up to date what a read covers; which rows that are is kept per range."""
        super().refresh(first, count, t_us)
        for register, form, unit, quantity in self._rows(first, count):
            value = self._value(*quantity) / unit
            if form != "f":
                low, high = _LIMITS[form]
                value = min(max(round(value), low), high)
            self._put(register, _FORMS[form].pack(value))

    def _rows(self, first, count):
        rows = self._plans.get((first, count))
        if rows is None:
            rows = [(register, form, unit, _parted(quantity)) for register, form, unit, quantity in self.map.rows
                    if first < register + calcsize(form) // 2 and register < first + count]
            self._plans[first, count] = rows
        return rows

    def show(self, power_w, sample):
        """Keep the power."""
        self._power_w = power_w

    def holds_energy(self, first, count):
        """Return True when these registers hold energy counters."""
        return any(row[3][0].startswith("Wh") for row in self._rows(first, count))

    def show_energy(self, import_wh, export_wh):
        """Keep the energies."""
        self._energies_wh = (import_wh, export_wh)

    def _value(self, name, phase):
        """Return a quantity of the map in V, A, W, VA, var, Hz, Wh, or a power factor; phase 0 to 2 or None."""
        if name == "W":
            return self._power_w if phase is None else self.phases_w[phase]
        if name.startswith("Wh"):
            energies_wh = self._energies_wh
            energy_wh = sum(energies_wh) if name == "Wh" else energies_wh[name == "Wh-"]
            return energy_wh if phase is None else energy_wh / 3
        if name == "V":
            return self.supply()[0]
        if name == "Hz":
            return self.supply()[1]
        power_w = self._power_w if phase is None else self.phases_w[phase]
        apparent_va = self.apparent_va * (3 if phase is None else 1)
        return self._electrical(name, power_w, apparent_va)

    def _electrical(self, name, power_w, apparent_va):
        if name == "VA":
            return apparent_va
        if name == "A":
            return apparent_va * (3 if self.map.phases == 1 else 1) / _VOLTS
        if name == "var":
            return sqrt(max(apparent_va * apparent_va - power_w * power_w, 0.0))
        return min(max(power_w / apparent_va, -1.0), 1.0) if apparent_va else 1.0

    def masked(self):
        """Return the image as zeros, or with what this meter shows for "not measured" in every row."""
        if self.untruth.zeros:
            return bytes(len(self.image))
        kept = self.image
        self.image = bytearray(kept)
        for register, form, _, _ in self.map.rows:
            self._put(register, bytes.fromhex(_NOTHING[form]))
        masked, self.image = self.image, kept
        return masked


def _parted(quantity):
    """Return (name, phase 0 to 2, or None for all) of a quantity of a map."""
    return (quantity[:-1], int(quantity[-1]) - 1) if quantity[-1].isdigit() else (quantity, None)


TABLE_METERS = {name: type(name, (TableMeter,), {"map": made}) for name, made in MAPS.items()}
