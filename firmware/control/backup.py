"""Island and genset at work: once a second from what is measured to what is asked of genset, wind and PV.

The objects it works with are handed in by the wiring: this layer knows none of the others. Background only.
"""

import micropython
from micropython import const

from firmware.control import genset as engine
from firmware.control import island, reasons
from firmware.core import ticks
from firmware.core.types import CLOCK_UNKNOWN, FRESH, GENSET, GRID, LOAD, PV, WIND

_UNKNOWN = const(-1)
_LONGEST_MS = const(60_000)
_LEAST_SHARE = const(50)  # of genset or battery: what genset and grid show beyond is power
_QUARTER_MIN = const(15)
_MINUTE_MS = const(60_000)

BESIDE = (  # what is no state of the supervisor's: told beside it, see STATES.md
    (island.UNSERVED, "UNSERVED", "the load wants more than battery and genset together can give"),
    (island.GENSET_FAILED, "GENSET_FAILED", "the genset cannot be had: locked after its tries, in alarm or silent"),
    (island.LOW_FUEL, "LOW_FUEL", "the tank is low: the genset starts for what cannot wait only"))


class Backup:
    """`sense` says whether the grid is there, `field` has PCS, genset and limits, `limits` what the battery may do."""

    def __init__(self, isl, sense, field, snapshot, limits, utc, offset_min, least_pu):
        self.island = isl
        self.genset = isl.genset
        self._sense = sense
        self._field = field
        self._snap = snapshot
        self._limits = limits
        self._utc = utc
        self._offset_min = offset_min
        self._least_pu = least_pu  # of genset and grid: what is more is power
        self._told = [0, 0, 0]  # changes of island and genset that have been noted, and bits of _BESIDE
        self._last_ms = None

    def look(self, now_ms, note):
        """Go on to the tick `now_ms` and note what has changed. Once a second."""
        dt_ms = 1 if self._last_ms is None else ticks.diff(now_ms, self._last_ms)
        self._last_ms = now_ms
        self.step(dt_ms)
        self._note(note)

    @micropython.native
    def step(self, dt_ms):
        """Go on by a time, 1 ms or more."""
        if dt_ms < 1:
            dt_ms = 1
        while dt_ms > _LONGEST_MS:
            self._step(_LONGEST_MS)
            dt_ms -= _LONGEST_MS
        self._step(dt_ms)

    @micropython.native
    def _step(self, dt_ms):
        field, snap, isl = self._field, self._snap, self.island
        genset, device = self.genset, field.genset
        mains = _UNKNOWN
        if device is not None and device.ready:
            mains = self._sense.within(device.mains_mhz, device.mains_mv)
        pcs_there = snap.pcs_ready and not snap.pcs_fault
        soc = snap.soc_permille if snap.soc_state == FRESH else _UNKNOWN
        power = snap.power_pu
        flows = snap.state[GRID] == FRESH and abs(power[GRID]) > self._least_pu
        isl.sense(dt_ms, self._sense.look(), mains, field.pcs.islanded() if snap.pcs_ready else _UNKNOWN, flows)
        base_pu = power[LOAD] - power[WIND] - power[PV]
        if device is not None:
            fuel = device.fuel.value if device.fuel.count else _UNKNOWN
            genset.step(dt_ms, self._status(device), fuel, soc, base_pu, isl.lost_s, isl.alone, self._minute())
            self._ask(device, genset.take_command())
        low_pu, high_pu = (self._limits.low_pu, self._limits.high_pu) if pcs_there else (0, 0)
        isl.step(dt_ms, pcs_there, soc, base_pu, low_pu, high_pu)

    @micropython.native
    def _status(self, device):
        """Return what the genset's controller and meter say, as bits of control.genset."""
        snap = self._snap
        status = 0
        if snap.state[GENSET] == FRESH and snap.power_pu[GENSET] > self._least_pu:
            status = engine.LOADED
        if device.ready:
            status |= engine.ANSWERS
            if not device.local:
                status |= engine.AUTO
            if device.fault:
                status |= engine.ALARM
            if device.running:
                status |= engine.RUNS
            if device.applied.value == 1:
                status |= engine.TOLD
        return status

    @micropython.native
    def _ask(self, device, command):
        if command != engine.NOTHING:
            device.command(command == engine.START)

    @micropython.native
    def _minute(self):
        """Return the local minute since 1970, or -1 while UTC is unknown."""
        utc = self._utc
        if utc.trust == CLOCK_UNKNOWN:
            return _UNKNOWN
        return utc.quarter * _QUARTER_MIN + utc.ms // _MINUTE_MS + self._offset_min

    @property
    def spare_pu(self):
        """What production may exceed load and charging by: export cap, or the genset above its lowest load."""
        isl = self.island
        if isl.bits & island.GRID_LOST and isl.spare_pu < 0:
            return isl.spare_pu + self._snap.power_pu[GENSET]  # which the limits take off already
        return isl.spare_pu

    def _note(self, note):
        """Note each transition of island and genset, with its reason."""
        told = self._told
        if self.island.changes != told[0]:
            told[0] = self.island.changes
            note("island", island.NAMES[self.island.state].upper(), reasons.SENTENCES[self.island.reason])
        if self.genset is not None and self.genset.changes != told[1]:
            told[1] = self.genset.changes
            note("genset", engine.NAMES[self.genset.state].upper(), reasons.SENTENCES[self.genset.reason])
        bits, before = self.island.bits, told[2]
        told[2] = bits | (before if bits & island.GRID_LOST else 0)  # once a loss of the grid, however often it comes
        for bit, word, sentence in BESIDE:
            if bits & bit & ~before:
                note("island", word, sentence)


def make(config, sense, field, snapshot, limits, utc, pu):
    """Return the Backup of a site that can be an island; `pu(watts)` turns watts into site power units."""
    genset, offset_min = None, 0
    if config["genset"] is not None:
        soc_min_permille = config["limits"]["soc_min_permille"]
        genset = engine.Genset(config["genset"], pu(config["ratings"]["genset_w"]), pu, soc_min_permille)
        offset_min = config["genset"]["utc_offset_min"]
    isl = island.Island(config["island"], genset, pu(config["limits"]["grid_export_w"]), field.meters[GRID] is None)
    least_pu = pu(config["ratings"]["genset_w"] or config["ratings"]["bess_w"]) // _LEAST_SHARE
    return Backup(isl, sense, field, snapshot, limits, utc, offset_min, least_pu)
