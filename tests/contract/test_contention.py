"""Two hundred threads want the credits of ten: no engine may let an eleventh in."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from farebox.adapters.clock import SystemClock
from farebox.adapters.randomness import SystemRandomness
from farebox.domain.protocol import Held, TurnedDown
from farebox.services.ledger import Ledger
from tests.builders import ACCOUNT, make_admission, make_rid, open_with_credits
from tests.contract.conftest import StoreUnderTest
from tests.fakes.books import check_books

THREADS: Final = 200
QUOTE_NANOUSD: Final = 100
COST_NANOUSD: Final = 30
AFFORDABLE: Final = 10


@pytest.mark.parametrize("round_number", [1, 2, 3])
def test_a_balance_for_ten_admits_exactly_ten_of_two_hundred(
    under_test: StoreUnderTest, round_number: int
) -> None:
    open_with_credits(under_test.store, AFFORDABLE * QUOTE_NANOUSD)
    ledger = Ledger(under_test.store, SystemClock(), SystemRandomness())
    start = threading.Barrier(THREADS)

    def reserve(number: int) -> Held | TurnedDown:
        admission = make_admission(
            make_rid(round_number * 1_000 + number), quote_nanousd=QUOTE_NANOUSD
        )
        start.wait()
        return ledger.reserve(admission)

    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = list(threads.map(reserve, range(THREADS)))

    admitted = [each for each in outcomes if isinstance(each, Held)]
    seen = [each.account.available_nanousd for each in outcomes if each.account is not None]
    assert len(admitted) == 10
    assert min(seen) == 0
    assert sorted(each.account.available_nanousd for each in admitted) == list(range(0, 1_000, 100))
    _settle_all(ledger, admitted)
    account = under_test.store.account(ACCOUNT)
    assert account is not None
    assert (account.available_nanousd, account.spent_nanousd, account.holds) == (700, 300, {})
    check_books(under_test.store)


def _settle_all(ledger: Ledger, admitted: list[Held]) -> None:
    def settle(held: Held) -> None:
        admission = make_admission(held.rid, quote_nanousd=QUOTE_NANOUSD)
        ledger.settle(admission, held, COST_NANOUSD, {})

    with ThreadPoolExecutor(len(admitted)) as threads:
        list(threads.map(settle, admitted))
