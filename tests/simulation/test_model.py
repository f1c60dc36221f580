"""The protocol in small scopes, exhaustively; and the proof that the model would notice.

A floor of states is asserted: a scope that silently shrank would prove less than it says.
"""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.simulation.actors import MIDNIGHT, Scope
from tests.simulation.model import Model
from tests.simulation.mutants import MUTANTS

EVERY_WRITE: Final = ("Reserve", "Decide", "Release", "Renew", "Enlarge", "ResetIndex")
NIGHT_TO_END: Final = (MIDNIGHT - 1, MIDNIGHT + 10_000)

SMALL: Final[Mapping[str, tuple[Scope, int]]] = {
    "two workers across midnight, a reserve that is late": (Scope(renewals=0), 560_000),
    "three workers, credits and calls for two": (
        Scope(workers=3, renewals=0, voids=False, ticks=NIGHT_TO_END),
        215_000,
    ),
    "a live worker swept twice": (Scope(workers=1, sweepers=2, fenced=False), 48_000),
    "any write may be late": (
        Scope(workers=1, fenced=False, enlarges=True, late_kinds=EVERY_WRITE),
        275_000,
    ),
    "workers sweep for themselves": (
        Scope(sweepers=0, self_sweeps=True, credits_nanousd=5, renewals=0),
        38_000,
    ),
    "windows are cleaned up while holds are open": (
        Scope(workers=1, late_kinds=EVERY_WRITE, cleans_windows=True),
        40_000,
    ),
}

LARGE: Final[Mapping[str, tuple[Scope, int]]] = {
    "two workers that renew": (Scope(), 1_400_000),
    "two workers that renew, swept while they live": (Scope(fenced=False), 2_900_000),
    "two workers that sweep for themselves, and a sweeper": (
        Scope(self_sweeps=True, credits_nanousd=5, renewals=0),
        690_000,
    ),
    "two sweepers, and any write may be late": (
        Scope(
            workers=1,
            sweepers=2,
            fenced=False,
            enlarges=True,
            late_kinds=EVERY_WRITE,
            cleans_windows=True,
        ),
        5_700_000,
    ),
    "three workers across midnight": (
        Scope(workers=3, renewals=0, voids=False, lost_replies=False),
        5_000_000,
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_no_interleaving_breaks_the_books(name: str) -> None:
    scope, floor = SMALL[name]

    report = Model(scope).explore()

    assert report.violation is None, report.trace
    assert report.states >= floor


@pytest.mark.long
@pytest.mark.parametrize("name", LARGE)
def test_no_interleaving_of_a_larger_scope_breaks_the_books(name: str) -> None:
    scope, floor = LARGE[name]

    report = Model(scope).explore()

    assert report.violation is None, report.trace
    assert report.states >= floor


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_protocol_is_caught(name: str) -> None:
    mutant = MUTANTS[name]

    report = Model(mutant.scope, mutant.rules).explore(most=100_000)

    assert report.violation is not None
    assert mutant.breaks in report.violation


def test_a_violation_comes_with_the_way_there() -> None:
    mutant = MUTANTS["the client library sends again by itself"]

    report = Model(mutant.scope, mutant.rules).explore()

    assert report.trace[0].startswith("t0 AccountState(")
    assert len(report.trace) == 6
