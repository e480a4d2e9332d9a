"""Every register row of every table of a PCS or a genset has a vector, and agrees with it both ways."""

import json

import build_info

from firmware.drivers import regmap
from firmware.drivers.line.bus import Bus
from firmware.drivers.profile import Profiles
from firmware.drivers.regmap import Scale
from firmware.drivers.table_pcs import SETPOINT, TIMEOUT_S
from tests.fakes_bus import FakeClock, FakeSerial

_PROFILES = Profiles(build_info.PROFILES, None, build_info.DEVICES)
_ROLES = {"pcs": "pcs", "gensets": "genset_control"}
_TIMEOUT_S = 60


def _tables():
    """Yield (profile's module, its vectors) of what is described by tables of its own, one after the other."""
    for folder, role in _ROLES.items():
        for name in build_info.DEVICES[folder]:
            module = _PROFILES.device(role, name)
            if hasattr(module, "READS"):
                with open("tests/vectors/%s/%s.json" % (folder, name)) as file:
                    vectors = json.load(file)
                yield module, vectors


def _words(text):
    return [int(word, 16) for word in text.split(" ")]


def _bytes(text):
    data = bytearray(2)
    for word in _words(text):
        data.append(word >> 8)
        data.append(word & 0xFF)
    return data


def test_every_row_that_is_read_has_a_vector_and_agrees_with_it():
    for module, vectors in _tables():
        seen = set()
        for address, name, raw, expected, unit in vectors["reads"]:
            row = regmap.find(module.READS, name)
            assert row[0] == address and name.split("_")[-1] == unit
            assert len(_words(raw)) == regmap.words(row[1]), name
            assert regmap.value(row, _bytes(raw), 2) == expected, (name, raw)
            seen.add(name)
        assert seen == set(row[4] for row in module.READS)
        addresses = [row[0] for row in module.READS]
        assert addresses == sorted(set(addresses))


def _driver(module, rating_w):
    clock = FakeClock()
    bus = Bus(FakeSerial(clock, 115_200), clock, 115_200)
    return module.DRIVER(bus, 1, Scale(1), reversion_s=_TIMEOUT_S, profile=module, rating_w=rating_w)


def test_every_row_that_is_written_has_a_vector_and_agrees_with_it():
    for module, vectors in _tables():
        if not hasattr(module, "COMMAND"):
            continue
        pcs = _driver(module, 1_000_000)
        rows = module.COMMAND + module.SETTINGS + module.START + (() if module.FEED is None else (module.FEED,))
        seen = set()
        for address, name, value, raw, unit in vectors["writes"]:
            row = [row for row in rows if row[4] == name][0]
            assert row[0] == address and name.split("_")[-1] == unit
            expected = _words(raw)
            if row[5] == SETPOINT:
                pcs._fill(value)
                assert pcs.asked_pu() == value
                at = row[0] - module.COMMAND[0][0]
                assert list(pcs._registers)[at:at + len(expected)] == expected, (name, value)
            else:
                assert value == (_TIMEOUT_S if row[5] == TIMEOUT_S else row[5])
                registers = [0] * len(expected)
                pcs._store(registers, 0, row)
                assert registers == expected, name
            seen.add(name)
        assert seen == set(row[4] for row in rows)


def test_every_block_lies_within_what_one_request_may_ask_for():
    for module, _ in _tables():
        blocks = (module.FAST,) + module.SLOW
        if getattr(module, "BACK", None):
            blocks += (module.BACK,)
        for block in blocks:
            assert block[1] <= module.MAX_READ


def test_what_a_pcs_cannot_express_is_clamped():
    for module, _ in _tables():
        if hasattr(module, "COMMAND"):
            pcs = _driver(module, 1_000_000_000)
            pcs._fill(1 << 20)
            assert pcs.asked_pu() == pcs.high_pu <= 0xFFFFF
            pcs._fill(-(1 << 20))
            assert pcs.asked_pu() == -pcs.high_pu


def test_the_numbers_of_the_kinds_are_those_of_the_drivers():
    from firmware.drivers import ratio, sunspec, sunspec_models, sunspec_models_100, sunspec_models_storage

    for module, _ in _tables():
        for kind in ("S16", "U16", "S32", "U32"):
            assert getattr(module, "_" + kind, getattr(ratio, kind)) == getattr(ratio, kind)
    for module in (sunspec_models, sunspec_models_100, sunspec_models_storage):
        for kind in ("S16", "U16", "S32", "U32", "F32", "ENUM16", "BITS16", "BITS32", "U64", "SF", "TEXT", "PAD",
                     "ACC32", "ACC64"):
            there = sunspec if hasattr(sunspec, kind) else ratio
            assert getattr(module, kind, getattr(there, kind)) == getattr(there, kind), kind
