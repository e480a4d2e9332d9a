"""What every platform shares: the UTC mailbox, the stop flag, collection, and reporting by a printed line."""

import gc


class BasePlatform:
    """Common half of a platform; a subclass adds ms(), us(), idle(us) and serial(index, baud, parity, stop_bits)."""

    def __init__(self, root):
        self.root = root
        self.tell_every_ms = 1000  # how often whoever watches wants to hear of set point and target
        self.stop = False  # somebody asked for an orderly end
        self.console = None
        self.utc_news = False  # a setting of UTC waits in the four fields below
        self.utc_quarter = 0
        self.utc_ms = 0
        self.utc_trust = 0
        self.utc_error_ms = 0
        self.utc_posted_ms = 0  # tick at which the setting was true
        gc.disable()  # collection has its place behind a tick, never inside one

    def post_utc(self, quarter, ms, trust, error_ms):
        """Leave a setting of UTC for the firmware to take at its next tick; trust 0 takes UTC away."""
        self.utc_quarter = quarter
        self.utc_ms = ms
        self.utc_trust = trust
        self.utc_error_ms = error_ms
        self.utc_posted_ms = self.ms()
        self.utc_news = True

    def set_utc(self, utc_s, trust):
        """Set UTC from seconds since 1970 (host, console); trust 1 set, 2 synchronised."""
        self.post_utc(utc_s // 900, utc_s % 900 * 1000, trust, 0)

    def entropy(self, count):
        """Return `count` random bytes, or None where the machine has no source of its own."""
        return None

    def host_wants_stop(self):
        """Return True once whoever watches wants an orderly end, or has gone."""
        return self.stop or (self.console is not None and self.console.wants_stop())

    def listen_to_host(self):
        """Take whoever is at the other end of the console for the host: it speaks, or it has gone."""
        from firmware.hal.console import Console

        self.console = Console(self.ms)

    def feed_watchdog(self):
        """Feed the hardware watchdog, where there is one."""

    def tidy(self):
        """Collect garbage if more than half of the heap is taken; called where a pause does no harm."""
        if gc.mem_free() < gc.mem_alloc():
            gc.collect()

    def collect(self):
        """Collect garbage now."""
        gc.collect()

    def report(self, kind, text):
        """Tell whoever watches one line: kind T telemetry, E event, M message, F fatal."""
        print("EVK", kind, text)

    def close(self):
        """Say that the firmware has finished in good order."""
        self.report("Q", "")
