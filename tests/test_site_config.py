"""site.json: a wrong one is refused with the key's path and what is allowed there."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.core.errors import ConfigError
from firmware.site.config import load
from firmware.site.schema import ENUM, INT, LIST, REQUIRED, ROWS, TEXT
from host_tools.commands import schema

EDGE = json.loads(Path("host_tools/sites/edge.json").read_text(encoding="utf-8"))


def refused(site):
    """Return the sentence with which a site is refused."""
    with pytest.raises(ConfigError) as caught:
        load(json.dumps(site).encode())
    assert caught.value.code == "CONFIG"
    return caught.value.detail


def changed(path, value):
    """Return the edge site with one key changed; value ... removes it."""
    site = copy.deepcopy(EDGE)
    *parents, key = path
    node = site
    for name in parents:
        node = node[name]
    if value is ...:
        del node[key]
    else:
        node[key] = value
    return site


@pytest.mark.parametrize("name", ["edge", "hyperscale"])
def test_the_reference_sites_are_accepted(name):
    with open(f"host_tools/sites/{name}.json", "rb") as file:
        config, digest = load(file.read())
    assert config["site"]["id"] == name and len(digest) == 32


@pytest.mark.parametrize(("path", "value", "expected"), [
    (("limits", "grid_export_kw"), 5, ["limits.grid_export_kw", "unknown key", "grid_export_w"]),
    (("control", "period_ms"), 5, ["control.period_ms", "5 is not allowed", "from 20 to 60000 ms"]),
    (("control", "period_ms"), 50.5, ["control.period_ms", "50.5 is not allowed"]),
    (("control", "period_ms"), True, ["control.period_ms", "true is not allowed"]),
    (("control", "policy"), "fast", ["control.policy", "one of self_consumption, smooth"]),
    (("limits", "grid_import_w"), ..., ["limits.grid_import_w", "missing", "0 to 1000000000 W"]),
    (("ratings", "bess_w"), -1, ["ratings.bess_w", "-1 is not allowed"]),
    (("site", "id"), "a b", ["site.id", "letters, digits"]),
    (("devices", 1, "unit"), 1, ["devices[1].unit", "bus 0 unit 1 is taken by devices[0]"]),
    (("devices", 1, "unit"), 248, ["devices[1].unit", "1 to 247"]),
    (("devices", 0, "bus"), 7, ["devices[0].bus", "there is no bus 7", "0, 1"]),
    (("devices", 0, "profile"), "SDM630", ["devices[0].profile", "small letters, digits"]),
    (("devices", 4, "role"), "pv_limit", ["pv_limit needs a device with the role pv", "add its meter"]),
    (("devices", 4, "role"), "genset_control", ["genset_control needs a device with the role genset"]),
    (("devices", 0, "role"), "grid", ["devices", "no device has the role load"]),
    (("devices", 2, "role"), "pv", ["ratings.wind_w", "no device has the role wind"]),
    (("buses", 1, "id"), 0, ["buses[1].id", "0 is taken by buses[0]"]),
    (("buses",), [], ["buses", "a list of 1 to 4"]),
    (("limits", "soc_min_permille"), 1000, ["limits.soc_min_permille", "1000 is not below"]),
    (("limits",), 3, ["limits", "an object"]),
])
def test_a_wrong_key_is_named_with_what_is_allowed(path, value, expected):
    sentence = refused(changed(path, value))
    for part in expected:
        assert part in sentence


def test_a_role_twice_is_refused():
    site = copy.deepcopy(EDGE)
    site["devices"].append({"role": "load", "profile": "sdm630", "bus": 0, "unit": 9})
    assert "devices[5].role: load is already the role of devices[0]" in refused(site)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff{}", b'{"version": 1,}', b"{" + b" " * 20_000 + b"}"])
def test_what_is_not_a_site_is_refused(text):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert caught.value.detail.startswith("site.json: ")


JUNK = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                    max_leaves=6)


@given(st.sampled_from([row[0] for row in ROWS if "[]" not in row[0]]), JUNK)
def test_property_any_value_anywhere_is_taken_or_refused_in_words(path, value):
    site = changed(("site", "id"), "edge")
    *parents, key = path.split(".")
    node = site
    for name in parents:
        node = node.setdefault(name, {})
    node[key] = value
    try:
        load(json.dumps(site).encode())
    except ConfigError as error:
        assert ": " in error.detail


@given(JUNK)
def test_property_no_document_ends_in_anything_but_a_sentence(document):
    with pytest.raises(ConfigError):
        load(json.dumps(document).encode())


@pytest.mark.parametrize("row", [row for row in ROWS if row[1] == INT and "[]" not in row[0]], ids=lambda row: row[0])
def test_every_range_ends_where_it_says(row):
    """Just outside is refused by this row; just inside is never refused by it."""
    path = tuple(row[0].split("."))
    for value, good in ((row[2] - 1, False), (row[2], True), (row[3], True), (row[3] + 1, False)):
        node = site = copy.deepcopy(EDGE)
        for name in path[:-1]:
            node = node.setdefault(name, {})
        node[path[-1]] = value
        try:
            load(json.dumps(site).encode())
            sentence = ""
        except ConfigError as error:
            sentence = error.detail
        assert (f"{row[0]}: {value} is not allowed" in sentence) == (not good)


def test_the_schema_file_is_the_table():
    written = json.loads(schema.PATH.read_text(encoding="utf-8"))
    made = schema.schema()
    profile = made["properties"]["devices"]["items"]["properties"]["profile"]
    assert {"sdm630", "sunspec_der"} < set(profile["examples"])
    # which meters there are is a list for people, and a new one makes no file wrong
    written["properties"]["devices"]["items"]["properties"]["profile"]["examples"] = profile["examples"]
    assert written == made


def test_every_row_has_a_meaning_and_a_kind():
    for path, kind, low, high, default, _unit, meaning in ROWS:
        assert kind in (INT, TEXT, ENUM, LIST) and meaning, path
        if kind == INT:
            assert low <= high
        if default is not REQUIRED and kind == INT:
            assert low <= default <= high, path
