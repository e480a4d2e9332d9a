"""A meter's profile without touching the firmware: the user's own file, and a new module with its vectors."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.core.errors import ConfigError
from firmware.core.types import WIND
from firmware.drivers import profile_file
from firmware.drivers.profile import Profile, Profiles
from firmware.hal.files import Files
from tests import fakes_station

ROOT = Path(__file__).resolve().parents[1]
MINE = {
    "document": "Example works, EX-1 manual, page 12", "function": 3, "max_read": 16, "turnaround_us": 20000,
    "table": [[102, "s32_low", 1, 10, "power_w"], [104, "u16", 100, 1, "frequency_mhz"],
              [100, "u32", 100, 1, "import_wh"]],
}


def parsed(document):
    return profile_file.parse("profiles/mine.json", json.dumps(document).encode())


def test_the_users_own_file_is_a_profile():
    profile = Profile("mine", parsed(MINE))
    assert [row[0] for row in profile.table] == [100, 102, 104]
    assert (profile.fast_address, profile.fast_count, profile.fast_extra) == (102, 2, 1)
    assert (profile.step, profile.gap_us, profile.refresh_ms, profile.counter, profile.hypothetical) == (1, 0, 0, None,
                                                                                                          False)


def test_the_example_in_the_readme_is_one():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = text.split('```json\n{"document"')[1].split("```")[0]
    profile = Profile("mymeter", profile_file.parse("profiles/mymeter.json", ('{"document"' + example).encode()))
    assert (profile.fast_address, profile.fast_count, len(profile.table)) == (52, 2, 3)


def with_row(*row):
    return {**MINE, "table": [MINE["table"][0], list(row)]}


@pytest.mark.parametrize(("document", "expected"), [
    ({**MINE, "colour": 1}, ['key: "colour"', "document"]),
    ({key: MINE[key] for key in MINE if key != "function"}, ["function: null", "3 or 4"]),
    ({**MINE, "function": 6}, ["function: 6", "3 or 4"]),
    ({**MINE, "function": True}, ["function: true", "3 or 4"]),
    ({**MINE, "document": ""}, ['document: ""', "1 to 200 characters"]),
    ({**MINE, "max_read": 126}, ["max_read: 126", "1 to 125"]),
    ({**MINE, "gap_us": -1}, ["gap_us: -1", "0 to 1000000"]),
    ({**MINE, "hypothetical": 1}, ["hypothetical: 1", "true or false"]),
    ({**MINE, "counter": 100}, ["counter: 100", "104 to 117"]),
    ({**MINE, "extra": 15}, ["extra: 15", "up to 14"]),
    ({**MINE, "table": {}}, ["table: {}", "1 to 64 rows"]),
    ({**MINE, "table": [[1, "u16", 1, 1, "frequency_mhz"]]}, ["table", "no power_w"]),
    (with_row(1, "u16", 1), ["table[1]", "[address, kind, num, den, name]"]),
    (with_row(1, "u17", 1, 1, "import_wh"), ['table[1] kind: "u17"', "f32_low", "u64"]),
    (with_row(65535, "u32", 1, 1, "import_wh"), ["table[1] address: 65535", "0 to 65534"]),
    (with_row("1", "u32", 1, 1, "import_wh"), ['table[1] address: "1"']),
    (with_row(1, "u32", 0, 1, "import_wh"), ["table[1] num: 0", "1 to 1000000"]),
    (with_row(1, "u32", 1, 1.5, "import_wh"), ["table[1] den: 1.5"]),
    (with_row(1, "u32", 1, 1, "import_kwh"), ['table[1] name: "import_kwh"', "wh"]),
    (with_row(1, "u32", 1, 1, "Import_wh"), ['table[1] name: "Import_wh"', "lower-case"]),
    (with_row(1, "u32", 1, 1, "power_w"), ['table[1] name: "power_w"', "each name once"]),
    (with_row(103, "u32", 1, 1, "import_wh"), ["import_wh: 103", "registers that power_w does not have"]),
    ({**MINE, "table": [[1, "s64", 1, 1, "power_w"]]}, ["power_w kind", "16 or 32 bits"]),
    ({**MINE, "table": [[1, "s32", 20000, 1, "power_w"]]}, ["power_w num: 20000", "16383"]),
    ({**MINE, "step": 2, "table": [[3, "s32", 1, 1, "power_w"]]}, ["table[0] address: 3", "multiple of step (2)"]),
    ({**MINE, "step": 2, "table": [[2, "s16", 1, 1, "power_w"]]}, ["table[0] kind", "step (2)"]),
])
def test_a_mistake_is_named_with_what_is_allowed(document, expected):
    with pytest.raises(ConfigError) as caught:
        parsed(document)
    assert caught.value.detail.startswith("profiles/mine.json: ")
    for part in expected:
        assert part in caught.value.detail


JUNK = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                    max_leaves=8)


@given(st.sampled_from([row[0] for row in profile_file.KEYS] + ["table"]), JUNK)
def test_property_any_value_anywhere_is_taken_or_refused_in_words(key, value):
    try:
        Profile("mine", parsed({**MINE, key: value}))
    except ConfigError as error:
        assert error.detail.startswith("profiles/mine.json: ")


@given(st.integers(0, 4), JUNK)
def test_property_so_is_any_cell_of_a_row(cell, value):
    row = list(MINE["table"][0])
    row[cell] = value
    try:
        Profile("mine", parsed({**MINE, "table": [row]}))
    except ConfigError as error:
        assert error.detail.startswith("profiles/mine.json: ")


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"{", b"{" + b" " * 9000 + b"}"])
def test_what_is_no_profile_is_refused(text):
    with pytest.raises(ConfigError) as caught:
        profile_file.parse("profiles/mine.json", text)
    assert caught.value.detail.startswith("profiles/mine.json: ")


def test_a_station_reads_a_meter_by_the_users_own_file(tmp_path):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.json").write_text(json.dumps(MINE))
    wind = bytes(2 * 102) + bytes.fromhex("4240000f") + bytes.fromhex("1388") + bytes(8)  # 1,000,000 x 0.1 W
    made, platform, _ = fakes_station.station(500_000, 100_000, 0, 0, 0, "mine", wind, Files(str(tmp_path)).read)
    fakes_station.one_period(made, platform)
    assert made.field.meters[WIND].power.value * made.unit_w == 100_000
    with pytest.raises(ConfigError) as caught:
        fakes_station.station(500_000, 0, 0, 0, 0, "other", wind, Files(str(tmp_path)).read)
    assert "devices[2].profile" in caught.value.detail and "profiles/other.json" in caught.value.detail


NEW_TABLE = '''"""Example works EX-1: integers."""

from micropython import const

S32 = const(2)  # as in drivers.ratio

DOCUMENT = "Example works, EX-1 manual"
FUNCTION = 3
MAX_READ = 16
TURNAROUND_US = 20_000
TABLE = (
    (0x0100, S32, 1, 1, "power_w"),
    (0x0102, S32, 100, 1, "import_wh"),
)
'''
NEW_VECTORS = [[256, "power_w", "0000 03e8", 1000, "w"], [256, "power_w", "ffff fc18", -1000, "w"],
               [256, "power_w", "0000 0000", 0, "w"], [256, "power_w", "8000 0000", None, "w"],
               [258, "import_wh", "0000 000a", 1000, "wh"]]


def _run(folder, *words):
    return subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)


def test_a_new_meter_is_one_table_and_one_vector_file(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", "sites")
    for name in ("firmware", "host_tools", "boards", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "firmware/drivers/meters/example_ex1.py").write_text(NEW_TABLE)
    vectors = tmp_path / "tests/vectors/meters/example_ex1.json"
    vectors.write_text(json.dumps({"rows": NEW_VECTORS}))
    assert _run(tmp_path, "-m", "host_tools.toolchain.build_info", ".cache/boards/UNIX").returncode == 0
    done = _run(tmp_path, "tests/run.py", "tests/device/test_meters.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"example_ex1"' in _run(tmp_path, "-m", "host_tools", "schema").stdout
    probe = ("import sys; sys.path += ['host_tools/compat', '.cache/boards/UNIX']; import build_info; "
             "from firmware.drivers.profile import Profiles; "
             "print(Profiles(build_info.PROFILES).load('example_ex1').fast_extra)")
    assert _run(tmp_path, "-c", probe).stdout == "2\n"
    vectors.write_text(json.dumps({"rows": NEW_VECTORS[:4]}))  # a row without a vector is found
    assert "FAIL" in _run(tmp_path, "tests/run.py", "tests/device/test_meters.py").stdout


def test_the_known_names_come_first():
    def read(path):
        raise AssertionError("asked for " + path)

    assert Profiles(("sdm630",), read).load("sdm630").name == "sdm630"
