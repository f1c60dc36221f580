"""Two hundred threads want the credits of ten: no engine may let an eleventh in."""

import pytest

from farebox.adapters.clock import SystemClock
from farebox.adapters.randomness import SystemRandomness
from farebox.domain.protocol import Reason
from farebox.services.ledger import Ledger
from farebox.services.ports.ledger_store import LedgerStore
from tests.contract.conftest import StoreUnderTest
from tests.fakes.books import check_books
from tests.simulation.contention import contend, settle_all


def make_ledger(store: LedgerStore, number: int) -> Ledger:
    """Make a thread's ledger, in real time: over a real wire a pause has to be one."""
    del number
    return Ledger(store, SystemClock(), SystemRandomness())


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_balance_for_ten_admits_exactly_ten_of_two_hundred(
    under_test: StoreUnderTest, number: int
) -> None:
    store, account_id = under_test.store, f"usr_{number}"

    crowd = contend(store, make_ledger, account_id=account_id)
    settle_all(store, crowd, make_ledger, account_id=account_id, cost_nanousd=40)

    account = store.account(account_id)
    assert len(crowd.admitted) == 10
    assert crowd.refused == (Reason.CREDITS,) * 190
    assert crowd.least_available_nanousd == 0
    assert account is not None
    assert (account.available_nanousd, account.spent_nanousd, account.holds) == (600, 400, {})
    check_books(store)
