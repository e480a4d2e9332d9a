"""storage_records.csv and allocated_storage_records.csv: charge and discharge, and which charge a discharge was of.

The signed book mixes what is stored (weighted average). Allocation is a reader's first-in, first-out view of the same
signed flows: each charge is a layer of the Wh that can be taken out of it, each discharge takes from the oldest.
"""

from collections import deque
from math import gcd

from host_tools.export.periods import month_of
from host_tools.export.records import moment
from host_tools.export.table import Column, Table, fixed

RECORDS = Table("storage_records.csv", (
    Column("device_id", "text", "the battery, as site/device/bess"),
    Column("is_charging", "bool", "true: energy went in; false: it came out"),
    Column("flow_start_datetime", "time", "UTC, inclusive"), Column("flow_end_datetime", "time", "UTC, exclusive"),
    Column("flow_energy", "int", "Wh at the AC terminals, whole Wh rounded down"),
    Column("validator_id", "text", "empty: nobody but the board has validated it"),
), "Storage charge and discharge records in the columns of the EnergyTag registry. Not registered with any registry, "
   "not validated by an issuing body.")
ALLOCATED = Table("allocated_storage_records.csv", (
    Column("device_id", "text", "the battery, as site/device/bess"),
    Column("scr_allocation_id", "text", "the charge: device_id-start; initial: stored before the first record; "
           "true-up: found at an anchor of the state of charge"),
    Column("sdr_allocation_id", "text", "the discharge: device_id-start"),
    Column("sdr_proportion", ".9", "share of the discharge that is of this charge, rounded down"),
    Column("scr_allocation_methodology", "text", "FIFO over the signed flows; the signed carbon of the battery is a "
           "weighted average and does not follow this allocation"),
    Column("gc_allocation_id", "text", "empty: no certificate was cancelled for the charge"),
    Column("sdgc_allocation_id", "text", "the bundle in gc_like.json for this discharge"),
    Column("efficiency_factor_methodology", "text", "how the efficiency was reckoned"),
    Column("efficiency_factor_interval_start", "time", "UTC: month of the discharge, cut to the range"),
    Column("efficiency_factor_interval_end", "time", "UTC"),
    Column("storage_efficiency_factor", ".6", "discharged Wh and change of the stored Wh, over charged Wh; rounded "
           "down; empty where nothing was charged, or outside 0 to 1"),
), "Which charge each discharge was of, in the columns of the EnergyTag registry. Not an allocation of issued "
   "certificates: none were issued or cancelled.")
_METHOD = "(discharged + change of stored energy) / charged, metered at the AC terminals, parasitic losses in it"


def device_id(reading):
    """Name the battery."""
    return f"{reading.owner}/bess"


def record_rows(reading):
    """Return a row for each flow; an interval may have both."""
    rows = []
    for entry in reading.intervals:
        for charging, energy_wh in ((True, entry.record[24][1]), (False, entry.record[23][4])):
            if energy_wh and entry.record[9] is not None:
                rows.append([device_id(reading), charging, moment(entry.record[9]), moment(entry.end_ms), energy_wh,
                             None])
    return rows


class Layers:
    """The stored energy in layers, oldest first; their sum is the pool's energy, always."""

    def __init__(self):
        self.layers = deque()
        self.sum_wh = 0

    def add(self, name, energy_wh):
        """Lay energy on top."""
        if energy_wh > 0:
            self.layers.append([name, energy_wh])
            self.sum_wh += energy_wh

    def take(self, energy_wh):
        """Take the oldest energy; return [(name, Wh)]."""
        taken = []
        while energy_wh > 0 and self.layers:
            name, there_wh = self.layers[0]
            part_wh = min(there_wh, energy_wh)
            taken.append((name, part_wh))
            energy_wh -= part_wh
            self.sum_wh -= part_wh
            if part_wh == there_wh:
                self.layers.popleft()
            else:
                self.layers[0][1] = there_wh - part_wh
        return taken

    def match(self, name, energy_wh):
        """Make the sum what the record says."""
        self.add(name, energy_wh - self.sum_wh)
        self.take(self.sum_wh - energy_wh)


def allocated_rows(reading):
    """Return a row for each pair of charge and discharge, from the first record on, of discharges in the range."""
    layers, rows = Layers(), []
    wanted = {id(entry) for entry in reading.entries}
    factors = efficiencies(reading)
    name = "initial"
    for entry in reading.all:
        record = entry.record
        if 27 not in record:
            continue
        layers.match(name, record[27][0])
        name = "true-up"
        if entry.is_interval:
            taken = layers.take(min(record[23][4], record[27][0]))
            if taken and id(entry) in wanted and record[9] is not None:
                rows += _pairs(reading, entry, taken, factors)
            layers.add(_flow_id(reading, record), record[24][1] - record[29])
        layers.match(name, record[28][0])
    return rows


def _flow_id(reading, record):
    """Name a flow by its start; without UTC by the record's number."""
    return f"{device_id(reading)}-{moment(record[9]) or 'record-' + str(record[3])}"


def _pairs(reading, entry, taken, factors):
    record, discharged_wh = entry.record, entry.record[23][4]
    begin, end, factor = factors[month_of(record[9])]
    bundle = _flow_id(reading, record)
    return [[device_id(reading), name, bundle, fixed(part_wh // gcd(part_wh, discharged_wh),
                                                     discharged_wh // gcd(part_wh, discharged_wh), 9),
             "FIFO", None, bundle, _METHOD, moment(begin), moment(end), factor] for name, part_wh in taken]


def efficiencies(reading):
    """Return {month: (start_ms, end_ms, factor as text or None)} of the range; a month is never over six."""
    sums = {}
    for entry in reading.intervals:
        record = entry.record
        if record[9] is None:
            continue
        row = sums.setdefault(month_of(record[9]), [record[9], 0, 0, 0, record[27][0], 0])
        row[1] = entry.end_ms
        row[2] += record[24][1]
        row[3] += record[23][4]
        row[5] = record[28][0]
    found = {}
    for month, (begin, end, charged, discharged, first, last) in sums.items():
        out = discharged + last - first
        found[month] = begin, end, fixed(out, charged, 6) if 0 <= out <= charged else None
    return found

