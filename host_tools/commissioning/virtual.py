"""The board UNIX: the firmware commissions the simulated site, in lockstep virtual time."""

import json

from host_tools.commands import provision
from host_tools.errors import ToolError
from host_tools.plant import lockstep, run_folder
from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.faults import Injector, load_faults
from host_tools.plant.series import US_PER_S, constant, load_power
from host_tools.plant.utc import parse_utc
from host_tools.plant.vm import Vm

_DAY_US = 86_400 * US_PER_S
_LOAD_SHARE = 0.5  # of its rating, where no load file is given


class CommissionVm(Vm):
    """Runs main.commission() in the place of main.run()."""

    options = {}

    def command(self, mode, folder, stage, until_ms):
        """Return (argument list, environment) that start the procedure."""
        arguments, environment = super().command(mode, folder, stage, until_ms)
        start = f"from firmware.main import commission; commission({mode!r}, {str(folder)!r}, {self.options!r})"
        return [*arguments[:-1], start], environment


def plant_of(args, config):
    """Return (plant, faults) of the arguments: the simulated site that is commissioned."""
    ratings = config["ratings"]
    load = load_power(args.load, args.load_scale) if args.load else constant(_LOAD_SHARE * ratings["load_w"])
    inputs = Inputs(load)
    if args.wind:
        inputs.wind = load_power(args.wind, 1.0)
    if args.pv:
        inputs.pv = load_power(args.pv, 1.0)
    plant = Plant(config, inputs, parse_utc(args.start), args.seed)
    faults = load_faults(args.events, plant.slaves, plant.lines) if args.events else []
    return plant, faults


def fill(run, site_bytes, config, seed):
    """Put into the run folder what a board has on its flash."""
    (run / "site.json").write_bytes(site_bytes)
    names = [config["site"][key] for key in ("id", "device")]
    provision.make(run, *names, secret=run_folder.device_secret(seed, *names))


class Silent:
    """No progress of its own: the board's lines are the progress."""

    def show(self, now_us, last=False):
        """Show nothing."""


class Session:
    """One run; `prepare(plant)` may change the plant before it begins (tests)."""

    def __init__(self, args, site_bytes, options, listener, prepare=None):
        self.config = json.loads(site_bytes)
        self.plant, self._faults = plant_of(args, self.config)
        self._args = args
        self._site_bytes = site_bytes
        self._options = options
        self._listener = listener
        self._server = lockstep.Lockstep(self.plant, listener, _DAY_US, Silent())
        if prepare is not None:
            prepare(self.plant)

    def stop(self):
        """Ask the firmware for an orderly end."""
        self._server.request_stop()

    def run(self, out):
        """Run to the end; raises ToolError when the firmware dies."""
        run = run_folder.fresh(out)
        fill(run, self._site_bytes, self.config, self._args.seed)
        Injector(self.plant, self._faults)
        kind = type("StartedVm", (CommissionVm,), {"options": self._options})
        vm = kind(self._args.vm, run, "lockstep")
        watching = vm.watch(lambda: self._server.idles)
        try:
            self._server.serve(vm)
        finally:
            watching()
            vm.close()
        if not run_folder.collect_events(run, out):
            raise ToolError("the board has written no events", f"See the run folder {run}.")
