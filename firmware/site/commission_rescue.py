"""The way to zero when the commissioning procedure was broken off in the middle of something: nothing is trusted."""

from firmware.core import ticks

_ACK_MS = 5000
_POLLS = 100


def to_zero(station):
    """Set the PCS to zero when nothing else is known to work; return whether it took it."""
    for way in (_anew, _as_it_is, _anew, _as_it_is):
        try:
            station.platform.collect()
            if way(station):
                return True
        except (KeyboardInterrupt, MemoryError):
            continue
    return False


def _anew(station):
    """Find the PCS through a bus of its own, which sets it to zero: alone, for there is little memory left."""
    config = dict(station.config)
    config["devices"] = [row for row in config["devices"] if row["role"] == "pcs"]
    config["buses"] = [row for row in config["buses"] if row["id"] == config["devices"][0]["bus"]]
    field = station.make_field(config)
    for rest_us in field.pcs.start():
        field.poll()
        station.platform.idle(rest_us or 1000)
    return field.pcs.ready


def _as_it_is(station):
    """Command zero through what there is, until it is acknowledged or its time is over."""
    platform, pcs = station.platform, station.field.pcs
    begin_ms = platform.ms()
    count = pcs.applied.count
    while ticks.diff(platform.ms(), begin_ms) < _ACK_MS:
        pcs.command(0)
        for _ in range(_POLLS):
            station.field.poll()
            platform.idle(1000)
        if pcs.applied.count != count and pcs.applied.value == 0:
            return True
    return False
