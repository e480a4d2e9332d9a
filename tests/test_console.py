"""The console of a board: a host that is there, one that wants an end, and the operator's lines."""

import os

import pytest

from firmware.hal import console


class _Stdin:
    """What sys.stdin is on a board: a letter at a time, nothing kept back."""

    def __init__(self, fd):
        self._fd = fd

    def fileno(self):
        return self._fd

    def read(self, count):
        return os.read(self._fd, count).decode()


class _Desk:
    def __init__(self, monkeypatch, stops):
        read_fd, self._write_fd = os.pipe()
        monkeypatch.setattr(console.sys, "stdin", _Stdin(read_fd))
        self.now_ms = 0
        self.lines = []
        self.console = console.Console(lambda: self.now_ms, self.lines.append, stops)

    def type(self, text):
        os.write(self._write_fd, text.encode())


@pytest.fixture
def desk(monkeypatch):
    return _Desk(monkeypatch, True)


def test_silence_and_a_lone_s_are_wishes_to_stop(desk):
    assert not desk.console.wants_stop()
    desk.now_ms = 4000
    desk.type(".")
    assert not desk.console.wants_stop()
    desk.now_ms = 9000
    assert not desk.console.wants_stop()
    desk.now_ms = 9001
    assert desk.console.wants_stop()


def test_a_line_of_the_operator_is_one_command_and_no_wish_to_stop(desk):
    desk.type("..coverride_w -200 60 test of the ")
    desk.console.listen()
    assert desk.lines == []
    desk.type("PCS\n.cacknowledge\r\n.")
    assert not desk.console.wants_stop()
    assert desk.lines == ["override_w -200 60 test of the PCS", "acknowledge"]
    desk.type("s")
    assert desk.console.wants_stop()


def test_a_line_without_end_takes_no_more_than_its_room(desk):
    desk.type("c" + "x" * 1000 + "\n")
    desk.console.listen()
    assert desk.lines == ["x" * 120]


def test_while_the_site_runs_no_letter_stops_it(monkeypatch):
    desk = _Desk(monkeypatch, False)
    desk.type("sss noise\ncend mode\n")
    desk.console.listen()
    assert desk.lines == ["end mode"]
    desk.type("cmode auto 5\n")
    desk.console.listen()
    assert desk.lines[1:] == ["mode auto 5"]
