"""The SunSpec vectors are what pysunspec2 makes of the official model definitions: every point, three times.

`python3 -m tests.test_sunspec_vectors` writes them anew.
"""

import json
import random
import struct
from pathlib import Path

import pytest
from sunspec2 import mb, mdef
from sunspec2.device import Model, get_model_def

from firmware.drivers import (
    ratio,
    sunspec,
    sunspec_models,
    sunspec_models_100,
    sunspec_models_200,
    sunspec_models_storage,
)

VECTORS = Path(__file__).parent / "vectors"
MODELS = (1, 103, 113, 120, 121, 122, 123, 124, 701, 702, 703, 704, 713, 714, 715, 802)
METERS = (203, 213)  # in a file of their own: a small board has no room for all
ALIKE = {201: 203, 202: 203, 203: 203, 204: 203, 211: 213, 212: 213, 213: 213, 214: 213}
_SIGNED = {"int16": 16, "int32": 32}
_UNSIGNED = {"uint16": 16, "enum16": 16, "bitfield16": 16, "uint32": 32, "enum32": 32, "bitfield32": 32,
             "uint64": 64}
_COUNTING = {"acc32": 32, "acc64": 64}  # 0 is "not implemented"
TABLES = {int(name[6:]): getattr(module, name)
          for module in (sunspec_models, sunspec_models_100, sunspec_models_200, sunspec_models_storage)
          for name in dir(module) if name.startswith("MODEL_")}
_REPEATING = ("Prt",)  # a group that stands as often as a point says: here once
_COUNT = "NPrt"
_FLOAT = "float32"  # as its bits
_KINDS = {"int16": ratio.S16, "uint16": ratio.U16, "int32": ratio.S32, "uint32": ratio.U32,
          "uint64": sunspec.U64, "enum16": sunspec.ENUM16, "bitfield16": sunspec.BITS16, "bitfield32": sunspec.BITS32,
          "float32": sunspec.F32, "acc32": sunspec.ACC32,
          "acc64": sunspec.ACC64, "sunssf": sunspec.SF, "string": sunspec.TEXT, "pad": sunspec.PAD}


def _lowest(pdef):
    kind = pdef["type"]
    if pdef["name"] == _COUNT:
        return 1
    if kind in _SIGNED:
        return 1 - (1 << (_SIGNED[kind] - 1))
    return {"sunssf": -10, "string": "A", "pad": 0, "acc32": 1, "acc64": 1, _FLOAT: 0xFF7FFFFF}.get(kind, 0)


def _highest(pdef):
    kind = pdef["type"]
    if pdef["name"] == _COUNT:
        return 1
    if kind in _SIGNED:
        return (1 << (_SIGNED[kind] - 1)) - 1
    if kind in _UNSIGNED:
        return (1 << _UNSIGNED[kind]) - 2
    if kind in _COUNTING:
        return (1 << _COUNTING[kind]) - 1
    return {_FLOAT: 0x7F7FFFFF, "sunssf": 10, "string": "Z" * 2 * pdef["size"], "pad": 0}[kind]


def _between(pdef):
    low, high = _lowest(pdef), _highest(pdef)
    if isinstance(low, str):
        return ("Site " + pdef["name"])[:2 * pdef["size"]]
    if pdef["type"] == _FLOAT:
        return int.from_bytes(struct.pack(">f", random.Random(pdef["name"]).uniform(-1e6, 1e6)), "big")
    return random.Random(pdef["name"]).randint(low, high)


def _points(model_id):
    """Return [(name, point definition)] of a model in the order of its registers."""
    found = []

    def walk(group, prefix):
        found.extend((prefix + p["name"], p) for p in group["points"] if prefix or p["name"] not in ("ID", "L"))
        for inner in group.get("groups", []):
            walk(inner, inner["name"] + ".")

    walk(get_model_def(model_id)["group"], "")
    return found


def _data(model_id, choose):
    """Return the value of every point in the form that pysunspec2's Model takes."""
    data = {}
    for name, pdef in _points(model_id):
        group, _, point = name.rpartition(".")
        value = choose(pdef)
        if pdef["type"] == _FLOAT and value is not None:
            value, = struct.unpack(">f", value.to_bytes(4, "big"))
        if value is not None:
            _into(data, group)[point] = value
        elif group in _REPEATING:
            _into(data, group)
    return data


def _into(data, group):
    """Return the dict that holds a group's points; a group that repeats stands once."""
    if not group:
        return data
    if group in _REPEATING:
        return data.setdefault(group, [{}])[0]
    return data.setdefault(group, {})


def image(model_id, data):
    """Return the registers of one model as pysunspec2 lays them out."""
    return bytes(Model(model_id, data=data).get_mb())


def _entry(model_id, choose):
    values = [choose(pdef) for _, pdef in _points(model_id)]
    return {"image": image(model_id, _data(model_id, choose)).hex(), "values": values}


def _missing(pdef):
    return {"pad": 0}.get(pdef["type"], 1 if pdef["name"] == _COUNT else None)


def point_vectors(models=MODELS):
    """Return {model: [low, high, between, not implemented]}."""
    return {str(m): [_entry(m, choose) for choose in (_lowest, _highest, _between, _missing)] for m in models}


def meter_vectors():
    """Return the same of the meters."""
    return point_vectors(METERS)


def _chain(*models):
    return (b"SunS" + b"".join(image(m, data) for m, data in models) + b"\xff\xff\x00\x00").hex()


def device_vectors():
    """Return the register images of a 100 MW PCS, a wind plant, and a device with odd corners."""
    wset = {"WSetEna": 0, "WSetMod": 0, "WSet": 0, "WSetRvrt": 5, "WSetPct": 250, "WSetPctRvrt": -10,
            "WSetEnaRvrt": 0, "WSetRvrtTms": 3600, "WSetRvrtRem": 0, "WSet_SF": 1, "WSetPct_SF": -1}
    limit = {"WMaxLimPctEna": 0, "WMaxLimPct": 10000, "WMaxLimPctRvrt": 10000, "WMaxLimPctEnaRvrt": 0,
             "WMaxLimPctRvrtTms": 0, "WMaxLimPctRvrtRem": 0, "WMaxLimPct_SF": -2}
    capacity = {"WMaxRtg": 10500, "WMax": 10000, "WChaRteMaxRtg": 9000, "WDisChaRteMaxRtg": 10000,
                "WChaRteMax": 8000, "W_SF": 4}
    running = {"St": 1, "InvSt": 3, "ConnSt": 1, "Alrm": 0, "W": -2500, "W_SF": 4}
    pcs = _chain((1, {"Mn": "M", "Md": "P", "SN": "1"}), (713, {"SoC": 5125, "Sta": 1, "Pct_SF": -2}),
                 (703, {"ES": 1}), (1, {"Mn": "twice"}), (704, {**wset, **limit}), (702, capacity), (2, {}),
                 (715, {"LocRemCtl": 0, "DERHb": 7, "ControllerHb": 0, "OpCtl": 1}), (701, running))
    wind = _chain((1, {"Mn": "W", "Md": "P", "SN": "2"}), (701, {**running, "W": 3000, "W_SF": 3}),
                  (702, {"WMaxRtg": 5001, "W_SF": 3}), (704, limit))
    inverter = (103, {"St": 4, "W": -1234, "W_SF": 1, "Hz": 5001, "Hz_SF": -2})
    rated = ((120, {"DERTyp": 82, "WRtg": 3300, "WRtg_SF": 1, "MaxChaRte": 2500, "MaxChaRte_SF": 1,
                    "MaxDisChaRte": 3000, "MaxDisChaRte_SF": 1}), (121, {"WMax": 3000, "WMax_SF": 1}))
    storage = (124, {"WChaMax": 3000, "WChaMax_SF": 1, "StorCtl_Mod": 0, "ChaState": 5125, "ChaState_SF": -2,
                     "ChaSt": 4, "OutWRte": 10000, "InWRte": 10000, "InOutWRte_WinTms": 0, "InOutWRte_RvrtTms": 0,
                     "InOutWRte_RmpTms": 0, "InOutWRte_SF": -2})
    plant = (123, {"Conn": 1, "WMaxLimPct": 1000, "WMaxLimPct_WinTms": 0, "WMaxLimPct_RvrtTms": 0,
                   "WMaxLimPct_RmpTms": 7, "WMaxLim_Ena": 0, "WMaxLimPct_SF": -1})
    float_one = (113, {"St": 4, "W": -12345.6, "Hz": 50.0})
    battery = (802, {"SoC": 5125, "SoH": 98, "SoC_SF": -2, "SoH_SF": 0, "LocRemCtl": 0, "Hb": 3, "CtrlHb": 0,
                     "State": 3})
    one = (1, {"Mn": "I", "Md": "S", "SN": "3"})
    return {"base": 40000, "pcs": pcs, "wind": wind, "storage": _chain(one, storage, *rated, inverter),
            "storage_float": _chain(one, float_one, *rated, storage), "plant": _chain(one, *rated, inverter, plant),
            "plant_float": _chain(one, float_one, plant, *rated), "battery": _chain(one, battery)}


def _file(name):
    return VECTORS / f"sunspec_{name}.json"


def _compact(value):
    return json.dumps(value, separators=(",", ":")) + "\n"


@pytest.mark.parametrize("name, build", [("points", point_vectors), ("meters", meter_vectors),
                                         ("devices", device_vectors)])
def test_the_vectors_are_what_pysunspec2_makes(name, build):
    assert json.loads(_file(name).read_text()) == build()


@pytest.mark.parametrize("model_id", MODELS + METERS)
def test_every_point_stands_in_the_table_with_its_place_kind_and_scale(model_id):
    table = TABLES[model_id]
    at = 2
    expected = []
    for name, pdef in _points(model_id):
        kind = pdef["type"]
        sf = pdef.get("sf")
        expected.append((at, _KINDS[kind], pdef["size"], sf and sf.strip(), name))
        at += pdef["size"]
    assert list(table) == expected


@pytest.mark.parametrize("model_id", ALIKE)
def test_models_of_meters_agree_point_by_point(model_id):
    table = TABLES[ALIKE[model_id]]
    assert [pdef["size"] for _, pdef in _points(model_id)] == [row[2] for row in table]
    for choose in (_lowest, _highest, _between, _missing):
        data = image(model_id, _data(model_id, choose))
        for row, (name, pdef) in zip(table, _points(model_id)):
            assert sunspec.point(row, data, 2 * row[0]) == choose(pdef), (model_id, name)


@pytest.mark.parametrize("model_id", MODELS + METERS)
def test_the_vectors_hold_extreme_and_missing_values_of_every_point(model_id):
    rows = json.loads(_file("meters" if model_id in METERS else "points").read_text())[str(model_id)]
    for i, (name, pdef) in enumerate(_points(model_id)):
        low, high, _, missing = (row["values"][i] for row in rows)
        assert (low, high) == (_lowest(pdef), _highest(pdef)), name
        if pdef["type"] != "pad" and pdef["name"] != _COUNT:
            assert missing is None
            blank = mb.create_unimpl_value(pdef["type"], len=2 * pdef["size"])
            assert blank in bytes.fromhex(rows[3]["image"])
    assert mdef.TYPE_PAD == "pad"


if __name__ == "__main__":
    _file("points").write_text(_compact(point_vectors()))
    _file("meters").write_text(_compact(meter_vectors()))
    _file("devices").write_text(_compact(device_vectors()))
