"""What every platform shares: the UTC mailbox, the stop flag, collection, and reporting by a printed line."""

import gc

from micropython import const

_MOST_COMMANDS = const(8)
_WILL_BYTES = const(4096)
_NEWS = const(4)  # of core.utc


class BasePlatform:
    """Common half of a platform; a subclass adds ms(), us(), idle(us) and serial(index, baud, parity, stop_bits)."""

    def __init__(self, root):
        self.root = root
        self.tell_every_ms = 1000  # how often whoever watches wants to hear of set point and target
        self.collects_by_the_second = True  # what idles collect garbage by themselves say False
        self.stop = False  # somebody asked for an orderly end
        self.console = None
        self.utc_cells = None  # once the firmware stands, those of its core.utc: one of them says so too
        self.utc_news = False  # a setting of UTC waits in the four fields below
        self.utc_quarter = 0
        self.utc_ms = 0
        self.utc_trust = 0
        self.utc_error_ms = 0
        self.utc_posted_ms = 0  # tick at which the setting was true
        self.ahead_news = False  # grid factors a day ahead wait in the two fields below
        self.ahead_hour = 0
        self.ahead = ()
        self.commands = []  # lines of the operator that wait to be carried out
        gc.disable()  # collection has its place behind a tick, never inside one

    def post_utc(self, quarter, ms, trust, error_ms):
        """Leave a setting of UTC for the firmware to take at its next tick; trust 0 takes UTC away."""
        self.utc_quarter = quarter
        self.utc_ms = ms
        self.utc_trust = trust
        self.utc_error_ms = error_ms
        self.utc_posted_ms = self.ms()
        self.utc_news = True
        if self.utc_cells is not None:
            self.utc_cells[_NEWS] = 1

    def post_ahead(self, hour, factors):
        """Leave grid factors in mg/kWh of the hours from `hour` (since 1970) on; what was not taken is replaced."""
        self.ahead_hour = hour
        self.ahead = factors
        self.ahead_news = True

    def post_command(self, line):
        """Leave a line of the operator (control.override) for the firmware; what comes too fast is dropped."""
        if len(self.commands) < _MOST_COMMANDS:
            self.commands.append(line)

    def set_utc(self, utc_s, trust):
        """Set UTC from seconds since 1970 (host, console); trust 1 set, 2 synchronised."""
        self.post_utc(utc_s // 900, utc_s % 900 * 1000, trust, 0)

    def entropy(self, count):
        """Return `count` random bytes, or None where the machine has no source of its own."""
        return None

    def network(self):
        """Return the machine's network (hal.net), None where it has none."""
        return None

    def tls(self, name, ca, cert, key):
        """Return what a TLS connection to `name` needs; certificates and key are (content, path) of PEM files."""
        from firmware.hal.net import tls

        return tls(name, ca, cert, key)

    def host_wants_stop(self):
        """Return True once whoever watches wants an orderly end, or has gone."""
        return self.stop or (self.console is not None and self.console.wants_stop())

    def listen_to_host(self):
        """Take whoever is at the other end of the console for the host: it speaks, or it has gone."""
        from firmware.hal.console import Console

        self.console = Console(self.ms, self.post_command)

    def hear_operator(self):
        """Take the operator's lines from the console, where it is one: nobody needs to be there, and no "s" stops."""

    def feed_watchdog(self):
        """Feed the hardware watchdog, where there is one."""

    def tidy(self):
        """Collect garbage if more than half of the heap is taken; called where a pause does no harm."""
        if gc.mem_free() < gc.mem_alloc():
            gc.collect()

    def collect(self):
        """Collect garbage now."""
        gc.collect()

    def collect_if_short(self):
        """Let garbage also be collected wherever memory has run out: where late is better than not at all."""
        gc.enable()

    def forget(self, names):
        """Drop these modules, where the heap is small."""

    def collect_at_will(self, allowed):
        """Let garbage be collected by itself: while nothing is timed yet.

        Each time that some KB have been taken, not only when memory is short: what lasts would come to lie scattered
        between what does not, and leave no room in one piece.
        """
        gc.collect()
        if hasattr(gc, "threshold"):
            gc.threshold(_WILL_BYTES if allowed else -1)
        if allowed:
            gc.enable()
        else:
            gc.disable()

    def report(self, kind, text):
        """Tell whoever watches one line: kind T telemetry, E event, M message, F fatal."""
        print("EVK", kind, text)

    def close(self):
        """Say that the firmware has finished in good order."""
        self.report("Q", "")
