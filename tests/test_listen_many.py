"""A thousand boards and one listener: all stored and acknowledged, nothing twice. EVENKEEL_SOAK=1: the whole day."""

import os

from host_tools.bench.listen_measures import Day

_RECORDS = 96 if os.environ.get("EVENKEEL_SOAK") == "1" else 3


def test_a_thousand_boards_are_stored_and_acknowledged_once(tmp_path):
    day = Day(tmp_path, 1000, _RECORDS)
    took_s = day.run()
    assert f"{1000 * _RECORDS} records stored" in day.said[0] and "0 set aside" in day.said[0]
    print(f"{day.said[0]}; {1000 * _RECORDS / took_s:.0f} a second")


def test_two_listeners_share_them(tmp_path):
    day = Day(tmp_path, 200, _RECORDS)
    day.run(2, again_s=60)  # sent again, a record may be stored by the faster one
    shares = [int(line.split()[0]) for line in day.said]
    assert sum(shares) == 200 * _RECORDS and min(shares) > 20 * _RECORDS
