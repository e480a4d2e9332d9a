"""The second program of the board: main's wiring with the commissioning procedure in the place of the control tick.

Loaded by main.commission() only, so that it costs the control program nothing.
"""

from firmware.core.task import Task
from firmware.drivers import scan
from firmware.main import Station
from firmware.site import commission
from firmware.site.commission_bench import Bench
from firmware.site.commission_plan import TICK_MS, Plan

_TICK_BUDGET_US = 10_000


class Commissioner(Station):
    """One site's firmware, wired up for commissioning."""

    def _add_tasks(self, period_ms):
        self.sched.add(Task("commission", self._step, TICK_MS, 0, 1, _TICK_BUDGET_US, True))

    def _step(self):
        self.procedure.tick()

    def run(self, options, stop):
        """Commission the site as `options` say, until stop() returns True; the PCS ends at zero."""
        platform = self.platform
        plan = Plan(self.config, options)
        tell = commission.Tell(platform.report, self.events.note)
        clock = commission.Clock(platform, self.utc)
        bench = Bench(self.field, platform, self.config, plan, self.unit_w)
        self.procedure = commission.Procedure(bench, tell, clock, stop)
        scan.run(platform, self.config, plan, tell, stop)
        commission.carry_out(self.procedure, clock, self.sched, self.make_field, platform)
        for _ in self.events.flush():
            platform.tidy()
        platform.close()
