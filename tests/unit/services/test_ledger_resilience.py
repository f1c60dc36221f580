"""The ledger service where two things go wrong at once, or one went right and nobody heard."""

from contextlib import suppress

import pytest

from farebox.domain.errors import StoreUnavailable
from farebox.domain.ledger import EntryKind
from farebox.domain.protocol import Deciding, Held
from tests.builders import (
    ACCOUNT,
    make_account,
    make_admission,
    make_entry,
    make_hold,
    make_ledger,
    make_rid,
)
from tests.fakes.ledger_store import Crash, Fault


class TestASweepOfMany:
    @pytest.mark.parametrize("fault", [Fault.CONFLICT, Fault.THROTTLE, Fault.LOST_REPLY])
    @pytest.mark.parametrize("call", [1, 4, 5])
    def test_an_account_that_fails_does_not_keep_the_others_waiting(
        self, fault: Fault, call: int
    ) -> None:
        world = make_ledger(make_account("usr_a"), make_account("usr_b"))
        world.hold(make_admission(make_rid(1), account_id="usr_a"))
        world.clock.tick(1)
        world.hold(make_admission(make_rid(2), account_id="usr_b"))
        world.clock.tick(150)
        world.store.faults[len(world.store.calls) + call] = fault

        world.ledger.sweep_due()

        assert dict(world.store.look("usr_b").holds) == {}

    def test_more_accounts_than_a_batch_are_swept_in_one_run(self) -> None:
        names = [f"usr_{number}" for number in range(150)]
        world = make_ledger(*(make_account(name) for name in names))
        for number, name in enumerate(names):
            world.hold(make_admission(make_rid(number), account_id=name))
        world.clock.tick(150)

        assert world.ledger.sweep_due().holds == 150

    def test_an_index_that_never_moves_does_not_keep_a_run_going(self) -> None:
        world = make_ledger()
        world.hold()
        world.clock.tick(150)
        world.store.faults[len(world.store.calls) + 5] = Fault.CONFLICT

        world.ledger.sweep_due()

        assert world.store.kinds().count("expiring") == 2

    def test_an_index_that_lags_does_not_end_a_run_early(self) -> None:
        names = [f"usr_{number}" for number in range(250)]
        world = make_ledger(*(make_account(name) for name in names))
        for number, name in enumerate(names):
            world.hold(make_admission(make_rid(number), account_id=name))
        world.clock.tick(150)
        second_look = len(world.store.calls) + 1 + 100 * 5
        world.store.faults[second_look] = Fault.STALE

        assert world.ledger.sweep_due().holds == 250


class TestAReserveAfterASweep:
    def test_a_hold_of_the_first_round_that_lands_late_is_ours(self) -> None:
        world = make_ledger(make_account(available_nanousd=100))
        world.hold(make_admission(make_rid(1), quote_nanousd=100))
        world.clock.tick(160)
        first = len(world.store.calls)
        world.store.faults[first] = Fault.LATE
        world.store.before[first + 4] = world.store.deliver

        outcome = world.ledger.reserve(make_admission(make_rid(2), quote_nanousd=100))

        assert isinstance(outcome, Held)
        assert dict(world.account.holds) == {make_rid(2): outcome.hold}


class TestEnlarging:
    def test_a_hold_whose_renewal_was_not_heard_is_enlarged(self) -> None:
        world = make_ledger(make_account(available_nanousd=1_000))
        held = world.hold(make_admission(quote_nanousd=100))
        world.clock.tick(60)
        world.store.plan(Fault.LOST_REPLY)
        held = world.ledger.renew(make_admission(), held) or held

        larger = world.ledger.enlarge(make_admission(), held, 250)

        assert larger is not None
        assert world.account.held_nanousd == 250
        assert world.account.available_nanousd == 750

    @pytest.mark.parametrize("to_nanousd", [100, 99, -500])
    def test_a_hold_cannot_be_enlarged_to_less(self, to_nanousd: int) -> None:
        world = make_ledger()
        held = world.hold(make_admission(quote_nanousd=100))

        with pytest.raises(ValueError, match="enlarged by"):
            world.ledger.enlarge(make_admission(), held, to_nanousd)


class TestADecisionThatStands:
    def test_it_is_told_though_the_account_cannot_follow_yet(self) -> None:
        world = make_ledger(queued=False)
        held = world.hold()
        world.store.before[2] = world.store.go_down

        resolved = world.ledger.settle(make_admission(), held, 40, {})

        assert (resolved.entry.amount_nanousd, resolved.account) == (40, None)

    def test_an_expiry_that_stands_is_told_instead_of_the_settlement_that_waits(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.clock.tick(151)
        world.store.faults[len(world.store.calls) + 3] = Fault.CRASH_BEFORE
        with suppress(Crash):
            world.ledger.sweep_due()
        world.store.before[len(world.store.calls) + 1] = world.store.go_down

        resolved = world.ledger.settle(make_admission(), held, 40, {})

        assert resolved.entry.kind is EntryKind.EXPIRY
        assert world.store.state(ACCOUNT).entries[make_rid()] == resolved.entry

    def test_a_decision_that_reached_neither_store_nor_queue_is_an_error(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.queue.down = True
        world.store.go_down()

        with pytest.raises(StoreUnavailable):
            world.ledger.settle(make_admission(), held, 40, {})


def test_a_step_can_be_hashed_though_its_entry_has_facts() -> None:
    deciding = Deciding(make_entry(), str(make_hold()))

    assert hash(deciding) == hash(Deciding(make_entry(), str(make_hold())))
