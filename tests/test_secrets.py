"""Every key and password of a full run, looked for in everything that the run leaves or says: none may be there.

Records, events, checkpoint, telemetry, the store, pages, what every process printed, and what errors say.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import urllib.request

import pytest
from cryptography.hazmat.primitives import serialization

from host_tools.toolchain import paths
from tests.broker import Broker
from tests.listen_rig import new_operator, start_process, until
from tests.test_serve import serving
from tests.test_way_out import _command

_PASSWORD = "correct horse battery staple 4711"
_LISTENERS = "the listener's own password 0815"
_TOKEN = "a token that opens the page 1234567"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_OWN = ("uplink.json", "secret.bin", "operator.pem", "token", "password", "users")  # where they belong


def _forms(secret):
    """Return the ways in which some bytes may be written: raw, hex, base64, a number."""
    number = str(int.from_bytes(secret, "big")).encode()
    return {secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret).rstrip(b"="),
            base64.urlsafe_b64encode(secret).rstrip(b"="), number, repr(secret)[2:-1].encode()}


def _scalar(secret, label):
    for i in range(256):
        number = int.from_bytes(hmac.digest(secret, label + bytes([i]), hashlib.sha256), "big")
        if 0 < number < _ORDER:
            return number.to_bytes(32, "big")
    raise AssertionError


def _secrets(folder):
    """Return {what: forms} of every secret of the run."""
    board = (folder / "out" / "run" / "secret.bin").read_bytes()
    key = serialization.load_pem_private_key((folder / "operator.pem").read_bytes(), None)
    found = {"board's secret": _forms(board),
             "operator's key": _forms(key.private_numbers().private_value.to_bytes(32, "big"))}
    for use in ("record", "checkpoint"):
        found[f"{use} key"] = _forms(_scalar(board, f"evenkeel {use} key 1".encode()))
    for name, text in (("board's password", _PASSWORD), ("listener's password", _LISTENERS), ("token", _TOKEN)):
        found[name] = {text.encode(), base64.b64encode(text.encode()).rstrip(b"="), text.encode().hex().encode()}
    return found


def _search(secrets, where, data):
    for what, forms in secrets.items():
        for form in forms:
            assert form not in data, f"the {what} stands in {where}"


@pytest.fixture
def folder(tmp_path):
    operator = new_operator(tmp_path)
    (tmp_path / "operators.json").write_text(json.dumps({"version": 1, "keys": [operator.row("test")]}))
    (tmp_path / "uplink.json").write_text(json.dumps({"user": "cab", "password": _PASSWORD}))
    (tmp_path / "token").write_text(_TOKEN)
    (tmp_path / "password").write_text(_LISTENERS)
    (tmp_path / "load.csv").write_text("time_s,power_w\n0,900000\n600,1100000\n")
    for user, password in (("cab", _PASSWORD), ("host", _LISTENERS)):
        create = [] if (tmp_path / "users").exists() else ["-c"]
        subprocess.run(["mosquitto_passwd", "-b", *create, tmp_path / "users", user, password], check=True)
    return tmp_path


def _errors(folder, port, keys):
    """Return what commands say that are given secrets in the wrong place, or wrong ones."""
    broker, store = f"mqtt://host@127.0.0.1:{port}", f"sqlite:///{folder}/other.db"
    right = {"--broker": broker, "--store": store, "--keys": keys, "--operator-key": folder / "operator.pem",
             "--password-file": folder / "password"}
    wrong = [{"--keys": folder / "operator.pem"}, {"--keys": folder / "password"}, {"--operator-key": folder / "token"},
             {"--operator-key": folder / "password"}, {"--broker": f"mqtt://host:{_LISTENERS.split()[0]}@127.0.0.1"},
             {"--broker": "mqtt://" + _LISTENERS}, {"--store": f"postgresql+psycopg://host:{_TOKEN[:5]}@nowhere.invalid/x"}]
    for change in wrong:
        words = [str(word) for pair in (right | change).items() for word in pair]
        done = subprocess.run([sys.executable, "-m", "host_tools", "listen", *words], capture_output=True, timeout=240)
        assert done.returncode == 2, done
        yield done.stdout + done.stderr
    done = subprocess.run([sys.executable, "-m", "host_tools", "verify", str(folder / "password"), "--keys",
                           str(folder / "uplink.json")], capture_output=True, timeout=240)
    yield done.stdout + done.stderr


def test_no_key_and_no_password_stands_anywhere_else(folder):
    with Broker(folder, ("allow_anonymous false", f"password_file {folder}/users")) as broker:
        config = json.loads((paths.ROOT / "host_tools" / "sites" / "edge.json").read_text())
        config["uplink"] = {"host": "127.0.0.1", "port": broker.port, "status_s": 5}
        (folder / "site.json").write_text(json.dumps(config))
        run = _command("simulate", "--site", folder / "site.json", "--load", folder / "load.csv", "--mode", "wire",
                       "--duration", "120", "--out", folder / "out")
        keys = folder / "out" / "run" / "keys.json"
        until(lambda: keys.exists() and keys.read_text().endswith("}\n"))
        store = f"sqlite:///{folder}/store.db"
        listener = start_process(["--broker", f"mqtt://host@127.0.0.1:{broker.port}", "--store", store, "--keys",
                                  str(keys), "--operator-key", str(folder / "operator.pem"), "--password-file",
                                  str(folder / "password")])
        pages = []
        with serving(store, "--keys", str(keys), "--token-file", str(folder / "token")) as address:
            site = config["site"]
            board = f"/api/boards/{site['id']}/{site['device']}"
            until(lambda: "load_w" in _read(address + board))
            pages += [_read(address + place) for place in ("/", "/app.js", "/api/fleet", board, board + "/verdict")]
        said = [run.communicate(timeout=600)[0].encode()]
        assert run.returncode == 0, said
        listener.terminate()
        said.append(listener.communicate(timeout=240)[1].encode())
        said += _errors(folder, broker.port, keys)
    report = subprocess.run([sys.executable, "-m", "host_tools", "report", str(folder / "out")], capture_output=True)
    said += [report.stdout, report.stderr, *(page.encode() for page in pages)]
    secrets = _secrets(folder)
    for number, data in enumerate(said):
        _search(secrets, f"what was said, part {number}: {data[-300:]}", data)
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in _OWN]
    assert {"records.cbor", "events.jsonl", "trace.csv", "store.db", "report.html", "mosquitto.log"} <= {
        path.name for path in files}
    for path in files:
        _search(secrets, path, path.read_bytes())
    assert len(secrets) == 7 and secrets["board's secret"]


def _read(url):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {_TOKEN}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()
    except OSError as error:
        return str(error)
