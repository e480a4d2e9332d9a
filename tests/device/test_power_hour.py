"""The power goes at every single write and erase of a scripted hour, on a real littlefs: the unix VM has room for it.

Each hour meets the changes of file and folder elsewhere; a few hours by default, all of them under EVENKEEL_SOAK=1.
"""

import os
import sys

from firmware.log import journal


def _check_hour(before):
    """Cut at every operation of the hour that follows so many others, before it and in its midst; return how many."""
    from tests.device import power_hour

    image, told, reserve = power_hour.start_image(before)
    journal.Journal.reserve_bytes = reserve
    after, count = power_hour.cut(image, told, None, False)
    assert power_hour.judge(after) < after["records"], "no file had to go: the hour is too easy"
    for at in range(count):
        for half in (False, True):
            power_hour.judge(power_hour.cut(image, told, at, half)[0])
    return 2 * count


def test_every_write_of_an_hour_may_be_the_last():
    if not hasattr(os, "VfsLfs2") or sys.platform != "linux":
        return  # CPython has no littlefs, and the board's memory holds no second flash
    from tests.device import power_hour

    undo = power_hour.small()
    try:
        cuts = 0
        for before in range(2, 10 if os.getenv("EVENKEEL_SOAK") == "1" else 4):
            cuts += _check_hour(before)
        print("cuts", cuts)
        assert cuts > 300
    finally:
        undo()
