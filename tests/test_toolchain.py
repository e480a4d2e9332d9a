"""Set-up: stamps, pins, the firmware's hash, Debian's releases and mirrors, and messages that help."""

import hashlib
import re
import subprocess
import sys
import tomllib

import pytest

from host_tools.compat import micropython as stub
from host_tools.toolchain import __main__ as cli
from host_tools.toolchain import browser, build_info, debian, environment, paths, shell, stamp, vm
from host_tools.toolchain.shell import SetupError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Every path of the cache below a folder of this test."""
    for name in ("STAMPS", "LOGS", "UNIX_ROOT", "UNIX_VM", "UNIX_VERSION", "SOURCE_VERSION", "VENV_LINK"):
        old = getattr(paths, name)
        monkeypatch.setattr(paths, name, tmp_path / old.relative_to(paths.ROOT))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    return tmp_path


def test_stamp_builds_once_and_again_when_key_or_output_changes(cache):
    built = []
    output = cache / "output"

    def build():
        built.append(1)
        output.write_text("x")

    assert stamp.once("s", "a", [output], build)
    assert not stamp.once("s", "a", [output], build)
    assert stamp.once("s", "b", [output], build)
    output.unlink()
    assert stamp.once("s", "b", [output], build)
    assert len(built) == 3


def test_failed_build_leaves_no_stamp(cache):
    def fail():
        raise SetupError("no; try again")

    stamp.once("s", "a", [], lambda: None)
    with pytest.raises(SetupError):
        stamp.once("s", "b", [], fail)
    assert stamp.once("s", "a", [], lambda: None)


def test_files_digest_sees_names_and_contents(cache):
    folder = cache / "folder"
    folder.mkdir()
    (folder / "a").write_text("1")
    seen = {stamp.files_digest(folder)}
    (folder / "a").write_text("2")
    seen.add(stamp.files_digest(folder))
    (folder / "a").rename(folder / "b")
    seen.add(stamp.files_digest(folder))
    assert len(seen) == 3


def test_failed_command_names_its_log_and_quotes_its_end(cache):
    with pytest.raises(SetupError) as caught:
        shell.run("trying", [sys.executable, "-c", "print('the last word'); raise SystemExit(3)"], "trial")
    assert "exit code 3" in str(caught.value) and "the last word" in str(caught.value)
    assert str(paths.LOGS / "trial.log") in str(caught.value)


def test_missing_command_is_said(cache):
    with pytest.raises(SetupError, match="install it"):
        shell.run("trying", ["no-such-command-here"], "trial")


def test_every_package_is_pinned_once():
    rows = [row for row in paths.REQUIREMENTS.read_text().splitlines() if row and not row.startswith("#")]
    names = [re.fullmatch(r"([a-z0-9-]+)==[\w.]+", row)[1] for row in rows]
    assert len(names) == len(set(names))
    wanted = {"pytest", "hypothesis", "mpremote", "pymodbus", "pysunspec2", "cbor2", "cryptography"}
    assert wanted <= set(names)


def test_python_floor_is_one():
    project = tomllib.loads(paths.PYPROJECT.read_text())
    floor = "{}.{}".format(*cli._OLDEST_PYTHON)
    assert project["project"]["requires-python"] == ">=" + floor
    assert project["tool"]["ruff"]["target-version"] == "py" + floor.replace(".", "")


def test_firmware_hash_is_what_it_says(tmp_path):
    (tmp_path / "firmware" / "core").mkdir(parents=True)
    (tmp_path / "firmware" / "core" / "b.py").write_bytes(b"b = 1\n")
    (tmp_path / "firmware" / "a.py").write_bytes(b"")
    (tmp_path / "firmware" / "SPEC.md").write_bytes(b"not code")
    lines = (f"firmware/a.py {hashlib.sha256(b'').hexdigest()}\n"
             f"firmware/core/b.py {hashlib.sha256(b'b = 1' + bytes([10])).hexdigest()}\n")
    assert build_info.firmware_hash(tmp_path) == hashlib.sha256(lines.encode()).digest()


def test_build_info_is_a_module_and_is_left_alone_when_right(tmp_path):
    path = build_info.write_build_info(tmp_path)
    facts = {}
    exec(path.read_text(), facts)
    assert facts["HASH"] == build_info.firmware_hash(paths.ROOT) and facts["VERSION"] == build_info.version()
    assert facts["PROFILES"] == build_info.profiles(paths.ROOT) and "sdm630" in facts["PROFILES"]
    before = path.stat().st_mtime_ns
    build_info.write_build_info(tmp_path)
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("text, is_debian, suite", (
    ('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', True, "trixie"),
    ('ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n', True, "trixie"),
    ("ID=debian\nVERSION_CODENAME=forky\n", True, "forky"),
    ('ID=debian\nVERSION_ID="11"\nVERSION_CODENAME=bullseye\n', False, "trixie"),
))
def test_debian_releases(tmp_path, monkeypatch, text, is_debian, suite):
    (tmp_path / "os-release").write_text(text)
    monkeypatch.setattr(debian, "_OS_RELEASE", tmp_path / "os-release")
    assert debian.is_debian() == is_debian
    assert debian.suite() == suite


def test_other_systems_are_not_debian(tmp_path, monkeypatch):
    (tmp_path / "os-release").write_text('ID=ubuntu\nVERSION_ID="24.04"\n')
    monkeypatch.setattr(debian, "_OS_RELEASE", tmp_path / "os-release")
    assert not debian.is_debian()
    monkeypatch.setattr(debian, "_OS_RELEASE", tmp_path / "nothing")
    assert not debian.is_debian()


def test_mirror_is_the_main_archive(monkeypatch):
    rows = "http://a/security/|bookworm-security\nhttp://a/|bookworm\nhttp://a/|bookworm-updates\n"
    monkeypatch.setattr(debian, "os_release", lambda: {"VERSION_CODENAME": "bookworm"})
    monkeypatch.setattr(debian, "capture", lambda command: rows)
    assert debian._mirror() == "http://a/"
    monkeypatch.setattr(debian, "capture", lambda command: "http://b/|nodistro\n")
    with pytest.raises(SetupError, match="add one"):
        debian._mirror()


def test_missing_packages_without_rights_are_listed(monkeypatch):
    monkeypatch.setattr(debian, "missing", lambda packages: ["one", "two"])
    monkeypatch.setattr(debian.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(debian.shutil, "which", lambda name: None)
    with pytest.raises(SetupError, match="apt-get install -y --no-install-recommends one two"):
        debian.install(["one", "two"])


def test_vm_of_the_path_must_be_new_and_of_the_source_version(cache, monkeypatch):
    monkeypatch.setattr(vm.shutil, "which", lambda name: "/somewhere/micropython")
    monkeypatch.setattr(vm, "_version", lambda command: version)
    version = "1.22.1"
    assert not vm._usable_on_path()
    version = "1.26.0"
    assert vm._usable_on_path()
    assert 'exec "/somewhere/micropython" "$@"' in paths.UNIX_VM.read_text()
    paths.SOURCE_VERSION.parent.mkdir(parents=True, exist_ok=True)
    paths.SOURCE_VERSION.write_text("1.25.0\n")
    assert not vm._usable_on_path()


def test_venv_link_does_not_take_a_folder_away(cache):
    paths.VENV_LINK.mkdir()
    with pytest.raises(SetupError, match="move it away"):
        environment._link()


def test_command_line():
    done = subprocess.run([sys.executable, "-m", "host_tools.toolchain", "nonsense"], cwd=paths.ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 2 and "invalid choice" in done.stderr
    done = subprocess.run([sys.executable, "-m", "host_tools.toolchain", "--help"], cwd=paths.ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0 and "Example:" in done.stdout


def test_second_setup_does_nothing():
    command = [sys.executable, "-m", "host_tools.toolchain", "venv", "unix"]
    subprocess.run(command, cwd=paths.ROOT, check=True, capture_output=True)
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1 and "venv unix ready" in done.stderr


def test_vm_runs_and_is_of_the_version_it_says():
    done = subprocess.run([paths.UNIX_VM, "-c", vm._ASK], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == paths.UNIX_VERSION.read_text().strip()


def test_mpy_cross_is_of_the_version_of_the_vm():
    done = subprocess.run([paths.MPY_CROSS, "--version"], capture_output=True, text=True, check=True)
    assert f"MicroPython v{paths.UNIX_VERSION.read_text().strip()}" in done.stdout


def test_stand_in_for_the_micropython_module():
    def function(x):
        return x

    assert stub.const(5) == 5 and stub.native(function) is function and stub.viper(function) is function


@pytest.mark.parametrize("is_debian", (False, True))
def test_a_browser_that_cannot_be_had_is_said_and_holds_nothing_up(is_debian, monkeypatch, capsys):
    def refuse(packages):
        raise SetupError("Debian's packages chromium are missing and there is no sudo")

    monkeypatch.delenv("EVENKEEL_CHROMIUM", raising=False)
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    monkeypatch.setattr(debian, "is_debian", lambda: is_debian)
    monkeypatch.setattr(debian, "install", refuse)
    browser.ensure()
    said = "".join(capsys.readouterr())
    assert "chromium" in said and "are skipped" in said
    monkeypatch.setenv("EVENKEEL_CHROMIUM", "/somewhere/chrome")
    browser.ensure()
    assert browser.find() == "/somewhere/chrome" and "".join(capsys.readouterr()) == ""
