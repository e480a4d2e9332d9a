"""The last thing done: the battery's zero has to have arrived before the firmware ends. PCS and clock are FAKE."""

from types import SimpleNamespace

import pytest

from firmware.drivers.field import Field


def _ended_ms(applied_pu, polls, ready=True):
    """Return when await_zero() ends with a PCS that acknowledges at so many polls."""
    clock, seen = [0], [0]
    pcs = SimpleNamespace(ready=ready, applied=SimpleNamespace(value=applied_pu))

    def poll():
        seen[0] += 1
        if seen[0] == polls:
            pcs.applied.value = 0

    def idle(us):
        clock[0] += us

    platform = SimpleNamespace(ms=lambda: clock[0] // 1000, idle=idle)
    Field.await_zero(SimpleNamespace(pcs=pcs, poll=poll, wait_us=lambda: 5000), platform)
    return clock[0] // 1000


@pytest.mark.parametrize("applied_pu, polls, ready, ended_ms", [
    (0, 1, True, 0), (-500, 30, True, 30), (500, 30, True, 30), (500, None, True, 500), (500, None, False, 0)])
def test_it_waits_for_the_zero_and_not_for_ever(applied_pu, polls, ready, ended_ms):
    assert _ended_ms(applied_pu, polls, ready) == ended_ms
