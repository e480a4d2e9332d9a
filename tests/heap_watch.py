"""The firmware in lockstep, telling once an hour how much of the heap is in use behind a collection. Unix VM only."""

import gc

from firmware import main

_HOUR_S = 3600
_told = [0]
_each_second = main.Station.each_second


def _watched(station):
    _each_second(station)
    hour = station.utc.up_s // _HOUR_S
    if hour != _told[0]:
        _told[0] = hour
        gc.collect()
        gc.collect()
        station.platform.report("M", f"heap {gc.mem_alloc()}")


def run(root):
    """Run the firmware in the folder `root`."""
    main.Station.each_second = _watched
    main.run("lockstep", root)
