"""What the teller notes, on any runtime: changes of state, and limits that come and go once each."""

from firmware.control.reasons import NAMES, SENTENCES
from firmware.control.states import LIMITED, ON_GRID
from firmware.control.teller import Teller


class Now:
    """A fake of supervisor, set point and missing devices."""

    state = ON_GRID
    reason = grid_target_pu = bess_pu = 0

    def names(self):
        """Nobody is missing."""
        return ""


def told(steps):
    """Return what is noted over (state, reason) after (state, reason)."""
    now, noted = Now(), []
    teller = Teller(now, now, now, 1)
    for now.state, now.reason in steps:
        teller.tell(lambda kind, text: None, lambda *words: noted.append(words))
    return noted


def test_a_limit_is_noted_once_however_often_it_comes_and_goes():
    a, b = (reason for reason in range(len(NAMES)) if NAMES[reason] in ("import_cap", "export_cap"))
    steps = [(ON_GRID, 0)] + [(LIMITED, a), (ON_GRID, 0), (LIMITED, b)] * 30 + [(ON_GRID, 0)] * 100 + [(LIMITED, a)]
    noted = told(steps)
    limits = [words for words in noted if words[0] == "limits"]
    assert [code for _, code, _ in limits] == ["LIMIT", "LIMIT", "LIMIT_END", "LIMIT"]
    assert [text for _, _, text in limits][:2] == [SENTENCES[a], SENTENCES[b]]
    assert [words[1] for words in noted if words[0] == "supervisor"] == ["ON_GRID"]
