"""Eastron SDM630: FC04, IEEE 754 float32, high word first; addresses as on the wire.

From the maker's protocol document: at most 40 values (80 registers) a request, addresses and counts even.
The document gives no refresh period and no response time: 200 ms and 15-30 ms are this simulation's
figures. The meter stands behind CTs and VTs set so that its registers show primary watts; 230 V a phase,
power factor 1.
"""

from struct import pack_into

from host_tools.plant.devices.slave import ILLEGAL_ADDRESS, Meter

_REGISTERS = 0x180
_VOLTS = 230.0
_ENERGY = ((0x48, 0x4C), (0x156, 0x15A))


class Sdm630(Meter):
    """The meter with a load, grid, wind, pv, genset or bess role; positive power counts as import."""

    max_read = 80
    sentinel = b"\x7f\xc0\x00\x00"  # not a number
    refresh_us = 200_000
    turnaround_us = (15_000, 30_000)

    def __init__(self, unit, role, rng, measure, counters_wh):
        super().__init__(unit, role, _REGISTERS, rng, measure, counters_wh)
        for phase in range(3):
            self._put(0x00 + 2 * phase, _VOLTS)
        self._put(0x46, 50.0)

    def _put(self, address, value):
        pack_into(">f", self.image, 2 * address, value)

    def check_read(self, address, count):
        """Refuse odd addresses and counts, as the meter does."""
        return ILLEGAL_ADDRESS if (address | count) & 1 else super().check_read(address, count)

    def show(self, power_w, sample):
        """Write currents, powers per phase, and totals."""
        phase_w = power_w / 3
        amps = abs(phase_w) / _VOLTS
        pack_into(">12f", self.image, 2 * 0x06, amps, amps, amps, phase_w, phase_w, phase_w,
                  abs(phase_w), abs(phase_w), abs(phase_w), 0.0, 0.0, 0.0)
        self._put(0x34, power_w)
        self._put(0x38, abs(power_w))
        self._put(0x3E, 1.0 if power_w >= 0 else -1.0)

    def holds_energy(self, first, count):
        """Return True when total import, export or both are among these registers."""
        return any(first < end and start < first + count for start, end in _ENERGY)

    def show_energy(self, import_wh, export_wh):
        """Write the total counters, kWh."""
        self._put(0x48, import_wh / 1000)
        self._put(0x4A, export_wh / 1000)
        self._put(0x156, (import_wh + export_wh) / 1000)
