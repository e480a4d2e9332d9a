"""The whole firmware on the emulated board with its uplink: real mosquitto, real flash, faults on the way."""

import json
import os
import time

import pytest

from host_tools.toolchain import paths
from host_tools.toolchain.emulator import BOARD
from tests import uplink_rig
from tests.broker import Broker
from tests.hil import rig, rig_site

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")

_UTC_S = 1_720_000_000
# The reference site with 20 ms: it leaves the uplink the heap that it takes, 10 KB.
CONFIG = json.loads((paths.ROOT / "host_tools" / "sites" / "hyperscale.json").read_text())
_COUNT = 60


def _config(port, **uplink):
    config = json.loads(json.dumps(CONFIG))
    config["site"].update(id="north", device="cab-1")
    config["uplink"] = {"host": "127.0.0.1", "port": port, "status_s": 10, "retry_s": 1, "retry_max_s": 2,
                        "ack_s": 10, **uplink}
    return config


@pytest.fixture
def broker(tmp_path):
    (tmp_path / "broker").mkdir()
    with Broker(tmp_path / "broker") as made:
        yield made


def _until(holds, board):
    end = time.monotonic() + 4 * rig.WAIT_S  # for one that hangs; a busy host takes long
    while not holds():
        assert time.monotonic() < end, "it did not get there:\n" + "\n".join(board.said[-20:])
        time.sleep(0.05)


def _put(board, folder, config):
    """Bring configuration, secret, operators and the journal of `folder` onto the board."""
    (folder.path / "secret.bin").write_bytes(folder.device.secret)
    (folder.path / "site.json").write_text(json.dumps(config))
    names = ("site.json", "secret.bin", "operators.json")
    board.emulator.mpremote("fs", "cp", *(folder.path / name for name in names), ":/")
    board.emulator.mpremote("fs", "cp", "-r", folder.path / "journal", ":/", timeout=300)


def _pulled(board, folder):
    """Return the records on the board's flash."""
    folder.mkdir()
    board.emulator.mpremote("fs", "cp", "-r", ":/journal", f"{folder}/", timeout=300)
    return uplink_rig.split(b"".join(path.read_bytes() for path in sorted((folder / "journal").glob("*/[0-9]*.cbor"))))


def _acked(listener):
    return json.loads(listener.kept["status"][-1]).get("acked", 0) if listener.kept["status"] else 0


def test_backlog_and_new_records_arrive_and_are_let_go(tmp_path, broker):
    folder = uplink_rig.Folder(tmp_path / "made", _COUNT, events=0)
    with rig_site.Site(CONFIG, 80e6, 0) as site, rig.Board(tmp_path, site, net=True) as board, \
            uplink_rig.Listener(broker.port, folder.operator) as listener:
        _put(board, folder, _config(broker.port, ack_s=240))  # none is sent twice for a host that is slow to answer
        board.run(_UTC_S)
        assert int(board.wait_for("SAFE")[0]) == _COUNT + 1  # the gap since the last one
        _until(lambda: len(listener.records) > _COUNT, board)
        size = board.cut()
        _until(lambda: len(listener.records) >= size, board)
        _until(lambda: _acked(listener) >= size, board)
        _, free = board.stop()
        records = _pulled(board, tmp_path / "pulled")
    assert records[:_COUNT] == folder.records
    assert [listener.records[n] for n in range(size)] == records[:size]
    assert listener.kept["events"] and listener.twice == 0 and not listener.others
    assert free > 16_384


def test_cut_connections_and_a_killed_broker_cost_no_record(tmp_path, broker):
    folder = uplink_rig.Folder(tmp_path / "made", _COUNT, events=0)
    proxy = uplink_rig.Proxy(broker.port, seed=5)
    proxy.cut_within = 40_000
    with rig_site.Site(CONFIG, 80e6, 0) as site, rig.Board(tmp_path, site, net=True) as board, \
            uplink_rig.Listener(broker.port, folder.operator) as listener:
        _put(board, folder, _config(proxy.port))
        board.run(_UTC_S)
        _until(lambda: len(listener.records) > 10, board)
        broker.kill()
        _until(lambda: any('"LOST"' in line for line in board.said), board)
        broker.start()
        _until(lambda: len(listener.records) > _COUNT and _acked(listener) > _COUNT, board)
        _, free = board.stop()
        records = _pulled(board, tmp_path / "pulled")
    assert [listener.records[n] for n in range(_COUNT + 1)] == records[:_COUNT + 1]
    assert records[:_COUNT] == folder.records and not listener.others
    assert proxy.connections >= 2 and free > 16_384
