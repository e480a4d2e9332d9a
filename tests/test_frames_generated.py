"""The campaign of generated frames: a million under EVENKEEL_SOAK=1, a share otherwise, on CPython and the unix VM.

Right, damaged, foreign and late frames go through the bus: no exception escapes, nothing is allocated, no value of a
frame with a wrong address, function, length or CRC passes, and no late answer passes for a later request's.
"""

import os
import random
import subprocess
from types import SimpleNamespace

import pytest

from host_tools.plant.crc import crc16, with_crc
from host_tools.toolchain import paths
from tests.device import frame_campaign, frame_line, frame_maker

_SOAK = os.environ.get("EVENKEEL_SOAK") == "1"
_SEED = 100
_CODE = "from tests.device.frame_campaign import main; main({}, {})"


def test_generated_frames_on_cpython():
    frame_campaign.main(1_000_000 if _SOAK else 20_000, _SEED)


def test_generated_frames_on_the_unix_vm():
    frames = 1_000_000 if _SOAK else 100_000
    done = subprocess.run([paths.UNIX_VM, "-c", _CODE.format(frames, _SEED)], cwd=paths.ROOT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.split()
    assert int(told[0]) >= frames and told[-2:] == ["0", "wrong"]


def test_both_vms_run_the_same_campaign(capsys):
    frame_campaign.main(5_000, 7)
    told = subprocess.run([paths.UNIX_VM, "-c", _CODE.format(5_000, 7)], cwd=paths.ROOT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True).stdout
    assert told == capsys.readouterr().out


def test_the_campaigns_own_crc_is_that_of_the_standard():
    chance = frame_maker.Chance(5)
    for n in range(1, 60):
        buf = bytearray(chance.below(256) for _ in range(n)) + bytearray(2)
        assert frame_maker.seal(buf, n) == n + 2 and not crc16(buf)


@pytest.mark.parametrize("n", (2, 250, 1_800_000))
def test_the_chances_of_the_campaign_are_even(n):
    chance = frame_maker.Chance(1)
    drawn = [chance.below(n) for _ in range(6_000)]
    assert min(drawn) >= 0 and max(drawn) < n
    assert 0.4 < sum(value < n // 2 for value in drawn) / 6_000 < 0.6


class Careless:
    """A FAKE master that overlooks one fault: the campaign's oracle must find it out."""

    def __init__(self, seed, overlooked):
        self.clock = frame_campaign.Clock(0)
        self.line = frame_line.FrameLine(self.clock, 115_200, seed, False)
        self.oracle = frame_campaign.Oracle(self.line)
        self.overlooked = overlooked
        self.rng = random.Random(seed)

    def ask(self):
        """Make one request and judge what comes."""
        unit, function, count = self.rng.choice(((1, 4, 2), (1, 3, 3), (2, 4, 2), (3, 4, 2)))
        request = with_crc(bytes((unit, function, 0, 0, 0, count)))
        self.line.write(request, len(request))
        rx = self._receive()
        fits = {"unit": rx[:1] == request[:1], "function": rx[1:2] == request[1:2],
                "length": rx[2:3] == bytes((2 * count,)) and len(rx) == 5 + 2 * count, "crc": not crc16(rx)}
        fits.pop(self.overlooked, None)
        if len(rx) >= 7 and all(fits.values()):
            job = SimpleNamespace(device=SimpleNamespace(unit=unit), function=function)
            self.oracle.on_answer(job, rx + bytes(40), 3)
        elif self.overlooked != "late":
            for _ in range(40):  # longer than the latest answer takes
                self._pass(50_000)

    def _receive(self):
        rx, quiet = b"", 0
        for _ in range(150):
            data = self._pass(200)
            rx += data
            quiet = 0 if data else quiet + 1
            if rx and quiet > 8:
                break
        return rx

    def _pass(self, us):
        self.clock.advance(us)
        data = bytearray(self.line.any())
        self.line.readinto(data, 0, len(data))
        return bytes(data)


@pytest.mark.parametrize("overlooked, found", (
    ("nothing", False), ("unit", True), ("function", True), ("length", True), ("crc", True), ("late", True)))
def test_the_oracle_finds_out_who_overlooks(overlooked, found):
    master = Careless(_SEED, overlooked)
    for _ in range(3_000):
        master.ask()
    assert master.oracle.passed > 1_000
    assert (master.oracle.wrong > 0) is found
