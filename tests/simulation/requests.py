"""Whole requests over the real ledger, to be broken at any of their calls.

Each is what a use case does with the ledger: nothing here catches a death, and only what a use
case would catch of the rest.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from farebox.domain.errors import StoreError
from farebox.domain.protocol import Held, Resolved
from tests.builders import LedgerWorld, make_admission, make_rid
from tests.fakes.books import check_books
from tests.fakes.ledger_store import Crash

ADMISSION: Final = make_admission(quote_nanousd=100, keyslot="1", key_budget_nanousd=5_000)
SWEEP_EVERY_SECONDS: Final = 60

type Request = Callable[[LedgerWorld], Resolved]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request that was broken ended."""

    died: bool = False
    unavailable: bool = False
    resolved: Resolved | None = None
    """What the use case was told."""


def run(request: Request, world: LedgerWorld) -> Outcome:
    """Run a request to its end, its death, or the store's."""
    try:
        return Outcome(resolved=request(world))
    except Crash:
        return Outcome(died=True)
    except StoreError:
        return Outcome(unavailable=True)


def recover(world: LedgerWorld, minutes: int = 6, *, on_time: bool = False) -> None:
    """Let minutes pass after a death: in each, the queue's consumer and the sweeper run.

    Args:
        world: Where it happened.
        minutes: How many.
        on_time: Also check before each sweep that no hold is overdue; not for a broken sweeper.
    """
    for _ in range(minutes):
        world.clock.tick(SWEEP_EVERY_SECONDS)
        if on_time:
            check_books(world.store, world.clock.now_seconds)
        with suppress(Crash, StoreError):
            world.queue.drain(world.ledger)
        with suppress(Crash, StoreError):
            world.ledger.sweep_due()


def settle(world: LedgerWorld) -> Resolved:
    """Reserve, answer, settle for less than the hold."""
    held = _reserve(world)
    world.clock.tick(5)
    return world.ledger.settle(ADMISSION, held, 40, {})


def void(world: LedgerWorld) -> Resolved:
    """Reserve, be refused by the provider, give it all back."""
    held = _reserve(world)
    world.clock.tick(5)
    return world.ledger.void(ADMISSION, held, {})


def settle_after_enlarging(world: LedgerWorld) -> Resolved:
    """Need more than the hold, and enlarge it first."""
    return _settle_for(world, 150)


def settle_with_a_loss(world: LedgerWorld) -> Resolved:
    """Need more than the account carries: settle the hold whole and book the rest as lost."""
    return _settle_for(world, 1_500)


def settle_after_renewing(world: LedgerWorld) -> Resolved:
    """Stream for three minutes, renewing every one of them."""
    held = _reserve(world)
    for _ in range(3):
        world.clock.tick(60)
        held = world.ledger.renew(ADMISSION, held) or held
    return world.ledger.settle(ADMISSION, held, 70, {})


def settle_after_the_lease(world: LedgerWorld) -> Resolved:
    """Fall silent for longer than the lease, be swept, and settle all the same."""
    held = _reserve(world)
    world.clock.tick(160)
    with suppress(StoreError):
        world.ledger.sweep_due()
    return world.ledger.settle(ADMISSION, held, 40, {})


def settle_on_a_busy_account(world: LedgerWorld) -> Resolved:
    """Settle while another request of the account is open, and dies."""
    other_admission = make_admission(make_rid(2))
    other = world.ledger.reserve(other_admission)
    held = _reserve(world)
    world.clock.tick(5)
    if isinstance(other, Held):
        world.ledger.renew(other_admission, other)
    return world.ledger.settle(ADMISSION, held, 40, {})


def _settle_for(world: LedgerWorld, cost_nanousd: int) -> Resolved:
    held = _reserve(world)
    larger = world.ledger.enlarge(ADMISSION, held, cost_nanousd)
    if larger is not None:
        return world.ledger.settle(ADMISSION, larger, cost_nanousd, {})
    resolved = world.ledger.settle(ADMISSION, held, 100, {})
    world.ledger.book_loss(ADMISSION.rid, cost_nanousd - 100, {})
    return resolved


def _reserve(world: LedgerWorld) -> Held:
    return world.hold(ADMISSION)


REQUESTS: Final[Mapping[str, Request]] = {
    "settle": settle,
    "void": void,
    "settle after enlarging": settle_after_enlarging,
    "settle with a loss": settle_with_a_loss,
    "settle after renewing": settle_after_renewing,
    "settle after the lease": settle_after_the_lease,
    "settle on a busy account": settle_on_a_busy_account,
}
