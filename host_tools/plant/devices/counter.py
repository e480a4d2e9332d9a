"""A counter at an address of its own: litres burnt by the genset, or units of work done, as a site feeds them."""

from host_tools.plant.devices.slave import Slave


class CounterSlave(Slave):
    """`words` registers from `register` on, high word first; count(t_us) is what it has come to, in its unit."""

    turnaround_us = (1_000, 5_000)
    read_codes = (4,)

    def __init__(self, row, rng, count):
        super().__init__(row["unit"], row["what"], row["register"], bytearray(2 * row.get("words", 2)), rng)
        self._count = count
        self._per_count = row.get("per_count", 1)

    def refresh(self, first, count, t_us):
        """Show what has been counted up to now."""
        counts = int(self._count(t_us)) // self._per_count % (1 << 8 * len(self.image))
        self.image[:] = counts.to_bytes(len(self.image), "big")
