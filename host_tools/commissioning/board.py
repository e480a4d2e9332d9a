"""Boards: the emulated one against the simulated site's Modbus servers in real time, and a real one at its port."""

import json

from host_tools.commands import flash
from host_tools.commissioning.link import Link
from host_tools.commissioning.virtual import Silent, fill, plant_of
from host_tools.errors import ToolError
from host_tools.plant import realtime, run_folder
from host_tools.plant.board_vm import EmulatedBoard
from host_tools.plant.faults import Injector

_LONGEST_US = 6 * 3_600_000_000
_TAIL_LINES = 12


def start_code(options):
    """Return the program that commissions on the board."""
    return f"from firmware.main import commission; commission('board', '/', {options!r})"


class EmulatedVm(EmulatedBoard):
    """The emulated board, running the procedure; see plant.realtime for what is asked of it."""

    def __init__(self, run, options, ports):
        self._options = options
        EmulatedBoard.__init__(self, run, ports, ("site.json", "secret.bin"))

    def begin(self, emulator):
        """Start the procedure."""
        self._link = Link(emulator.pty)
        self._link.start(start_code(self._options))
        self.read_fd = self._link.read_fd

    def stop(self):
        """Ask for an orderly end."""
        self._link.stop()

    def close(self):
        """Fetch the events, then switch the board off."""
        try:
            self._link.close()
            self.fetch("events")
        finally:
            self.kill()


class EmulatedSession:
    """One run on the emulated board."""

    def __init__(self, args, site_bytes, options, listener):
        self.config = json.loads(site_bytes)
        self.plant, self._faults = plant_of(args, self.config)
        self._args = args
        self._site_bytes = site_bytes
        self._options = options
        self._listener = listener
        self._vm = None
        self._stop = False

    def stop(self):
        """Ask the firmware for an orderly end."""
        self._stop = True
        if self._vm is not None:
            self._vm.stop()

    def run(self, out):
        """Run to the end."""
        run = run_folder.fresh(out)
        fill(run, self._site_bytes, self.config, self._args.seed)
        Injector(self.plant, self._faults)

        def start():
            self._vm = EmulatedVm(run, self._options, sorted(self.plant.ports))
            if self._stop:
                self._vm.stop()
            return self._vm

        realtime.serve(self.plant, self._listener, run, _LONGEST_US, Silent(), start)
        run_folder.collect_events(run, out)


class PortSession:
    """One run on a real board: site.json goes onto it, its events come back; secret and journal stay as they are."""

    def __init__(self, args, site_bytes, options, listener):
        self._args = args
        self._site_bytes = site_bytes
        self._options = options
        self._listener = listener
        self._link = None
        self._stop = False

    def stop(self):
        """Ask the firmware for an orderly end."""
        self._stop = True
        if self._link is not None:
            self._link.stop()

    def run(self, out):
        """Run to the end."""
        out.mkdir(parents=True, exist_ok=True)
        (out / "site.json").write_bytes(self._site_bytes)
        flash.mpremote(self._args.port, "fs", "cp", out / "site.json", ":/site.json")
        self._link = link = Link(self._args.port)
        if self._stop:
            link.stop()
        said = []
        try:
            link.start(start_code(self._options))
            self._listen(link.read_fd, said)
        finally:
            link.close()
        if self._listener.end is None and self._listener.fatal is None:
            raise ToolError("the board ended early:\n    " + "\n    ".join(said[-_TAIL_LINES:]),
                            "Check at the PCS that it is at zero; python3 -m host_tools flash renews the firmware.")
        flash.mpremote(self._args.port, "fs", "cp", "-r", ":/events", f"{out}/")
        run_folder.collect_events(out, out)

    def _listen(self, fd, said):
        with open(fd, "rb", closefd=False) as stream:
            for line in stream:
                text = line.decode("utf-8", "replace").rstrip()
                mark, _, rest = text.partition(" ")
                kind, _, text = rest.partition(" ")
                if mark != "EVK":
                    said.append(mark + " " + rest)
                elif kind != "Q":
                    self._listener.take(kind, text)
