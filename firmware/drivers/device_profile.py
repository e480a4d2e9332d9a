"""Profiles are modules, found by name: a new device is a new file in its role's folder, and nothing else."""

import sys

FOLDERS = {"pcs": "pcs", "wind_limit": "limiters", "pv_limit": "limiters", "genset_control": "gensets", "bms": "bms"}


def load(role, name):
    """Return the module that describes a device: its tables, facts and DRIVER. Start-up only."""
    path = "firmware.drivers.%s.%s" % (FOLDERS[role], name)
    __import__(path)
    return sys.modules[path]


def make(row, bus, scale, reversion_s, rating_w):
    """Return the driver of one row of site.json's devices."""
    profile = load(row["role"], row["profile"])
    return profile.DRIVER(bus, row["unit"], scale, reversion_s=reversion_s, timeout_us=row["timeout_ms"] * 1000,
                          profile=profile, rating_w=rating_w)
