"""First-order response with a rate limit, in closed form: what a PCS or a wind plant makes of a command."""

from math import exp, log

_NEARLY = 7  # time constants after which a thousandth is left
_SETTLED = 40  # time constants after which nothing a double can show is left
_HISTORY_US = 2_000_000  # meters look back at most one refresh


class Response:
    """An output that follows a target: y' = (target - y) / tau, never faster than the rate.

    The past is a list of pieces (start_us, y, target, slope): exponential where slope is 0, else a ramp.
    """

    def __init__(self, y_w, tau_us, rate_w_per_us=0.0):
        self.tau_us = tau_us
        self.rate_w_per_us = rate_w_per_us  # 0: unlimited
        self._pieces = [(0, y_w, y_w, 0.0)]

    @property
    def target_w(self):
        """The value that the output is heading for."""
        return self._pieces[-1][2]

    def retarget(self, t_us, target_w):
        """Head for another value from a time on; whatever was foreseen after that time is dropped."""
        pieces = self._pieces
        while len(pieces) > 1 and pieces[-1][0] > t_us:
            pieces.pop()
        while len(pieces) > 1 and pieces[1][0] < t_us - _HISTORY_US:
            pieces.pop(0)
        y = self.value(t_us)
        gap = target_w - y
        rate = self.rate_w_per_us
        if rate and abs(gap) > rate * self.tau_us:
            slope = rate if gap > 0 else -rate
            ramp_us = (abs(gap) - rate * self.tau_us) / rate
            pieces.append((t_us, y, target_w, slope))
            pieces.append((t_us + ramp_us, y + slope * ramp_us, target_w, 0.0))
        else:
            pieces.append((t_us, y, target_w, 0.0))

    def jump(self, t_us, y_w):
        """Stand at a value at once (a breaker opens)."""
        self.retarget(t_us, y_w)
        self._pieces[-1] = (t_us, y_w, y_w, 0.0)

    def settled(self, t_us):
        """Return True when less than a thousandth of the last step is still to come after this time."""
        start_us, y, target, _ = self._pieces[-1]
        return t_us >= start_us and (y == target or t_us - start_us >= _NEARLY * self.tau_us)

    def value(self, t_us):
        """Return the output at a time of the last two seconds, W."""
        pieces = self._pieces
        piece = pieces[-1]
        if t_us >= piece[0] and piece[1] == piece[2]:
            return piece[1]  # it stands still: so it is most of the time
        i = len(pieces) - 1
        while i and t_us < pieces[i][0]:
            i -= 1
        return self._value(pieces[i], t_us)

    def _value(self, piece, t_us):
        start_us, y, target, slope = piece
        if slope:
            return y + slope * (t_us - start_us)
        if y == target or t_us <= start_us:
            return y
        x = (t_us - start_us) / self.tau_us if self.tau_us else _SETTLED
        return target if x >= _SETTLED else target - (target - y) * exp(-x)

    def integrals(self, start_us, end_us):
        """Return (positive, negative) parts of the integral between two times, both >= 0, W times us."""
        pieces = self._pieces
        i = len(pieces) - 1
        from_us, _, target, slope = pieces[i]
        if not slope and start_us - from_us >= _SETTLED * self.tau_us and end_us > start_us:
            area = target * (end_us - start_us)
            return (area, 0.0) if area >= 0 else (0.0, -area)
        while i and start_us < pieces[i][0]:
            i -= 1
        plus = minus = 0.0
        a_us = start_us
        while a_us < end_us:
            last = i == len(pieces) - 1
            b_us = end_us if last else min(end_us, pieces[i + 1][0])
            for c_us, d_us in self._one_sign(pieces[i], a_us, b_us):
                area = self._area(pieces[i], c_us, d_us)
                if area >= 0:
                    plus += area
                else:
                    minus -= area
            a_us = b_us
            i += 1
        return plus, minus

    def _one_sign(self, piece, a_us, b_us):
        """Return the stretch of one piece, cut where the output crosses zero."""
        start_us, y, target, slope = piece
        if self._value(piece, a_us) * self._value(piece, b_us) >= 0:
            return ((a_us, b_us),)
        if slope:
            zero_us = start_us - y / slope
        else:
            zero_us = start_us + self.tau_us * log((target - y) / target)
        return (a_us, zero_us), (zero_us, b_us)

    def _area(self, piece, a_us, b_us):
        start_us, y, target, slope = piece
        if slope:
            return (y + slope * ((a_us + b_us) / 2 - start_us)) * (b_us - a_us)
        gap = target - y
        tau = self.tau_us
        if not gap or not tau or a_us - start_us >= _SETTLED * tau:
            return target * (b_us - a_us)
        faded = exp((start_us - a_us) / tau) - exp((start_us - b_us) / tau)
        return target * (b_us - a_us) - gap * tau * faded
