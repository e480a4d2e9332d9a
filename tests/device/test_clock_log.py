"""The clock's events on any runtime: set, stepped, corrected, holding, taken away."""

from firmware.core.types import CLOCK_SET, CLOCK_SYNCHRONISED
from firmware.core.utc import Utc
from firmware.log.clock_log import ClockLog


def test_what_becomes_of_the_clock_is_noted_once():
    utc, told = Utc(), []
    log = ClockLog(utc)

    def look():
        del told[:]
        log.look(lambda *words: told.append(words))
        return told

    utc.advance(899_500)
    assert look() == []
    utc.set(1_893_408, 100, CLOCK_SET, 0)
    assert look() == [("clock", "CLOCK", "UTC is set")]
    for _ in range(5):
        utc.advance(700_123)
        assert look() == []
    utc.set(utc.quarter, utc.ms + 999, CLOCK_SET, 999)
    assert look() == []  # a correction
    utc.set(utc.quarter, utc.ms - 1000, CLOCK_SET, -1000)
    assert look() == [("clock", "CLOCK_STEP", "UTC was moved by -1000 ms; it is set")]
    utc.set(utc.quarter + 4, utc.ms, CLOCK_SYNCHRONISED, 0)
    assert look() == [("clock", "CLOCK_STEP", "UTC was moved by 3600000 ms; it is synchronised")]
    for _ in range(87):
        utc.advance(1_000_000)
    assert look() == [("clock", "CLOCK", "UTC is holding: synchronised over a day ago")]
    utc.restart_piece()
    assert look() == [("clock", "CLOCK", "UTC is unknown")]
    utc.restart_piece()  # as at the end of each piece while nobody knows it
    assert look() == []
