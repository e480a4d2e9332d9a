"""One simulation from its inputs to its results: read and check everything, fill the folder, run, collect."""

import json

from host_tools.commands import provision
from host_tools.errors import ToolError, read_bytes
from host_tools.plant import lockstep, realtime, run_folder
from host_tools.plant.assembly import Inputs, Plant
from host_tools.plant.board_vm import BoardVm
from host_tools.plant.faults import Injector, load_faults
from host_tools.plant.forecast import Ahead, load_ahead
from host_tools.plant.freshness import Freshness
from host_tools.plant.progress import Progress
from host_tools.plant.series import US_PER_S, load_power
from host_tools.plant.summary import Energies, input_entry, run_entry
from host_tools.plant.telemetry import Reports
from host_tools.plant.trace import Figures, Trace
from host_tools.plant.utc import parse_utc
from host_tools.plant.vm import Vm, version_of
from host_tools.plant.work import Work, load_work


class Simulation:
    """Made of the arguments of `simulate`; a bad input is refused here, before anything is written."""

    def __init__(self, args, start_vm=None):
        self._args = args
        self._start_vm = start_vm or (BoardVm if args.vm == "qemu" else Vm)
        self._entries = []
        self._site_bytes = read_bytes(args.site, "site")
        self._config = _json_object(args.site, self._site_bytes)
        self._start_s = parse_utc(args.start)
        inputs = self._load_inputs()
        self._duration_s = args.duration or inputs.load.duration_us // US_PER_S
        if self._duration_s < 1:
            raise ToolError("the run has no length", "Give --duration in seconds, or a longer load file.")
        self._reports = Reports()
        self._plant = self._trouble = None
        self._faults = []
        self._freshness = None
        try:
            self._plant = Plant(self._config, inputs, self._start_s, args.seed)
        except ToolError as trouble:
            self._trouble = trouble  # the firmware says it better, if it agrees
            return
        if args.wind and not self._config["ratings"].get("wind_w"):
            raise ToolError("--wind is given but ratings.wind_w of the site is 0",
                            "Rate the wind plant, or leave --wind out.")
        if args.events:
            self._faults = load_faults(args.events, self._plant.slaves, self._plant.lines)
            if args.mode == "wire" and any(fault.device in ("clock", "board") for fault in self._faults):
                raise ToolError("the events change the clock or command the board, and in real time nothing does",
                                "Use --mode virtual, or leave clock and board out of the events.")

    def _load_inputs(self):
        args = self._args
        inputs = Inputs(self._power("load", args.load, args.load_scale))
        if args.wind:
            inputs.wind = self._power("wind", args.wind, args.wind_scale)
        if args.pv:
            inputs.pv = self._power("pv", args.pv, 1.0)
        for role in ("carbon", "carbon_ahead", "work", "events"):
            if getattr(args, role):
                self._entries.append(input_entry(role, getattr(args, role)))
        self._ahead = load_ahead(args.carbon_ahead) if args.carbon_ahead else None
        self._work = load_work(args.work) if args.work else None
        return inputs

    def _power(self, role, path, scale):
        series = load_power(path, scale)
        self._entries.append(input_entry(role, path, scale))
        return series

    def carry_out(self):
        """Run the firmware on the plant; return the folder with the results. Raises ToolError."""
        args = self._args
        out = args.out.resolve()
        run = run_folder.fresh(out)
        self._fill(run)
        if self._trouble and args.vm == "qemu":
            raise self._trouble
        if args.mode == "wire" and not self._trouble:
            return self._finish(run, out, self._in_real_time(run, out))
        vm = self._start_vm(args.vm, run, "lockstep")
        try:
            if self._trouble:
                lockstep.hear_fatal(vm, self._reports)
                raise self._trouble
            summary = self._in_virtual_time(vm, out)
        finally:
            vm.close()
        return self._finish(run, out, summary)

    def _fill(self, run):
        """Put into the run folder what a board has on its flash before its first start."""
        (run / "site.json").write_bytes(self._site_bytes)
        run_folder.copy_beside(self._args.site, run)
        names = self._config.get("site")
        names = [names.get(key) for key in ("id", "device")] if isinstance(names, dict) else [None]
        if all(isinstance(name, str) for name in names):  # else the firmware will refuse the site
            try:
                provision.make(run, *names, secret=run_folder.device_secret(self._args.seed, *names))
            except ToolError as trouble:
                self._trouble = self._trouble or trouble
        if any(fault.event == "change_keys" for fault in self._faults):
            (run / "entropy.bin").write_bytes(run_folder.device_secret(self._args.seed, "entropy", "bin"))
        if self._args.carbon:
            run_folder.write_factors(run / "factors.csv", self._args.carbon, self._start_s, self._duration_s)

    def _watch_plant(self, out):
        """Put the sampling and the faults on the agenda; return what they fill."""
        end_us = self._duration_s * US_PER_S
        step_us = round(self._args.trace_step * US_PER_S)
        Injector(self._plant, self._faults)
        self._plant.ahead = Ahead(self._plant.agenda, self._ahead, self._start_s, end_us)
        if self._work:
            self._work = self._plant.work = Work(self._work, self._plant.island, end_us)
        self._freshness = Freshness(self._plant, end_us, [fault.time_us for fault in self._faults])
        energies = Energies(self._plant, end_us)
        figures = Figures(self._plant, self._reports, end_us)
        return energies, figures, Trace(out / "trace.csv", self._plant, self._reports, step_us, end_us)

    def _in_virtual_time(self, vm, out):
        end_us = self._duration_s * US_PER_S
        progress = Progress(end_us)
        watched = self._watch_plant(out)
        server = lockstep.Lockstep(self._plant, self._reports, end_us, progress)
        stop_watching = vm.watch(lambda: server.idles)
        try:
            server.serve(vm)
        finally:
            stop_watching()
            watched[2].close()
        return {**self._summary(*watched[:2], progress), "round_trips": server.idles}

    def _in_real_time(self, run, out):
        end_us = self._duration_s * US_PER_S
        progress = Progress(end_us)
        watched = self._watch_plant(out)
        try:
            realtime.serve(self._plant, self._reports, run, end_us, progress,
                           lambda: self._start_vm(self._args.vm, run, "wire", end_us // 1000))
        finally:
            watched[2].close()
        return self._summary(*watched[:2], progress)

    def _summary(self, energies, figures, progress):
        args = self._args
        return {
            "version": 1, "site": self._config.get("site"),
            "run": run_entry(self._start_s, self._duration_s, args, version_of(args.vm), self._site_bytes),
            "inputs": self._entries, "synthetic": any(entry["synthetic"] for entry in self._entries),
            "energy": energies.summary(), "control": figures.summary(), "buses": self._plant.bus_statistics(),
            "freshness": self._freshness.summary(), "island": self._plant.island.summary(),
            "genset": self._plant.genset.summary() if self._plant.genset else None,
            "work": self._work.summary(energies.summary()["uses_wh"]["load"]) if self._work else None,
            "control_periods": self._duration_s * 1000 // self._plant.period_ms,
            "injected": [fault.as_dict() for fault in self._faults], "messages": self._reports.messages,
            "wall_s": round(progress.wall_s, 2),
        }

    def _finish(self, run, out, summary):
        summary["files"] = run_folder.collect(run, out, self._reports.events)
        (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
        return out


def _json_object(path, data):
    try:
        value = json.loads(data)
    except ValueError as error:
        raise ToolError(f"{path}: not JSON ({error})", "Check commas, quotes and brackets.") from error
    if not isinstance(value, dict):
        raise ToolError(f"{path}: must be an object {{...}}", "See host_tools/sites for working examples.")
    return value
