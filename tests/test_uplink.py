"""The uplink against a real mosquitto and everything that can go wrong on the way, on CPython and MicroPython.

What the listener holds afterwards is the journal: every record, each once, byte for byte.
"""

import json
import time

import pytest

from tests import uplink_rig
from tests.broker import Broker, free_port

VMS = sorted(uplink_rig.VMS)
_COUNT = 300


@pytest.fixture
def broker(tmp_path):
    (tmp_path / "broker").mkdir()
    with Broker(tmp_path / "broker") as made:
        yield made


def _folder(tmp_path, count=_COUNT, **more):
    return uplink_rig.Folder(tmp_path / "board", count, **more)


def _until(holds, process=None):
    end = time.monotonic() + uplink_rig.WAIT_S
    while not holds():
        assert time.monotonic() < end and (process is None or process.poll() is None), "it did not get there"
        time.sleep(0.02)


def _whole(listener, folder):
    """The listener holds exactly the journal."""
    assert not listener.others
    assert [listener.records.get(n) for n in range(len(folder.records))] == folder.records
    assert len(listener.records) == len(folder.records)


@pytest.mark.parametrize("vm", VMS)
def test_records_events_checkpoint_and_state_arrive(tmp_path, broker, vm):
    folder = _folder(tmp_path)
    with uplink_rig.Listener(broker.port, folder.operator) as listener:
        counts, said = uplink_rig.finish(folder.start(vm, broker.port, uplink={"ack_s": 60}))
        _until(lambda: json.loads(listener.kept["status"][-1]) == {"online": False})  # the will
    _whole(listener, folder)
    assert counts["acked"] == _COUNT and counts["sessions"] == 1 and listener.twice == 0
    assert b"".join(listener.kept["events"]) == b"".join(folder.events)
    assert listener.kept["checkpoint"] == [folder.checkpoint]
    status = json.loads(listener.kept["status"][0])
    assert (status["online"], status["size"], status["acked"], status["mode"]) == (True, _COUNT, 0, "on_grid")
    assert status["utc"] is None and status["clock"] == "unknown" and status["alarms"] == ["clock_unknown"]
    assert "NOTE uplink FOUND" in said


@pytest.mark.parametrize("vm", VMS)
def test_broker_killed_and_started_again(tmp_path, broker, vm):
    folder = _folder(tmp_path)
    with uplink_rig.Listener(broker.port, folder.operator) as listener:
        process = folder.start(vm, broker.port)
        for records in (20, 120, 200):
            _until(lambda records=records: len(listener.records) >= records, process)
            broker.kill()
            time.sleep(0.3)
            broker.start()
        counts, said = uplink_rig.finish(process)
    _whole(listener, folder)
    assert counts["sessions"] >= 3 and "NOTE uplink LOST" in said


@pytest.mark.parametrize("vm", VMS)
def test_connection_cut_in_the_midst_of_packets(tmp_path, broker, vm):
    folder = _folder(tmp_path, 60)
    proxy = uplink_rig.Proxy(broker.port)
    proxy.cut_within = 12_000
    with uplink_rig.Listener(broker.port, folder.operator) as listener:
        counts, _ = uplink_rig.finish(folder.start(vm, proxy.port))
    _whole(listener, folder)
    assert counts["failures"] >= 5 and proxy.cuts >= 5


@pytest.mark.parametrize("vm", VMS)
def test_slow_line_that_brings_packets_in_pieces(tmp_path, broker, vm):
    folder = _folder(tmp_path, 20, events=5)
    proxy = uplink_rig.Proxy(broker.port)
    proxy.piece, proxy.pause_s = 37, 0.002
    with uplink_rig.Listener(broker.port, folder.operator) as listener:
        counts, _ = uplink_rig.finish(folder.start(vm, proxy.port))
    _whole(listener, folder)
    assert counts["sessions"] == 1


@pytest.mark.parametrize("vm", VMS)
def test_a_state_that_never_rests_holds_no_record_up(tmp_path, broker, vm):
    folder = _folder(tmp_path)
    with uplink_rig.Listener(broker.port, folder.operator) as listener:
        counts, _ = uplink_rig.finish(folder.start(vm, broker.port, restless=True, end_ms=60_000))
    _whole(listener, folder)
    assert counts["acked"] == _COUNT
    assert 1 < len(listener.kept["status"]) <= counts["messages"] // 2 + 1, "every second one at most"


@pytest.mark.parametrize("vm", VMS)
def test_nobody_listens_then_somebody_who_says_nothing(tmp_path, vm):
    folder = _folder(tmp_path, 5)
    port = free_port()
    counts, said = uplink_rig.finish(folder.start(vm, port, failures=3, retry_ms=50))
    assert counts["failures"] >= 3 and counts["sessions"] == 0 and counts["acked"] == 0
    assert said.count("NOTE uplink LOST") == 1  # said once, not each time
    proxy = uplink_rig.Proxy(port)
    proxy.deaf = True
    counts, _ = uplink_rig.finish(folder.start(vm, proxy.port, failures=1, retry_ms=50))
    assert counts["failures"] >= 1 and counts["acked"] == 0


@pytest.mark.parametrize("vm", VMS)
def test_a_broker_that_lies_about_qos_releases_nothing(tmp_path, vm):
    folder = _folder(tmp_path, 40)
    liar = uplink_rig.LyingBroker()
    process = folder.start(vm, liar.port)
    _until(lambda: liar.swallowed > 60, process)  # all of them, and again, for nobody has acknowledged them
    assert not (folder.path / "acked").exists()
    liar.close()
    (tmp_path / "broker").mkdir()
    with Broker(tmp_path / "broker", port=liar.port) as honest:
        with uplink_rig.Listener(honest.port, folder.operator) as listener:
            counts, _ = uplink_rig.finish(process)
    _whole(listener, folder)
    assert counts["acked"] == 40


@pytest.mark.parametrize("vm", VMS)
def test_denied_by_the_acl_nothing_is_released(tmp_path, vm):
    """mosquitto takes a publish that its ACL denies, acknowledges it and throws it away: only a listener can know."""
    folder = _folder(tmp_path, 40)
    home = tmp_path / "broker"
    home.mkdir()
    login = {"user": "board", "password": "pass-word-of-the-board"}
    (folder.path / "uplink.json").write_text(json.dumps(login))
    (home / "acl").write_text("topic readwrite evenkeel/#\nuser board\ntopic read evenkeel/north/cab-1/#\n")
    (home / "acl").chmod(0o644)
    settings = ["allow_anonymous true", f"acl_file {home}/acl", "log_type all"]
    with Broker(home, settings) as broker, uplink_rig.Listener(broker.port, folder.operator) as listener:
        process = folder.start(vm, broker.port)
        _until(lambda: broker.log.read_text().count("Denied PUBLISH") > 20, process)  # all of it, and again
        assert not listener.records and not (folder.path / "acked").exists()
        broker.kill()
        broker.set(["allow_anonymous true"])
        broker.start()
        counts, said = uplink_rig.finish(process)
    _whole(listener, folder)
    assert counts["acked"] == 40 and login["password"] not in said


@pytest.mark.parametrize("vm", VMS)
def test_a_wrong_password_is_said_and_not_told(tmp_path, vm):
    folder = _folder(tmp_path, 3)
    home = tmp_path / "broker"
    home.mkdir()
    (home / "passwords").write_text("board:$7$101$AAAAAAAAAAAAAAAA$AAAA\n")
    (home / "passwords").chmod(0o644)
    secret = "what-nobody-must-read"
    (folder.path / "uplink.json").write_text(json.dumps({"user": "board", "password": secret}))
    with Broker(home, ["allow_anonymous false", f"password_file {home}/passwords"]) as broker:
        counts, said = uplink_rig.finish(folder.start(vm, broker.port, failures=2))
    assert counts["sessions"] == 0 and counts["failures"] >= 1
    assert "the broker does not authorise this client" in said or "refuses user name or password" in said
    assert secret not in said


def test_an_outage_of_35_days_at_once(tmp_path, broker):
    count = 35 * 96
    folder = _folder(tmp_path, count, events=300)
    proxy = uplink_rig.Proxy(broker.port, seed=3)
    proxy.cut_within = 2_000_000
    with uplink_rig.Listener(broker.port, folder.operator) as listener:
        counts, _ = uplink_rig.finish(folder.start("micropython", proxy.port, uplink={"batch_bytes": 4096}))
        print("35 days:", counts, "twice", listener.twice)
    _whole(listener, folder)
    assert set(folder.events) == {line + b"\n" for data in listener.kept["events"] for line in data.splitlines()}


def test_memory_after_a_thousand_connections_is_what_it_was(tmp_path, broker):
    folder = _folder(tmp_path, 3)
    proxy = uplink_rig.Proxy(broker.port, seed=2)
    proxy.cut_within = 300
    counts, _ = uplink_rig.finish(folder.start("micropython", proxy.port, sessions=[20, 1020], retry_ms=1,
                                           retry_max_ms=2))
    before, after = counts["memory"]
    print("memory", before, after, counts)
    assert after <= before + 256 and counts["failures"] >= 1020
