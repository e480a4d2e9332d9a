"""One unit on a bus: its statistics, and from when on it may be asked again."""

import micropython
from micropython import const

_MASK = const(0x3FFFFFFF)
_HOLD_MAX_US = const(2_000_000)
_BAR_US = const(2_000_000)


class Device:
    """What the bus knows of one address: requests = answers + timeouts + crc + exceptions."""

    def __init__(self, unit):
        self.unit = unit
        self.requests = 0
        self.answers = 0
        self.timeouts = 0  # no answer, or none that was its own, or one cut short
        self.crc = 0  # answers with a wrong CRC
        self.exceptions = 0
        self.late = 0  # bursts with this address after their request had been given up
        self.foreign = 0  # bursts with this address that nobody had asked for
        self.turnaround_max_us = 0  # end of request to first byte of answer
        self.gap_us = 0  # pause that it needs after a transaction
        self.late_us = 0  # its largest turn-around: how long after a request an answer may still come
        self.fails = 0  # failures in a row
        self.signature = 0  # of the last request: what its answer must look like
        self.held = False  # there is something to wait for: the next four count
        self.barred = 0  # the signature of a request that may still be answered
        self._since_us = 0
        self._hold_us = 0  # no request before since + hold
        self._bar_us = 0  # none with the barred signature before since + bar

    @micropython.native
    def may_ask(self, signature, now_us):
        """Return True when a request with this signature may go out to a held unit at `now_us`."""
        # Modulo the wrap: a hold lasts seconds, so its flag is gone long before the tick comes round.
        age_us = (now_us - self._since_us) & _MASK
        if age_us >= self._bar_us:
            self.held = False
            self.barred = 0
            return True
        return age_us >= self._hold_us and signature != self.barred

    @micropython.native
    def answered(self, now_us):
        """Note an answer, or an exception."""
        self.fails = 0
        if self.barred and self.held:
            # The bar stands for its time; the pause is counted from where the bar is.
            self._hold_us = ((now_us - self._since_us) & _MASK) + self.gap_us
            self._bar_us = max(self._bar_us, self._hold_us)
        elif self.gap_us:
            self.barred = 0
            self._hold(self.gap_us, 0, now_us)

    @micropython.native
    def garbled(self, has_other, now_us):
        """Note an answer with a wrong CRC: it has come, but what came may have been somebody else's."""
        self.crc += 1
        self.fails += 1
        self._bar(self.gap_us, has_other, now_us)

    @micropython.native
    def silent(self, waited_us, has_other, now_us):
        """Note that no answer came: leave the unit alone until a late one cannot come, longer each time.

        Where the request has another form, its signature stays barred well beyond that: it costs nothing.
        """
        hold_us = max(self.late_us - waited_us, self.gap_us)
        if self.fails:
            hold_us += self.late_us << min(self.fails - 1, 5)
            hold_us = min(hold_us, max(self.late_us, _HOLD_MAX_US))
        self.timeouts += 1
        self.fails += 1
        self._bar(hold_us, has_other, now_us)

    @micropython.native
    def _bar(self, hold_us, has_other, now_us):
        self.barred = self.signature
        self._hold(hold_us, _BAR_US if has_other else self.late_us, now_us)

    @micropython.native
    def _hold(self, hold_us, bar_us, now_us):
        self.held = hold_us + bar_us > 0
        self._since_us = now_us
        self._hold_us = hold_us
        self._bar_us = hold_us + bar_us


class Devices:
    """All units of one bus, and the bursts that belong to none of them."""

    def __init__(self):
        self.all = []
        self.foreign = 0

    def of(self, unit):
        """Return the record of a unit, making one at first. Start-up only."""
        for device in self.all:
            if device.unit == unit:
                return device
        device = Device(unit)
        self.all.append(device)
        return device

    @micropython.native
    def blame(self, unit):
        """Count a burst by the address it begins with: late where that unit owes an answer, else foreign."""
        for device in self.all:
            if device.unit == unit:
                if device.fails:
                    device.late += 1
                else:
                    device.foreign += 1
                return
        self.foreign += 1
