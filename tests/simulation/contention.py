"""A crowd on one account: the body of the contention tests, for any store of the ledger."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from farebox.domain.protocol import Held, Reason, TurnedDown
from farebox.services.ledger import Ledger
from farebox.services.ports.ledger_store import LedgerStore
from tests.builders import make_admission, make_rid, open_with_credits
from tests.fakes.clock import FakeClock
from tests.fakes.randomness import FakeRandomness

type LedgerMaker = Callable[[LedgerStore, int], Ledger]
"""Makes the ledger of a thread from the store and the thread's number."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What became of a crowd."""

    admitted: tuple[Held, ...]
    refused: tuple[Reason, ...]
    least_available_nanousd: int
    """The least that any of the replies showed as available."""


def ledger_in_memory(store: LedgerStore, number: int) -> Ledger:
    """Make a ledger whose waits take no time."""
    return Ledger(store, FakeClock(), FakeRandomness(seed=number))


def contend(
    store: LedgerStore,
    make_ledger: LedgerMaker = ledger_in_memory,
    *,
    account_id: str,
    requests: int = 200,
    balance_for: int = 10,
    quote_nanousd: int = 100,
) -> Crowd:
    """Open an account with credits for a few, and let many reserve from it at one moment."""
    open_with_credits(store, balance_for * quote_nanousd, account_id=account_id)
    start = threading.Barrier(requests)

    def reserve(number: int) -> Held | TurnedDown:
        ledger = make_ledger(store, number)
        admission = make_admission(
            make_rid(number), account_id=account_id, quote_nanousd=quote_nanousd
        )
        start.wait()
        return ledger.reserve(admission)

    with ThreadPoolExecutor(requests) as threads:
        outcomes = list(threads.map(reserve, range(requests)))
    seen = [each.account.available_nanousd for each in outcomes if each.account is not None]
    return Crowd(
        admitted=tuple(each for each in outcomes if isinstance(each, Held)),
        refused=tuple(each.reason for each in outcomes if isinstance(each, TurnedDown)),
        least_available_nanousd=min(seen),
    )


def settle_all(
    store: LedgerStore,
    crowd: Crowd,
    make_ledger: LedgerMaker = ledger_in_memory,
    *,
    account_id: str,
    cost_nanousd: int,
) -> None:
    """Let everybody who was admitted settle at one moment, each of them twice."""
    start = threading.Barrier(2 * len(crowd.admitted))

    def settle(numbered: tuple[int, Held]) -> None:
        number, held = numbered
        admission = make_admission(held.rid, account_id=account_id)
        ledger = make_ledger(store, number)
        start.wait()
        ledger.settle(admission, held, cost_nanousd, {})

    with ThreadPoolExecutor(2 * len(crowd.admitted)) as threads:
        list(threads.map(settle, enumerate(crowd.admitted * 2)))
