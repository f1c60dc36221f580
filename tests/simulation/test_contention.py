"""Two hundred at once on a balance for ten, over the serialisable fake.

The engines that stand in for DynamoDB are contended for in the contract suite.
"""

import sys
import time
from collections.abc import Iterator

import pytest

from farebox.domain.protocol import Command, Reason, Reply
from tests.fakes.books import check_books
from tests.fakes.ledger_store import FakeLedgerStore, apply
from tests.simulation.contention import contend, settle_all


@pytest.fixture
def ledger_store() -> FakeLedgerStore:
    return FakeLedgerStore()


@pytest.fixture(autouse=True)
def threads_take_turns_often() -> Iterator[None]:
    usual_seconds = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual_seconds)


def check_a_round(store: FakeLedgerStore, account_id: str) -> None:
    crowd = contend(store, account_id=account_id)
    settle_all(store, crowd, account_id=account_id, cost_nanousd=40)

    assert len(crowd.admitted) == 10
    assert crowd.refused == (Reason.CREDITS,) * 190
    assert crowd.least_available_nanousd == 0
    assert store.look(account_id).spent_nanousd == 400
    assert store.look(account_id).available_nanousd == 600
    check_books(store)


@pytest.mark.parametrize("number", range(3))
def test_exactly_ten_of_two_hundred_are_admitted(
    ledger_store: FakeLedgerStore, number: int
) -> None:
    check_a_round(ledger_store, f"usr_{number}")


class CarelessStore(FakeLedgerStore):
    """Checks first and writes later, as a store without conditions has to."""

    def send(self, command: Command) -> Reply:
        before = self.state(command.account_id)
        time.sleep(0.001)
        self._states[command.account_id], reply = apply(before, command)
        return reply


def test_a_store_that_checks_before_it_writes_would_be_noticed() -> None:
    crowd = contend(CarelessStore(), account_id="usr_ada")

    assert len(crowd.admitted) > 10


@pytest.mark.long
def test_exactly_ten_of_two_hundred_are_admitted_a_thousand_times() -> None:
    for number in range(1_000):
        check_a_round(FakeLedgerStore(), f"usr_{number}")
