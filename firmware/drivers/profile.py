"""The profile of a meter: its register table and what its requests must respect, from a module or the user's file.

A profile is a module of drivers.meters, found by its name; nothing has to be told about a new one. Its constants:

DOCUMENT     the document that the table comes from
FUNCTION     3 or 4, the Modbus function that reads it
MAX_READ     registers that one request may ask for
STEP         addresses and counts are multiples of this (1)
GAP_US       shortest pause after a transaction (0)
TURNAROUND_US  typical pause before an answer; the bus schedule counts with it
REFRESH_MS   how often the meter has new values, 0 where its document does not say (0)
COUNTER      address of a register that moves with each new sample, None (None)
EXTRA        words that every second power read runs on, so that two answers in a row differ; by default those
             of the next value, where it stands right behind the power, else none
HYPOTHETICAL no such meter is on the market: figures got with it say so (False)
TABLE        (address, kind, num, den, name): raw * num / den in the unit that ends the name
DRIVER       instead of TABLE: a class to be used like meter.Meter, which finds the meter's registers by itself
"""

from firmware.core.errors import ConfigError
from firmware.drivers import regmap

_PACKAGE = "firmware.drivers.%s.%s"
_FOLDER = "profiles/"
# Where the profiles of what is commanded lie, or gives the state of charge: modules with a DRIVER, found by name too.
FOLDERS = {"pcs": "pcs", "wind_limit": "limiters", "pv_limit": "limiters", "genset_control": "gensets", "bms": "bms"}


class Profile:
    """One meter type; `facts` holds what a module states, by the same names in lower case."""

    def __init__(self, name, facts):
        self.name = name
        self.document = facts["document"]
        self.function = facts["function"]
        self.max_read = facts["max_read"]
        self.step = facts["step"]
        self.gap_us = facts["gap_us"]
        self.turnaround_us = facts["turnaround_us"]
        self.refresh_ms = facts["refresh_ms"]
        self.counter = facts["counter"]
        self.hypothetical = facts["hypothetical"]
        self.table = facts["table"]
        self.driver = facts.get("driver")  # a class instead of a table: the meter itself says what stands where
        self.fast_address = 0
        self.fast_count = self.fast_extra = 1  # of the power read
        if self.table:
            row = regmap.find(self.table, "power_w")
            self.fast_address = row[0]
            self.fast_count = regmap.words(row[1])
            self.fast_extra = self._extra(facts["extra"])  # every second one is this much longer

    def _extra(self, extra):
        end = self.fast_address + self.fast_count
        if self.counter is not None:
            return self.counter + 1 - end
        if extra is not None:
            return extra
        for row in self.table:
            if row[0] == end:
                return regmap.words(row[1])
        return 0


class Profiles:
    """Where profiles come from.

    `known` names the firmware's modules of meters, `devices` those of other folders, {folder: names}; `read(path)`
    reads the files of the board's folder.
    """

    def __init__(self, known, read=None, devices=None):
        self._known = known
        self._made = {}  # by name: meters of one type share theirs
        self._read = read
        self._devices = devices or {}

    def load(self, name, where="profile"):
        """Return the Profile of a name; raises ConfigError at `where` for one that is not known."""
        if name not in self._made:
            self._made[name] = self._make(name, where)
        return self._made[name]

    def _make(self, name, where):
        if name in self._known:
            return of_module(name, _module("meters", name))
        path = "%s%s.json" % (_FOLDER, name)
        data = self._read(path) if self._read else None
        if data is None:
            text = "%s: \"%s\" is not known; give one of %s, or put your own table into %s in the board's folder"
            raise ConfigError("CONFIG", text % (where, name, ", ".join(self._known), path))
        from firmware.drivers.profile_file import parse

        return Profile(name, parse(path, data))

    def device(self, role, name, where="profile"):
        """Return the module of a role that is commanded; raises ConfigError at `where` for one that is not known."""
        folder = FOLDERS[role]
        known = self._devices.get(folder, ())
        if name not in known:
            raise ConfigError("CONFIG", "%s: %s cannot be a %s; allowed: %s" % (where, name, role, ", ".join(known)))
        return _module(folder, name)


def _module(folder, name):
    return __import__(_PACKAGE % (folder, name), None, None, ("DOCUMENT",))


def of_module(name, module):
    """Return the Profile that a module states."""
    from firmware.drivers.profile_file import KEYS

    facts = {}
    for row in KEYS:
        facts[row[0]] = getattr(module, row[0].upper(), row[4])
    facts["table"] = getattr(module, "TABLE", ())
    facts["driver"] = getattr(module, "DRIVER", None)
    return Profile(name, facts)
