"""generic_fast: a hypothetical power transducer that refreshes every 10 ms and answers within 0.5 ms.

No such device is on the market under this name; figures reached with it are figures of a hypothetical meter.
FC04: 0 power s32 W high word first, 2 frequency u16 0.01 Hz, 3 refresh counter u16.
"""

from struct import pack_into

from host_tools.plant.devices.slave import Meter


class GenericFast(Meter):
    """The transducer in any meter role."""

    refresh_us = 10_000
    sentinel = b"\x80\x00\x00\x00"
    turnaround_us = (500, 500)

    def __init__(self, unit, role, rng, measure, counters_wh):
        super().__init__(unit, role, 4, rng, measure, counters_wh)

    def show(self, power_w, sample):
        """Write power, frequency and the counter that tells a new sample from an old one."""
        pack_into(">iHH", self.image, 0, round(power_w), round(100 * self.supply()[1]), sample & 0xFFFF)
