"""The page in a real browser: live, through a restart of the listener, at phone width, and refusing every write."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from firmware.control.reasons import NAMES, SENTENCES
from tests.broker import Broker, free_port
from tests.devtools import Tab
from tests.listen_rig import Boards, journals, key_file, new_operator, start_process, until

_TOKEN = "a token of more than sixteen characters"


@contextlib.contextmanager
def serving(store, *arguments):
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "host_tools", "serve", "--store", store, "--port", str(port),
                                *arguments], stderr=subprocess.PIPE, text=True)
    process.stderr.readline()
    url = f"http://127.0.0.1:{port}"
    until(lambda: _status(url + "/style.css") in (200, 401))
    try:
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=240)


def _status(url, method="GET", headers=()):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=dict(headers))) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _says(load_w, wind_w, bess_w, **more):
    grid_w = load_w - wind_w - bess_w
    return json.dumps({"online": True, "mode": "auto", "reason": "follow", "clock": "synchronised", "size": 30,
                       "load_w": load_w, "wind_w": wind_w,
                       "pv_w": 0, "genset_w": 0, "bess_w": bess_w, "grid_w": grid_w, "setpoint_w": bess_w,
                       "soc_permille": 612} | more).encode()


@pytest.fixture
def scene(tmp_path):
    """A broker, a board's journal, and what it takes to start a listener."""
    found = journals(1, 30)
    operator = new_operator(tmp_path)
    keys = key_file(tmp_path, found)
    with Broker(tmp_path) as broker, Boards(found, operator, broker.port) as boards:
        yield boards, ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--store", f"sqlite:///{tmp_path}/store.db",
                       "--keys", str(keys), "--operator-key", str(tmp_path / "operator.pem"), "--client-id", "one"]


def test_page_is_live_and_survives_a_restart_of_the_listener(tmp_path, scene):
    boards, arguments = scene
    listener = start_process(arguments)
    try:
        boards.until_acknowledged()
        status, events = "evenkeel/north/cab-1/status", "evenkeel/north/cab-1/events"
        boards.publish(status, _says(1_000_000, 700_000, 200_000), retain=True)
        boards.publish(events, b'{"seq": 0, "utc_ms": 1715904000000, "source": "main", "code": "START", "text": "up"}')
        with serving(arguments[3], "--keys", arguments[5]) as url, Tab(tmp_path) as tab:
            tab.open(url)
            tab.until("#flow", "load 1.00 MW")
            tab.until("#why", SENTENCES[NAMES.index("follow")])
            tab.until("#fleet", "cab-1")
            tab.until("#verdict", "30 records")
            assert "wind 700.0 kW" in tab.text("#flow") and "battery 200.0 kW" in tab.text("#flow")
            assert "gives 200.0 kW" in tab.text("#battery") and "g/kWh" in tab.text("#battery")
            assert tab.text("#verdict").startswith("PASS integrity")
            tab.until("#events", "START: up")
            boards.publish(status, _says(1_200_000, 1_500_000, -300_000), retain=True)
            tab.until("#flow", "load 1.20 MW")  # nobody has loaded the page again
            assert "takes 300.0 kW" in tab.text("#battery")
            tab.until("#line", "set point")
            listener.kill()
            listener.wait()
            listener = start_process(arguments)
            boards.publish(status, _says(1_300_000, 900_000, 100_000, alarms=["load_silent"]), retain=True)
            tab.until("#flow", "load 1.30 MW")
            tab.until("#fleet", "load_silent")
            tab.until("#link", "live")
            if os.environ.get("EVENKEEL_PICTURE"):
                tab.picture(tmp_path.parent / "serve.png")
    finally:
        listener.kill()
        listener.communicate()


def test_page_works_at_phone_width(tmp_path, scene):
    boards, arguments = scene
    listener = start_process(arguments)
    try:
        boards.until_acknowledged()
        boards.publish("evenkeel/north/cab-1/status", _says(1_000_000, 700_000, 200_000), retain=True)
        with serving(arguments[3]) as url, Tab(tmp_path, 380, 800) as tab:
            tab.open(url)
            tab.until("#flow", "load 1.00 MW")
            assert tab.value("document.documentElement.scrollWidth") <= 380
            columns = "getComputedStyle(document.querySelector('.panes')).gridTemplateColumns"
            assert tab.value(f"{columns}.split(' ').length") == 1
            words = "[...document.querySelectorAll('#flow text')]"
            assert tab.value(f"Math.max(...{words}.map(one => one.getBoundingClientRect().right))") <= 380
    finally:
        listener.kill()
        listener.communicate()


def test_every_write_is_refused_and_a_token_is_asked_for(tmp_path, scene):
    _, arguments = scene
    with serving(arguments[3]) as url:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            for place in ("/", "/api/fleet", "/api/boards/north/cab-1"):
                assert _status(url + place, method) == 405
        assert _status(url + "/api/boards/north/nobody") == 404
        assert _status(url + "/../app.py") == _status(url + "/%2e%2e/app.py") == 404
    token = tmp_path / "token"
    token.write_text(_TOKEN + "\n")
    with serving(arguments[3], "--token-file", str(token)) as url:
        assert _status(url + "/api/fleet") == _status(url + "/") == 401
        assert _status(url + "/api/fleet", headers={"Authorization": "Bearer wrong"}) == 401
        assert _status(url + "/api/fleet", headers={"Authorization": f"Bearer {_TOKEN}"}) == 200
        assert _status(url + "/api/fleet", headers={"Cookie": f"evenkeel_token={_TOKEN}"}) == 200
        assert _status(url + "/", "POST", {"Authorization": f"Bearer {_TOKEN}"}) == 405


def test_others_are_let_in_only_with_a_token(tmp_path):
    done = subprocess.run([sys.executable, "-m", "host_tools", "serve", "--host", "0.0.0.0", "--store",
                           f"sqlite:///{tmp_path}/store.db"], capture_output=True, text=True)
    assert done.returncode == 2 and "--token-file" in done.stderr
