"""The tracker's law once more, in plain Python: what its viper functions are compared with. See tick_reference."""

FULL = 1 << 19
LED_MAX = 0xC0000
FRESH = 1


def clamp(x, low, high):
    """Return x limited to low .. high; low wins where the two cross."""
    return max(min(x, high), low)


def part_of(way, share):
    """Return a share in 1/1024 of a way, rounded."""
    return (way * share + 512) // 1024


class Pcs:
    """A model of the PCS: commands go in, power comes out, now and at the tick before."""

    def __init__(self):
        self.commands = [0] * 8
        self.now = self.before = 0

    def move(self, tuning, most):
        """Move on by one period."""
        part, early, back = tuning[1:4]
        late, earlier = self.commands[-1 - back], self.commands[-2 - back]
        command = late + part_of(earlier - late, early)
        self.before = self.now
        self.now += clamp(part_of(command - self.now, part), -most, most)

    def ask(self, command):
        """Take this period's command."""
        self.commands = self.commands[1:] + [command]

    def earlier(self, back):
        """Return the four commands before the one that acts now."""
        return [self.commands[(-back - n) % 8] for n in range(2, 6)]

    def at(self, age_ms, dt_ms, parts=256):
        """Return its power at an age, between the last two ticks."""
        return self.now + (self.before - self.now) * (clamp(age_ms, 0, dt_ms) * parts // dt_ms) // parts


class Band:
    """One band of the swing: what of it is of use."""

    def __init__(self, sums):
        self.use = self.all = sums

    def held_back(self, led, away, bess, window, prior):
        """Return what of the feed-forward in this band is to be held back."""
        self.use += (away if bess > 0 else -away if bess else 0) + prior - (self.use >> window)
        self.all += abs(bess) + prior - (self.all >> window)
        use = self.use + (self.use >> 2)
        if use >= self.all:
            return 0
        if use > 0:
            led = led * (256 - use // ((self.all >> 8) + 1)) >> 8
        usual = 8 * (self.all >> window)
        return clamp(led, -usual, usual)


class Shape:
    """Lead and guard; `tuning` is control.tuning.coefficients(), `span` the samples of a slope, `kick` its kick."""

    def __init__(self, tuning, span, bess, kick):
        self.tuning, self.span, self.kick = tuning, span, kick
        self.most = bess * 13 >> 5
        self.rest = self.raw = 0  # of a kick what is left to be done, and the last slope
        self.prior = max(bess // 4096, 1)
        self.model = Pcs()
        self.bands = [Band(self.prior << tuning[4]) for _ in range(3)]
        self._low = [[0, 0, 0], [0, 0, 0]]
        self._last = None  # net load at the last sample
        self._since = self._last_since = self._slope = 0  # ticks since the last, and from the one before to it
        self._sampled_ms = 0
        self.turns, self.down = 0, False  # of the model in the fast band, times 1024

    def led(self, net, away, sample_ms, started):
        """Return the whole feed-forward."""
        since = (self._since & 0xFFFF) + 1
        kicked = self.rest
        if self._last is None:
            self._last = net
        if sample_ms != self._sampled_ms:
            step = clamp(net - self._last, -FULL, FULL)
            was, self.raw = self.raw, step // since
            self._slope = self.raw
            if self.kick:
                kicked += step * self.kick >> 8
                self._slope = clamp(was, min(self.raw, 0), max(self.raw, 0))
            elif self.span == 2:
                self._slope = (was + self.raw) // 2
            self._sampled_ms, self._last, self._last_since = sample_ms, net, since
            since = 0
        elif since > 2 * self._last_since:
            self._slope = 0
        if not started:
            self._last = None
        self._since = since
        kicked = clamp(kicked, -LED_MAX, LED_MAX)
        most = self.most if self.turns <= 4096 else LED_MAX
        done = clamp(kicked, -most, most)
        self.rest = (kicked - done) * (1024 - self.tuning[1]) >> 10
        return clamp(away + (self._slope * (self.tuning[0] - self.kick) >> 8) + done, -LED_MAX, LED_MAX)

    def _count_turns(self):
        fast = self.model.now - self._low[0][2]
        half = self.bands[0].all >> (self.tuning[4] + 1)
        self.turns -= self.turns >> self.tuning[4]
        if (fast > half) if self.down else (fast < -half):
            self.down = not self.down
            self.turns += 1024

    def shaped(self, led, away):
        """Return what of the feed-forward is of use."""
        self.model.ask(led)
        parts = [led, away, self.model.now]
        held = 0
        for i, band in enumerate(self.bands):
            low = [0, 0, 0]
            if i < 2:
                low = [was + part_of(x - was, self.tuning[6 - i]) for was, x in zip(self._low[i], parts)]
                self._low[i] = low
            back = band.held_back(*[x - y for x, y in zip(parts, low)], self.tuning[4], self.prior)
            held += back if self.turns > 4096 else 0
            parts = low
        self._count_turns()
        return led - held


class Can:
    """What the PCS can really give and take, as learned."""

    def __init__(self, bess, wait_ms=1000):
        self.bess, self.wait_ms = bess, wait_ms
        self.give = self.take = bess
        self.short_ms = self.rest = self.stood = 0

    def learn(self, gap, power, heard, dt_ms, earlier=()):
        """Learn from where the PCS is, `gap` short of where it should be; it may still stand at `earlier` ones."""
        if abs(gap) * 32 <= self.bess and not self.short_ms and not self.rest:
            return
        still = abs(power - self.stood) * 64 <= self.bess
        self.stood = power
        most = power if gap >= 0 else -power
        late = any(abs(command - power) * 32 <= self.bess for command in earlier)
        if heard and not late and abs(gap) * 32 > self.bess and still and most * 32 > -self.bess:
            self.short_ms += dt_ms
        else:
            self.short_ms = max(self.short_ms - dt_ms, 0)
        if self.short_ms >= self.wait_ms:
            self.short_ms = 0
            limit = max(most, 0) + self.bess // 64
            if gap >= 0:
                self.give = limit
            else:
                self.take = limit
        rest = self.rest + self.bess * dt_ms // 128
        give, take = self.give + rest // 1000, self.take + rest // 1000
        self.give = give if give < self.bess and power < give else self.bess
        self.take = take if take < self.bess and -power < take else self.bess
        self.rest = 0 if give >= self.bess and take >= self.bess else rest % 1000 + 1
