"""A share of the campaign of generated frames: only a request's own answer passes, and nothing is allocated.

The whole campaign, a million frames, is tests/test_frames_generated.py.
"""

import sys

from tests.device import frame_campaign

_FRAMES = 2_000 if sys.maxsize < 1 << 32 else 10_000


def test_only_a_requests_own_answer_passes_and_nothing_is_allocated():
    for seed in (1, 2):
        passed, failed, frames = frame_campaign.check(seed, _FRAMES)
        assert passed > _FRAMES // 2 and failed > _FRAMES // 5 and frames >= _FRAMES


def test_on_a_line_that_repeats_what_is_sent():
    passed, failed, frames = frame_campaign.check(3, _FRAMES)
    assert passed > _FRAMES // 2 and failed > _FRAMES // 5 and frames >= _FRAMES
