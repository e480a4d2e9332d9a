"""Memory stays flat: a journal twice as long needs no more of it, in full and in the fast mode.

Ten years of one board, beside one year, are measured by `bench --only decade`.
"""

import tracemalloc

import pytest

from host_tools.bench.decade_measures import verified
from host_tools.evidence import keys
from host_tools.evidence.source import open_source
from host_tools.evidence.verifier import Options, verify
from tests import long_run
from tests.evidence_writer import checkpoint, day
from tests.tamper import Case

_SHORT, _LONG = 2_400, 4_800


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Fifty days of quarter hours."""
    return Case(tmp_path_factory.mktemp("long"), day(_LONG))


def peak_bytes(case, count, **options):
    path = case.folder / f"{count}.cbor"
    path.write_bytes(b"".join(case.records[:count]))
    anchor = case.folder / f"{count}.txt"
    anchor.write_bytes(checkpoint(case.device, case.records[:count]))
    registry = keys.load(case.keys)
    verify(open_source(str(path)), registry, Options(checkpoint=anchor, **options))  # what is made once is made
    tracemalloc.start()
    result = verify(open_source(str(path)), registry, Options(checkpoint=anchor, **options))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (result.integrity, result.completeness, result.records) == ("PASS", "PASS", count)
    return peak


@pytest.mark.parametrize("options", ({"fast": True}, {}), ids=("fast", "full"))
def test_a_longer_journal_needs_no_more_memory(case, options, monkeypatch):
    monkeypatch.setattr("host_tools.evidence.witnessed._KEPT", 256)  # so that the short journal too goes beyond it
    short, long = peak_bytes(case, _SHORT, **options), peak_bytes(case, _LONG, **options)
    assert long - short < 20 * (_LONG - _SHORT) and long < 3_000_000, (short, long)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One month and four, each as a run folder."""
    made = []
    for months in (1, 4):
        made.append(tmp_path_factory.mktemp(f"{months}-months"))
        long_run.write(made[-1], months * long_run.A_YEAR // 12, seed=months)
    return made


@pytest.mark.parametrize("more", ((), ("--fast",), ("--json",)), ids=lambda more: " ".join(more) or "full")
def test_the_program_takes_as_much_for_four_months_as_for_one(runs, more):
    month, months = [verified(run, *more)[0] for run in runs]
    assert months <= 1.1 * month and months < 80_000_000, (month, months)
