"""The test bench of a commissioning run: the site's readings and the PCS's set point, with what is never exceeded.

Nothing here touches a bus by itself: `field` is handed in. Power in site power units, discharge and import positive.
"""

from firmware.core import ticks
from firmware.core.errors import Error
from firmware.core.scale import to_pu
from firmware.core.types import BESS, GRID, LOAD, ROLE_NAMES, ROLES
from firmware.site import commission_plan as p
from firmware.site.commission_samples import Mean, Phases, Turns

_SOC_MARGIN_PERMILLE = 10
_ACK_MS = 4000
_ROUNDED = 50  # a PCS that takes percent, and shows what it took, is off by less than this part of it
_LOST_MS = 5000
_CAP_MARGIN_PERMILLE = 50  # of the grid's rating: the load moves too, and the caps are not ours alone
_SHRINK = 4  # halvings of a step that does not fit


class Abort(Error):
    """The procedure cannot go on; the PCS goes to zero."""


class Bench:
    """What the steps measure with and command through."""

    def __init__(self, field, platform, config, plan, unit_w):
        self.field = field
        self.ms = platform.ms
        self.unit_w = unit_w
        self.plan = plan
        self.config = config
        self.feed = False  # set points are renewed and the heartbeat is sent
        self.read_pcs = True
        self.watched = []  # the roles whose silence ends a step
        self.grid_signs = (1, -1)  # what the grid's clamp may be turned by; one of them once that is known
        self._turns = self._take_turns(field, config)
        self.want_pu = 0
        self.commanded = False  # something other than zero has been asked for
        self.fed_ms = 0  # when the PCS was last written to
        self._sent_ms = self._second_ms = self._resumed_ms = platform.ms()
        self.soc = field.soc
        self._others = [device for device in field.commanded if device is not field.pcs]
        # A PCS that reading keeps alive is sent to zero by its driver when it is read some times without a command.
        self.reads_feed = getattr(field.pcs, "reads_feed", False)
        self._renew_ms = p.RENEW_FED_MS if self.reads_feed else p.RENEW_MS
        self.armed = False  # the devices have been found: from now on their silence counts
        self.max_pu = self.pu(plan.max_w)

    def pu(self, power_w):
        """Return watts as site power units, at least one where it is above zero."""
        return max(to_pu(power_w, self.unit_w), 1) if power_w > 0 else to_pu(power_w, self.unit_w)

    def _take_turns(self, field, config):
        """Return {bus: Turns} of all whose power is read."""
        turns = {row["id"]: Turns() for row in config["buses"]}
        for row in config["devices"]:
            role = row["role"]
            if role == "pcs":
                turns[row["bus"]].add(field.pcs.power, self._ask_pcs)
            elif role in ROLE_NAMES:
                meter = field.meters[ROLE_NAMES.index(role)]
                turns[row["bus"]].add(meter.power, meter.request)
        return turns

    def _ask_pcs(self):
        return self.read_pcs and (self.feed or not self.reads_feed) and self.field.pcs.request()

    def reading(self, role):
        """Return the power reading of a role, or None."""
        return self.field.readings[role]

    def let_go(self, reads_too):
        """Send no command and no heartbeat any more, and read the PCS no more either if `reads_too`."""
        self.feed = False
        self.read_pcs = not reads_too

    def take_back(self):
        """Read, command and beat again."""
        self.feed = self.read_pcs = True
        self._resumed_ms = self.ms()

    # ---- every tick

    def tick(self):
        """Ask for the next power of each bus, and renew the set point when it is time."""
        now_ms = self.ms()
        for turns in self._turns.values():
            turns.ask(now_ms)
        if self.feed and ticks.diff(now_ms, self._sent_ms) >= self._renew_ms:
            self.send()
        if ticks.diff(now_ms, self._second_ms) >= 1000:
            self._second_ms = now_ms
            self._each_second()

    def _each_second(self):
        """Ask for the state of charge, and beat."""
        pcs = self.field.pcs
        for device in self._others:  # a BMS that hears nobody opens its contactors
            if device.ready:
                device.request_slow()
                device.heartbeat()
        if self.read_pcs:
            pcs.request_slow()
        if self.feed:
            pcs.heartbeat()
            self.fed_ms = self.ms()

    def send(self):
        """Send the set point now."""
        self._sent_ms = self.fed_ms = self.ms()
        return self.field.pcs.command(self.want_pu)

    def trouble(self):
        """Return (code, what) of what forbids to go on, or None."""
        pcs = self.field.pcs
        if not self.armed:
            return None
        if not pcs.ready and self.read_pcs:
            return "PCS_LOST", pcs.trouble
        if pcs.local:
            return "PCS_LOCAL", "somebody commands the PCS on the spot"
        if pcs.fault:
            return "PCS_FAULT", "the PCS reports a fault"
        now_ms = self.ms()
        for role in self.watched:
            if role == BESS and (not self.read_pcs or ticks.diff(now_ms, self._resumed_ms) < _LOST_MS):
                continue
            if ticks.diff(now_ms, self.reading(role).t_ms) > _LOST_MS:
                text = "%s has not answered for %d s" % (ROLE_NAMES[role], _LOST_MS // 1000)
                return "PCS_LOST" if role == BESS else "METER_LOST", text
        if not self._grids(_CAP_MARGIN_PERMILLE):
            return "GRID_CAP", "the grid meter is beyond the site's caps"
        return self._soc_trouble()

    def _soc_trouble(self):
        soc, limits = self.soc, self.config["limits"]
        if not soc.count:
            return "SOC_UNKNOWN", "the PCS does not state its state of charge"
        if self.want_pu > 0 and soc.value <= limits["soc_min_permille"]:
            return "SOC_LOW", "%d permille" % soc.value
        if self.want_pu < 0 and soc.value >= limits["soc_max_permille"]:
            return "SOC_HIGH", "%d permille" % soc.value
        return None

    # ---- what is allowed

    def _grids(self, margin_permille):
        """Return what the grid's true power may be: the meter's value, turned round too while its clamp is unknown."""
        limits = self.config["limits"]
        margin_pu = self.pu(self.config["ratings"]["grid_w"]) * margin_permille // 1000
        low_pu = -self.pu(limits["grid_export_w"]) - margin_pu
        high_pu = self.pu(limits["grid_import_w"]) + margin_pu
        shown_pu = self.reading(GRID).value
        return [sign * shown_pu for sign in self.grid_signs if low_pu <= sign * shown_pu <= high_pu]

    def window(self):
        """Return the lowest and highest set point that rating, state of charge and grid caps allow now."""
        pcs, limits = self.field.pcs, self.config["limits"]
        high_pu = min(self.max_pu, pcs.high_pu)
        low_pu = max(-self.max_pu, pcs.low_pu)
        soc = self.soc
        if not soc.count or soc.value <= limits["soc_min_permille"] + _SOC_MARGIN_PERMILLE:
            high_pu = 0
        if not soc.count or soc.value >= limits["soc_max_permille"] - _SOC_MARGIN_PERMILLE:
            low_pu = 0
        import_pu, export_pu = self.pu(limits["grid_import_w"]), self.pu(limits["grid_export_w"])
        grids = self._grids(_CAP_MARGIN_PERMILLE)
        if not grids:
            return 0, 0
        for grid_pu in grids:
            rest_pu = grid_pu + pcs.power.value  # what the grid would give without the battery
            low_pu = max(low_pu, min(rest_pu - import_pu, 0))
            high_pu = min(high_pu, max(rest_pu + export_pu, 0))
        # The caps may want the battery on one side of zero only; commissioning starts from zero all the same.
        return min(low_pu, 0), max(high_pu, 0)

    def levels(self, step_pu):
        """Return two levels 2 * step_pu apart, about zero if there is room, smaller if there is not. Raises Abort."""
        low_pu, high_pu = self.window()
        for _ in range(_SHRINK):
            if step_pu < 1:
                break
            for low, high in ((-step_pu, step_pu), (-2 * step_pu, 0), (0, 2 * step_pu)):
                if low_pu <= low and high <= high_pu:
                    return low, high
            step_pu //= 2
        raise Abort("NO_ROOM", "state of charge and grid caps allow %d to %d W only"
                    % (low_pu * self.unit_w, high_pu * self.unit_w))

    # ---- what the steps wait for

    def wait(self, ms):
        """Let `ms` pass; a generator, like all below."""
        begin_ms = self.ms()
        while ticks.diff(self.ms(), begin_ms) < ms:
            yield

    def go(self, power_pu):
        """Command a set point and wait for its acknowledgement; returns the tick at which it left. Raises Abort."""
        low_pu, high_pu = self.window()
        if power_pu and not low_pu <= power_pu <= high_pu:
            raise Abort("NO_ROOM", "%d W is outside %d to %d W" % (power_pu * self.unit_w, low_pu * self.unit_w,
                                                                   high_pu * self.unit_w))
        applied = self.field.pcs.applied
        count = applied.count
        self.want_pu = power_pu
        self.commanded = self.commanded or power_pu != 0
        self.feed = True
        self.send()
        begin_ms = self.ms()
        while applied.count == count or abs(applied.value - power_pu) > abs(power_pu) // _ROUNDED:
            if ticks.diff(self.ms(), begin_ms) > _ACK_MS:
                raise Abort("NOT_ACKNOWLEDGED", "a set point of %d W" % (power_pu * self.unit_w))
            yield
        return applied.t_ms

    def follow(self, power_pu, within_pu):
        """Wait until the PCS shows its set point within so much, FOLLOW_MS at most."""
        begin_ms = self.ms()
        while abs(self.reading(BESS).value - power_pu) > within_pu:
            if ticks.diff(self.ms(), begin_ms) > p.FOLLOW_MS:
                return
            yield

    def means(self, ms, roles, phases=None):
        """Return the mean power of each role over the next `ms`, in thousandths of a power unit, None without a sample.

        `phases`, a dict, is filled with the mean powers of each phase, W, for the meters that tell.
        """
        begin_ms = self.ms()
        totals = [Mean(self.reading(role)) if role in roles else None for role in range(ROLES)]
        wide = {role: Phases(self.field.meters[role]) for role in roles
                if phases is not None and hasattr(self.field.meters[role], "request_phases")}
        while ticks.diff(self.ms(), begin_ms) < ms:
            yield
            for role in roles:
                totals[role].look(begin_ms)
            for role in wide:
                wide[role].look(begin_ms)
        for role in wide:
            phases[role] = wide[role].means()
        return [None if mean is None or not mean.n else mean.sum * 1000 // mean.n for mean in totals]

    def balance_pu(self):
        """Return what all other meters say that the BESS does: load less grid and production."""
        total = 0
        for role in range(ROLES):
            if role != BESS and self.reading(role) is not None:
                value = self.reading(role).value
                total += value if role == LOAD else -value
        return total
