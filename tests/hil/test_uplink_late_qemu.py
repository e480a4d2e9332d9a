"""The uplink on the emulated board in virtual time: whatever happens on the way, no tick is late, no record is lost.

T = 20 ms, the whole firmware, a real mosquitto, the real listener; the lines are FAKE (bench/networked_board.py).
A share of each in `make test`; under EVENKEEL_SOAK=1 more records, 35 days of them, and a thousand connections.
"""

import os

import pytest
from sqlalchemy import event

from host_tools import cli
from host_tools.toolchain.emulator import BOARD
from tests import listen_rig, uplink_rig
from tests.broker import Broker, free_port
from tests.hil import rig_paced
from tests.hil.rig_paced import acked, in_time, same

pytestmark = pytest.mark.skipif(os.environ.get("EVENKEEL_BOARD", BOARD) != BOARD, reason=f"made for {BOARD}")
SOAK = "EVENKEEL_SOAK" in os.environ
COUNT = 400 if SOAK else 60
DAYS = 35 * 96


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return rig_paced.Made(tmp_path_factory.mktemp("made"), COUNT)


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as running:
        yield running


def _all_there(made, listener, board, count=COUNT):
    """Wait until all records are acknowledged, one that is made now included; return the figures of the run."""
    board.wait_for("STATE", acked(count + 1))  # with the gap since the last one
    board.cut()
    size = int(board.wait_for("WHOLE")[0])
    figures = board.stop()
    assert same(listener, made, board) == size == figures["records"]
    assert size >= count + 2  # and the quarter hours that have ended on the way
    in_time(figures)
    return figures


def _lost(board):
    board.wait_for("E", lambda words: '"LOST",' in words)


def _sent(listener, count):
    listen_rig.until(lambda: listener.counts.stored >= count)


def test_backlog_new_records_and_commands_at_the_same_time(made, broker, tmp_path):
    with made.listening(tmp_path, broker.port) as listener, made.board(tmp_path, broker.port) as board:
        board.start(rig_paced.UTC_S)
        board.wait_for("E", lambda words: '"FOUND",' in words)
        for power_w in (1_000_000, 2_000_000, 3_000_000):
            made.send(listener, 2, {1: power_w, 2: 60, 3: "test"})
        figures = _all_there(made, listener, board)
    assert figures["done"] >= 3 + 1 and "MEMORY" not in figures["refused"]


def test_broker_killed_and_restarted(made, broker, tmp_path):
    with made.listening(tmp_path, broker.port) as listener, made.board(tmp_path, broker.port) as board:
        board.start(rig_paced.UTC_S)
        for share in (5, 3):
            _sent(listener, COUNT // share)
            broker.kill()
            _lost(board)
            broker.start()
        figures = _all_there(made, listener, board)
    assert figures["failures"] >= 2


def test_connection_cut_in_the_midst_of_packets(made, broker, tmp_path):
    proxy = uplink_rig.Proxy(broker.port, seed=7)
    proxy.cut_within = 25_000
    with made.listening(tmp_path, broker.port) as listener, made.board(tmp_path, proxy.port) as board:
        board.start(rig_paced.UTC_S)
        figures = _all_there(made, listener, board)
    assert figures["failures"] >= 2 and proxy.cuts >= 2


def test_slow_line_that_brings_packets_in_pieces(made, broker, tmp_path):
    proxy = uplink_rig.Proxy(broker.port)
    proxy.piece, proxy.pause_s = 97, 0.002
    with made.listening(tmp_path, broker.port) as listener, made.board(tmp_path, proxy.port) as board:
        board.start(rig_paced.UTC_S)
        _all_there(made, listener, board)


def test_broker_that_refuses_to_be_connected_to_and_one_that_says_nothing(made, tmp_path):
    port = free_port()
    proxy = uplink_rig.Proxy(port)
    proxy.deaf = True
    with made.board(tmp_path, proxy.port) as board:
        board.start(rig_paced.UTC_S)
        _lost(board)
        proxy.deaf = False  # now it hangs up at once, for nobody listens behind it
        listen_rig.until(lambda: proxy.connections >= 4)
        with Broker(tmp_path, port=port), made.listening(tmp_path, port) as listener:
            figures = _all_there(made, listener, board)
    assert figures["failures"] >= 4


def test_broker_that_lies_about_qos(made, tmp_path):
    liar = uplink_rig.LyingBroker()
    with made.board(tmp_path, liar.port, ack_s=2) as board:
        board.start(rig_paced.UTC_S)
        listen_rig.until(lambda: liar.swallowed > COUNT)  # all of it, and again, for nobody has acknowledged it
        assert not any(line.startswith("EVK STATE") and line.split()[3] != "0" for line in board.said)
        liar.close()
        with Broker(tmp_path, port=liar.port) as honest, made.listening(tmp_path, honest.port) as listener:
            _all_there(made, listener, board)


def test_publishing_denied_by_the_brokers_access_list(made, tmp_path):
    (tmp_path / "acl").write_text("topic read evenkeel/#\ntopic write evenkeel/+/+/ack\n")
    settings = ("allow_anonymous true", f"acl_file {tmp_path}/acl", "log_type all")
    with Broker(tmp_path, settings) as broker, made.listening(tmp_path, broker.port) as listener, \
            made.board(tmp_path, broker.port, ack_s=2) as board:
        board.start(rig_paced.UTC_S)
        board.wait_for("E", lambda words: '"FOUND",' in words)
        listen_rig.until(lambda: broker.log.read_text().count("Denied PUBLISH") > COUNT)  # acknowledged, thrown away
        assert listener.counts.stored == 0
        broker.kill()
        broker.set(("allow_anonymous true",))
        broker.start()
        _all_there(made, listener, board)


# Ends the process at once where records are acknowledged to the broker: the commit is done, nobody has been told.
_KILLED = """
import os
from host_tools.listen.link import Link
done = Link.done
Link.done = lambda self, message: os._exit(9) if message.topic.endswith("/records") else done(self, message)
"""


def test_listener_killed_between_commit_and_acknowledgement(made, broker, tmp_path):
    arguments = ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--store", rig_paced.store_url(tmp_path),
                 "--keys", str(made.keys), "--operator-key", str(made.folder / "operator.pem"), "--client-id",
                 "listener"]
    killed = listen_rig.start_process(arguments, _KILLED)
    listen_rig.until(killed.stderr.readline)
    with made.board(tmp_path, broker.port, ack_s=2) as board:
        board.start(rig_paced.UTC_S)
        listen_rig.until(lambda: killed.poll() is not None)
        assert killed.returncode == 9
        with made.listening(tmp_path, broker.port) as listener:
            assert sum(row["size"] for row in listener.store.boards()) > 0
            _all_there(made, listener, board)


def test_disk_full_at_the_listener(made, broker, tmp_path):
    with made.listening(tmp_path, broker.port) as listener, made.board(tmp_path, broker.port, ack_s=2) as board:
        with listener.store.engine.connect() as db:
            limits = [db.exec_driver_sql("PRAGMA page_count").scalar() + 6]  # SQLite's own limit, its real error

        @event.listens_for(listener.store.engine, "begin")
        def _limit(connection):
            connection.exec_driver_sql(f"PRAGMA max_page_count = {limits[0]}")

        board.start(rig_paced.UTC_S)
        listen_rig.until(lambda: listener.counts.failed > 1)
        limits[0] = 1_000_000
        _all_there(made, listener, board)
    assert any("full" in line for line in listener.said)


def test_a_clock_that_is_months_behind_is_set_by_its_challenge(made, broker, tmp_path, capsys):
    with made.listening(tmp_path, broker.port) as listener, made.board(tmp_path, broker.port) as board:
        board.start(rig_paced.UTC_S)
        board.wait_for("STATE", acked(COUNT + 1))
        assert cli.main(["command", "--broker", f"mqtt://127.0.0.1:{broker.port}", "--board", "north/cab-1", "--keys",
                         str(made.keys), "--operator-key", str(made.folder / "operator.pem"), "time"]) == 0
        assert capsys.readouterr().out.count("ms old") == 2
        board.wait_for("STATE", acked(COUNT + 2))  # what the old clock had begun
        figures = board.stop()
        same(listener, made, board)
    in_time(figures)


def test_memory_after_many_connections_is_what_it_was(made, broker, tmp_path):
    """Each session is cut within 300 bytes: in CONNECT, SUBSCRIBE, or the first message."""
    first, last = (20, 1020) if SOAK else (10, 70)
    proxy = uplink_rig.Proxy(broker.port, seed=2)
    proxy.cut_within = 300
    with made.board(tmp_path, proxy.port) as board:
        board.start(rig_paced.UTC_S, memory_at=(first, last))
        before, after = map(int, board.wait_for("MEMORY", limit_s=6000))
        figures = board.stop()
    print(f"heap in use after {first} connections {before} bytes, after {last} {after}")
    in_time(figures)
    assert figures["failures"] >= last and after <= before + 256


@pytest.mark.skipif(not SOAK, reason="takes a quarter of an hour: EVENKEEL_SOAK=1")
def test_an_outage_of_35_days_at_once_from_a_full_flash(broker, tmp_path):
    (tmp_path / "made").mkdir()
    made = rig_paced.Made(tmp_path / "made", DAYS, full=True)
    with made.listening(tmp_path, broker.port) as listener, \
            made.board(tmp_path, broker.port, batch_bytes=4096) as board:
        board.start(rig_paced.UTC_S)
        board.wait_for("STATE", acked(DAYS + 1), limit_s=6000)
        figures = _all_there(made, listener, board, DAYS)
    print("35 days:", made.facts, figures)
