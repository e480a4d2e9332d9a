"""What all slaves share: one register image, its Modbus functions, exceptions, refresh, injected faults."""

from host_tools.plant.devices.measuring import Measuring
from host_tools.plant.devices.reversion import FallBack
from host_tools.plant.devices.untruth import Untruth
from host_tools.plant.wire_faults import WireFaults

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
_MAX_READ = 125
_MAX_WRITE = 123


class Slave:
    """A device at one address. Subclasses fill `image` in refresh() and take writes in written()."""

    read_code = 3
    read_codes = ()  # others that read it too
    writable = False
    writes_one = False  # takes FC06 as well
    max_read = _MAX_READ
    turnaround_us = (0, 0)  # between these, drawn anew for each answer
    refresh_us = 0  # how often its measured values change
    sentinel = b"\xff"  # repeated from the image's start: "not implemented", or overflow

    def __init__(self, unit, role, base, image, rng):
        self.unit = unit
        self.role = role
        self.base = base  # address of the image's first register
        self.image = image  # big-endian registers
        self.registers = len(image) // 2
        self.rng = rng
        self.silent = False
        self.frozen = False
        self.wire = WireFaults(rng)  # what becomes of its answers
        self.untruth = Untruth()  # what its registers show instead of the truth
        self.fall_back = FallBack()  # what a PCS really does when it is left alone
        self.requests = 0
        self.answers = 0
        self.exceptions = 0

    def answer(self, request, t_us):
        """Return the answer's bytes without CRC to a request without CRC, or None for silence."""
        self.requests += 1
        if self.silent:
            return None
        code = request[1]
        result = self._perform(code, request, t_us)
        if result is None:
            return None
        if isinstance(result, int):
            self.exceptions += 1
            result = bytes((self.unit, code | 0x80, result))
        self.answers += 1
        return result

    def _perform(self, code, request, t_us):
        if code == self.read_code or code in self.read_codes:
            if len(request) != 6:
                return None
            address = request[2] << 8 | request[3]
            count = request[4] << 8 | request[5]
            data = self.read(address, count, t_us)
            return data if isinstance(data, int) else bytes((self.unit, code, len(data))) + data
        if code == 16 and self.writable:
            return self._write_request(request, t_us)
        if code == 6 and self.writes_one:
            if len(request) != 6:
                return None
            return self.write(request[2] << 8 | request[3], request[4:], t_us) or request
        return ILLEGAL_FUNCTION

    def _write_request(self, request, t_us):
        if len(request) < 7 or len(request) != 7 + request[6]:
            return None
        address = request[2] << 8 | request[3]
        count = request[4] << 8 | request[5]
        if request[6] != 2 * count:
            return ILLEGAL_VALUE
        refused = self.write(address, request[7:], t_us)
        return refused or request[:6]

    def read(self, address, count, t_us):
        """Return `count` registers from an address as bytes, or an exception code."""
        if not 1 <= count <= self.max_read:
            return ILLEGAL_VALUE
        refused = self.check_read(address, count)
        if refused:
            return refused
        if not self.frozen:
            self.refresh(address - self.base, count, t_us)
        at = 2 * (address - self.base)
        image = self.masked() if self.untruth.masks else self.image
        return bytes(image[at:at + 2 * count])

    def masked(self):
        """Return the image as zeros or sentinels. Subclasses spare what is no measurement."""
        pattern = b"\0" if self.untruth.zeros else self.sentinel
        return (pattern * (len(self.image) // len(pattern) + 1))[:len(self.image)]

    def check_read(self, address, count):
        """Return an exception code for a range that cannot be read, else 0."""
        inside = self.base <= address and address + count <= self.base + self.registers
        return 0 if inside else ILLEGAL_ADDRESS

    def write(self, address, data, t_us):
        """Put registers into the image from an address on; return an exception code or 0."""
        count = len(data) // 2
        if not 1 <= count <= _MAX_WRITE:
            return ILLEGAL_VALUE
        first = address - self.base
        if first < 0 or first + count > self.registers or not self.may_write(first, count):
            return ILLEGAL_ADDRESS
        before = bytes(self.image[2 * first:2 * (first + count)])
        self.image[2 * first:2 * (first + count)] = data
        refused = self.written(first, count, t_us)
        if refused:
            self.image[2 * first:2 * (first + count)] = before
        return refused

    def may_write(self, first, count):
        """Return True when these registers of the image can be written."""
        return False

    def written(self, first, count, t_us):
        """Act on registers just written; return an exception code to undo the write, or 0."""
        return 0

    def refresh(self, first, count, t_us):
        """Bring the image up to the device's own refresh before registers are read."""

    def show_island(self, forms):
        """Say that this device forms a grid of its own, or follows one again; many have no word for that."""

    def draw_turnaround_us(self):
        """Return the pause before this answer, microseconds."""
        low, high = self.turnaround_us
        return low if high <= low else low + int(self.rng.random() * (high - low))


class Meter(Measuring, Slave):
    """A meter: measures one power of the site at its own refresh instants, with injected errors."""

    read_code = 4
    refresh_us = 200_000
    sentinel = b"\x7f\xff\xff\xff"

    def __init__(self, unit, role, registers, rng, measure, counters_wh):
        Slave.__init__(self, unit, role, 0, bytearray(2 * registers), rng)
        self.begin(rng, measure, counters_wh)

    def refresh(self, first, count, t_us):
        """Take the sample of the last refresh instant into the image."""
        taken = self.take_sample(t_us)
        if taken:
            self.show(*taken)
        if self.holds_energy(first, count):
            self.show_energy(*self.counters_wh(t_us))

    def show(self, power_w, sample):
        """Write the power registers."""

    def holds_energy(self, first, count):
        """Return True when these registers hold energy counters."""
        return False

    def show_energy(self, import_wh, export_wh):
        """Write the energy registers."""
