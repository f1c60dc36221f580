from collections.abc import Iterator

from farebox.domain.errors import StoreUnavailable
from farebox.domain.ledger import HOUSE, LEASE_SECONDS, Account
from farebox.domain.protocol import Deciding
from farebox.services.ledger import Ledger, Sweep
from tests.builders import (
    LedgerWorld,
    make_account,
    make_admission,
    make_hold,
    make_ledger,
    make_rid,
)
from tests.fakes.clock import FakeClock
from tests.fakes.ledger_store import FakeLedgerStore
from tests.fakes.randomness import FakeRandomness


def crashed_accounts(count: int) -> list[Account]:
    return [
        make_account(f"usr_{number:04}", holds={make_rid(number + 1): make_hold()})
        for number in range(count)
    ]


class BrokenFor(FakeLedgerStore):
    """A store that one account cannot be read from."""

    broken = "usr_0000"

    def account(self, account_id: str) -> Account | None:
        if account_id == self.broken:
            raise StoreUnavailable("this partition is down")
        return super().account(account_id)


def swept(store: FakeLedgerStore) -> Iterator[int]:
    return (len(state.account.holds) for state in store.states() if state.account is not None)


def test_one_run_sweeps_more_than_a_batch() -> None:
    world = make_ledger(*crashed_accounts(250))
    world.clock.tick(LEASE_SECONDS + 1)

    sweep = world.ledger.sweep_due()

    assert sweep == Sweep(accounts=250, holds=250, failed=0)
    assert set(swept(world.store)) == {0}


def test_an_account_that_cannot_be_swept_does_not_keep_the_others_waiting() -> None:
    store = BrokenFor(crashed_accounts(3))
    clock = FakeClock()
    clock.tick(LEASE_SECONDS + 1)

    sweep = Ledger(store, clock, FakeRandomness()).sweep_due()

    assert sweep == Sweep(accounts=2, holds=2, failed=1)
    assert sorted(swept(store)) == [0, 0, 1]


def test_an_item_nobody_can_read_does_not_keep_the_others_waiting() -> None:
    unreadable = make_account("usr_unreadable")
    unreadable = Account(
        account_id="usr_unreadable",
        tier=unreadable.tier,
        holds={make_rid(9): "not a hold"},
        next_expiry=1,
    )
    world = make_ledger(unreadable, *crashed_accounts(2))
    world.clock.tick(LEASE_SECONDS + 1)

    sweep = world.ledger.sweep_all()

    assert sweep == Sweep(accounts=2, holds=2, failed=1)


def test_a_day_of_hourly_parts_sees_every_account_once() -> None:
    world = make_ledger(*crashed_accounts(50))
    world.clock.tick(LEASE_SECONDS + 1)

    sweeps = []
    for _ in range(24):
        sweeps.append(world.ledger.sweep_part_of_the_hour())
        world.clock.tick(3600)

    assert sum(sweep.accounts for sweep in sweeps) == 50
    assert sum(sweep.holds for sweep in sweeps) == 50


def queued_settlement(world: LedgerWorld) -> Deciding:
    """Settle while the store is down, so that the decision waits in the queue."""
    admission = make_admission(quote_nanousd=100)
    held = world.hold(admission)
    world.store.go_down()
    world.ledger.settle(admission, held, 40, {})
    world.store.outage = None
    (deciding,) = world.queue.waiting
    return deciding


def test_a_queued_settlement_that_comes_in_time_is_charged_and_no_loss() -> None:
    world = make_ledger()
    deciding = queued_settlement(world)

    world.ledger.finish_queued(deciding)

    assert world.account.spent_nanousd == 40
    assert world.store.entry(HOUSE, f"{deciding.entry.rid}#LOSS") is None


def test_a_queued_settlement_that_comes_after_the_sweeper_is_booked_as_a_loss() -> None:
    world = make_ledger()
    deciding = queued_settlement(world)
    world.clock.tick(LEASE_SECONDS + 1)
    world.ledger.sweep_due()

    for _ in range(2):
        world.ledger.finish_queued(deciding)

    loss = world.store.entry(HOUSE, f"{deciding.entry.rid}#LOSS")
    assert world.account.spent_nanousd == 0
    assert loss is not None
    assert loss.amount_nanousd == 40
