"""The whole way out: the firmware on a simulated site in real time, mosquitto, `listen`, `serve`, `command`.

Only contents are asserted: how long anything takes is the machine's affair.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.evidence import keys
from host_tools.toolchain import paths
from tests import uplink_rig
from tests.broker import Broker
from tests.devtools import Tab
from tests.listen_rig import listening, new_operator, start_process, until
from tests.test_serve import serving


def _command(*words):
    return subprocess.Popen([sys.executable, "-m", "host_tools", *map(str, words)], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


@pytest.fixture
def site(tmp_path):
    """A broker, an operator's key, and a reference site that knows both."""
    operator = new_operator(tmp_path)
    (tmp_path / "operators.json").write_text(json.dumps({"version": 1, "keys": [operator.row("test")]}))
    (tmp_path / "load.csv").write_text("time_s,power_w\n0,900000\n60,1100000\n600,1000000\n")
    with Broker(tmp_path) as broker:
        config = json.loads((paths.ROOT / "host_tools" / "sites" / "edge.json").read_text())
        config["uplink"] = {"host": "127.0.0.1", "port": broker.port, "status_s": 5}
        (tmp_path / "site.json").write_text(json.dumps(config))
        yield tmp_path, broker, f"{config['site']['id']}/{config['site']['device']}"


def _keys(folder):
    path = folder / "out" / "run" / "keys.json"
    until(lambda: path.exists() and path.read_text().endswith("}\n"))
    return path


def test_running_simulation_is_shown_live_and_obeys_a_command(site):
    folder, broker, board = site
    url = f"sqlite:///{folder}/store.db"
    run = _command("simulate", "--site", folder / "site.json", "--load", folder / "load.csv", "--mode", "wire", "--vm",
                   "micropython", "--duration", "180", "--out", folder / "out")
    arguments = ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--store", url, "--keys", str(_keys(folder)),
                 "--operator-key", str(folder / "operator.pem"), "--client-id", "listener"]
    listener = start_process(arguments)
    try:
        with serving(url, "--keys", str(_keys(folder))) as address, Tab(folder) as tab:
            tab.open(address)
            tab.until("#flow", "load ")
            first = tab.text("#flow")
            until(lambda: tab.text("#flow") != first)  # live: the load changes, nobody loads the page again
            asked = _command("command", "set-point", "100000", "--for", "30", "--board", board, "--wait", "60",
                             "--broker", arguments[1], "--keys", arguments[5], "--operator-key", arguments[7])
            said, _ = asked.communicate(timeout=240)
            assert asked.returncode == 0 and "override_w 100000 30" in said, said
            tab.until("#events", "override_w 100000 30")
            if os.environ.get("EVENKEEL_PICTURE"):
                tab.picture(Path(os.environ["EVENKEEL_PICTURE"]))
        said, _ = run.communicate(timeout=600)
        assert run.returncode == 0, said
    finally:
        for process in (listener, run):
            process.kill()
            process.communicate()


@pytest.mark.parametrize("vm", sorted(uplink_rig.VMS))
def test_listener_takes_the_boards_journal_and_the_board_believes_it(tmp_path, vm):
    folder = uplink_rig.Folder(tmp_path / "board", 300)
    operator = new_operator(tmp_path)
    (folder.path / "operators.json").write_text(json.dumps({"version": 1, "keys": [operator.row("listener")]}))
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(uplink_rig.evidence_writer.keys_document(folder.device)))
    assert keys.load(path)
    url = f"sqlite:///{tmp_path}/store.db"
    with Broker(tmp_path) as broker, listening(broker.port, url, path, operator) as listener:
        counts, said = uplink_rig.finish(folder.start(vm, broker.port))
        assert list(listener.store.stream("north", "cab-1")) == folder.records, said
        assert counts["acked"] == 300 and not counts["refused"], counts
        assert b"".join(line + b"\n" for line in listener.store.events("north", "cab-1")) == b"".join(folder.events)
        row = listener.store.boards()[0]
        assert bytes(row["checkpoint"]) == folder.checkpoint and json.loads(row["status"])["size"] == 300
        until(lambda: json.loads(listener.store.boards()[0]["status"])["online"] is False)  # its last will
        assert json.loads(listener.store.boards()[0]["status"])["size"] == 300  # and all that it said before
        print(f"{vm}: {listener.counts.line()}")
