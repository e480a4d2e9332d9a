"""The campaign of generated journals: ten million inputs under EVENKEEL_SOAK=1, a share otherwise."""

import os

from tests.verify_fuzz import Campaign

_SOAK = os.environ.get("EVENKEEL_SOAK") == "1"
_INPUTS = 10_000_000 if _SOAK else 10_000
_SEED = 20261126


def test_no_generated_input_ends_in_anything_but_typed_findings(tmp_path):
    campaign = Campaign(_SEED, tmp_path)
    campaign.run(_INPUTS)
    assert campaign.inputs >= _INPUTS
    # what was generated is not all of one kind: many faults of every layer were really met
    assert {"BAD_SIGNATURE", "FRAME_BROKEN", "PAYLOAD_BROKEN", "HEADER_WRONG", "NOT_DETERMINISTIC", "FIELD_TYPE",
            "SEQ_FORKED", "WRONG_DEVICE", "KEY_UNKNOWN"} <= set(campaign.codes)
