"""The SunSpec vectors are what pysunspec2 makes of the official model definitions: every point, three times.

`python3 -m tests.test_sunspec_vectors` writes them anew.
"""

import json
import random
from pathlib import Path

import pytest
from sunspec2 import mb, mdef
from sunspec2.device import Model, get_model_def

from firmware.drivers import ratio, sunspec, sunspec_models

VECTORS = Path(__file__).parent / "vectors"
MODELS = (1, 701, 702, 703, 704, 713, 715)
_SIGNED = {"int16": 16, "int32": 32}
_UNSIGNED = {"uint16": 16, "enum16": 16, "bitfield16": 16, "uint32": 32, "enum32": 32, "bitfield32": 32,
             "uint64": 64}
_KINDS = {"int16": ratio.S16, "uint16": ratio.U16, "int32": ratio.S32, "uint32": ratio.U32,
          "uint64": sunspec.U64, "enum16": sunspec.ENUM16, "bitfield16": sunspec.BITS16, "bitfield32": sunspec.BITS32,
          "sunssf": sunspec.SF, "string": sunspec.TEXT, "pad": sunspec.PAD}


def _lowest(pdef):
    kind = pdef["type"]
    if kind in _SIGNED:
        return 1 - (1 << (_SIGNED[kind] - 1))
    return {"sunssf": -10, "string": "A", "pad": 0}.get(kind, 0)


def _highest(pdef):
    kind = pdef["type"]
    if kind in _SIGNED:
        return (1 << (_SIGNED[kind] - 1)) - 1
    if kind in _UNSIGNED:
        return (1 << _UNSIGNED[kind]) - 2
    return {"sunssf": 10, "string": "Z" * 2 * pdef["size"], "pad": 0}[kind]


def _between(pdef):
    low, high = _lowest(pdef), _highest(pdef)
    if isinstance(low, str):
        return "Site " + pdef["name"]
    return random.Random(pdef["name"]).randint(low, high)


def _points(model_id):
    """Return [(name, point definition)] of a model in the order of its registers."""
    found = []

    def walk(group, prefix):
        found.extend((prefix + p["name"], p) for p in group["points"] if p["name"] not in ("ID", "L"))
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
        if value is not None:
            (data.setdefault(group, {}) if group else data)[point] = value
    return data


def image(model_id, data):
    """Return the registers of one model as pysunspec2 lays them out."""
    return bytes(Model(model_id, data=data).get_mb())


def _entry(model_id, choose):
    values = [choose(pdef) for _, pdef in _points(model_id)]
    return {"image": image(model_id, _data(model_id, choose)).hex(), "values": values}


def _missing(pdef):
    return 0 if pdef["type"] == "pad" else None


def point_vectors():
    """Return {model: [low, high, between, not implemented]}."""
    return {str(m): [_entry(m, choose) for choose in (_lowest, _highest, _between, _missing)] for m in MODELS}


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
    return {"base": 40000, "pcs": pcs, "wind": wind}


def _file(name):
    return VECTORS / f"sunspec_{name}.json"


def _compact(value):
    return json.dumps(value, separators=(",", ":")) + "\n"


@pytest.mark.parametrize("name, build", [("points", point_vectors), ("devices", device_vectors)])
def test_the_vectors_are_what_pysunspec2_makes(name, build):
    assert json.loads(_file(name).read_text()) == build()


@pytest.mark.parametrize("model_id", MODELS)
def test_every_point_stands_in_the_table_with_its_place_kind_and_scale(model_id):
    table = getattr(sunspec_models, f"MODEL_{model_id}")
    at = 2
    expected = []
    for name, pdef in _points(model_id):
        kind = pdef["type"]
        expected.append((at, _KINDS[kind], pdef["size"], pdef.get("sf"), name))
        at += pdef["size"]
    assert list(table) == expected


@pytest.mark.parametrize("model_id", MODELS)
def test_the_vectors_hold_extreme_and_missing_values_of_every_point(model_id):
    rows = json.loads(_file("points").read_text())[str(model_id)]
    for i, (name, pdef) in enumerate(_points(model_id)):
        low, high, _, missing = (row["values"][i] for row in rows)
        assert (low, high) == (_lowest(pdef), _highest(pdef)), name
        if pdef["type"] != "pad":
            assert missing is None
            blank = mb.create_unimpl_value(pdef["type"], len=2 * pdef["size"])
            assert blank in bytes.fromhex(rows[3]["image"])
    assert mdef.TYPE_PAD == "pad"


if __name__ == "__main__":
    _file("points").write_text(_compact(point_vectors()))
    _file("devices").write_text(_compact(device_vectors()))
