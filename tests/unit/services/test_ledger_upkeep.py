"""The ledger service beyond a request's own steps: the queue, budgets, leases, sweeping."""

import pytest

from farebox.domain.errors import StoreUnavailable
from farebox.domain.ledger import HOUSE, Entry, EntryKind
from farebox.domain.protocol import Deciding, Reason, TurnedDown
from tests.builders import (
    ACCOUNT,
    LedgerWorld,
    make_account,
    make_admission,
    make_grant,
    make_hold,
    make_ledger,
    make_rid,
    open_with_credits,
)
from tests.fakes.books import check_books
from tests.fakes.clock import NOON_MS
from tests.fakes.ledger_store import Crash, Fault

NOON = NOON_MS // 1000


def entry_of(world: LedgerWorld, number: int = 1) -> Entry:
    return world.store.state(ACCOUNT).entries[make_rid(number)]


class TestWhenTheStoreIsDownAtSettle:
    def test_the_decision_goes_to_the_queue_after_eight_seconds(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.store.outage = Fault.THROTTLE

        resolved = world.ledger.settle(make_admission(), held, 40, {})

        assert 6_000 < world.clock.now_ms() - NOON_MS < 8_000
        assert resolved.account is None
        assert [each.entry for each in world.queue.waiting] == [resolved.entry]

    def test_the_queue_s_consumer_finishes_it(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.store.outage = Fault.THROTTLE
        world.ledger.settle(make_admission(), held, 40, {})
        world.store.outage = None

        world.queue.drain(world.ledger)

        assert world.account.spent_nanousd == 40
        assert not world.queue.waiting

    def test_delivered_twice_it_is_charged_once(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.store.outage = Fault.THROTTLE
        world.ledger.settle(make_admission(), held, 40, {})
        world.store.outage = None
        twice: list[Deciding] = world.queue.waiting * 2

        for deciding in twice:
            world.ledger.finish(deciding)

        assert world.account.spent_nanousd == 40

    def test_without_a_queue_the_caller_is_told(self) -> None:
        world = make_ledger(queued=False)
        held = world.hold()
        world.store.outage = Fault.THROTTLE

        with pytest.raises(StoreUnavailable):
            world.ledger.settle(make_admission(), held, 40, {})

    def test_with_the_queue_down_as_well_the_sweeper_gives_it_back(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.queue.down = True
        world.store.outage = Fault.THROTTLE

        with pytest.raises(StoreUnavailable):
            world.ledger.settle(make_admission(), held, 40, {})
        world.store.outage = None
        world.clock.tick(151)
        world.ledger.sweep_due()

        assert world.account.available_nanousd == 1_000


class TestKeyBudgets:
    admission = make_admission(quote_nanousd=100, keyslot="3", key_budget_nanousd=150)

    def test_a_hold_counts_in_the_key_s_budget(self) -> None:
        world = make_ledger()

        world.hold(self.admission)

        assert world.account.counters["k3"] == 100

    def test_what_was_not_spent_of_it_comes_back(self) -> None:
        world = make_ledger()
        held = world.hold(self.admission)

        world.ledger.settle(self.admission, held, 40, {})

        assert world.account.counters["k3"] == 40

    def test_a_void_gives_all_of_it_back(self) -> None:
        world = make_ledger()
        held = world.hold(self.admission)

        world.ledger.void(self.admission, held, {})

        assert world.account.counters["k3"] == 0

    @pytest.mark.parametrize(("spent_nanousd", "reason"), [(50, None), (51, Reason.KEY_BUDGET)])
    def test_a_request_is_turned_down_that_may_go_beyond_it(
        self, spent_nanousd: int, reason: Reason | None
    ) -> None:
        world = make_ledger(make_account(counters={"k3": spent_nanousd}))

        outcome = world.ledger.reserve(self.admission)

        assert (outcome.reason if isinstance(outcome, TurnedDown) else None) is reason

    def test_an_enlarged_hold_counts_with_its_difference(self) -> None:
        world = make_ledger()
        held = world.hold(self.admission)

        world.ledger.enlarge(self.admission, held, 130)

        assert world.account.counters["k3"] == 130


class TestRenew:
    def test_the_lease_begins_anew(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.clock.tick(60)

        renewed = world.ledger.renew(make_admission(), held)

        assert renewed is not None
        assert world.account.expired_holds(NOON + 209) == ()
        assert dict(world.account.holds) == {renewed.rid: renewed.hold}

    def test_a_renewed_hold_outlives_its_first_lease_s_sweep(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.clock.tick(60)
        world.ledger.renew(make_admission(), held)
        world.clock.tick(91)

        world.ledger.sweep_due()

        assert world.account.held_nanousd == 100
        assert world.account.next_expiry == NOON + 210

    def test_a_hold_that_was_swept_cannot_be_renewed(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.clock.tick(151)
        world.ledger.sweep_due()

        assert world.ledger.renew(make_admission(), held) is None

    @pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.CONFLICT])
    def test_a_store_that_is_down_is_asked_once_and_costs_nothing_yet(self, fault: Fault) -> None:
        world = make_ledger()
        held = world.hold()
        world.store.plan(fault)

        assert world.ledger.renew(make_admission(), held) == held
        assert world.store.kinds() == ["reserve", "renew"]


class TestEnlarge:
    def test_the_difference_moves_from_available_to_held(self) -> None:
        world = make_ledger(make_account(available_nanousd=1_000))
        held = world.hold(make_admission(quote_nanousd=100))

        larger = world.ledger.enlarge(make_admission(), held, 250)

        assert larger is not None
        assert world.account.available_nanousd == 750
        assert world.account.held_nanousd == 250

    def test_a_larger_cost_can_then_be_settled(self) -> None:
        world = make_ledger(make_account(available_nanousd=1_000))
        held = world.hold(make_admission(quote_nanousd=100))
        larger = world.ledger.enlarge(make_admission(), held, 250)

        assert larger is not None
        world.ledger.settle(make_admission(), larger, 240, {})

        assert world.account.available_nanousd == 760
        assert entry_of(world).hold_nanousd == 250

    def test_it_is_refused_when_the_account_cannot_carry_it(self) -> None:
        world = make_ledger(make_account(available_nanousd=200))
        held = world.hold(make_admission(quote_nanousd=100))

        assert world.ledger.enlarge(make_admission(), held, 201) is None
        assert world.account.held_nanousd == 100

    def test_a_lost_reply_does_not_enlarge_twice(self) -> None:
        world = make_ledger(make_account(available_nanousd=1_000))
        held = world.hold(make_admission(quote_nanousd=100))
        world.store.plan(Fault.LOST_REPLY)

        larger = world.ledger.enlarge(make_admission(), held, 250)

        assert larger is not None
        assert world.account.available_nanousd == 750


class TestLosses:
    def test_a_loss_is_an_entry_of_the_house(self) -> None:
        world = make_ledger()

        world.ledger.book_loss(make_rid(), 70, {"model": "m"})

        entry = world.store.state(HOUSE).entries[f"{make_rid()}#LOSS"]
        assert entry.kind is EntryKind.LOSS
        assert (entry.amount_nanousd, entry.debit, entry.credit) == (70, HOUSE, "providers")

    def test_booked_twice_it_counts_once(self) -> None:
        world = make_ledger()

        world.ledger.book_loss(make_rid(), 70, {})
        world.ledger.book_loss(make_rid(), 70, {})

        assert len(world.store.state(HOUSE).entries) == 1


class TestSweepDue:
    def test_expired_holds_are_resolved_and_counted(self) -> None:
        world = make_ledger(make_account(), make_account("usr_bob"))
        world.hold(make_admission(make_rid(1)))
        world.hold(make_admission(make_rid(2)))
        world.hold(make_admission(make_rid(3), account_id="usr_bob"))
        world.clock.tick(150)

        sweep = world.ledger.sweep_due()

        assert (sweep.accounts, sweep.holds) == (2, 3)
        check_books(world.store, world.clock.now_seconds)

    def test_nothing_is_due_before_the_lease_ends(self) -> None:
        world = make_ledger()
        world.hold()
        world.clock.tick(149)

        sweep = world.ledger.sweep_due()

        assert (sweep.accounts, sweep.holds) == (0, 0)
        assert world.account.held_nanousd == 100

    def test_it_finishes_what_died_between_entry_and_account(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.store.plan(None, Fault.CRASH_BEFORE)
        with pytest.raises(Crash):
            world.ledger.settle(make_admission(), held, 40, {})
        world.clock.tick(151)

        world.ledger.sweep_due()

        assert world.account.spent_nanousd == 40
        assert entry_of(world).kind is EntryKind.SETTLEMENT

    def test_the_index_is_removed_with_the_last_hold(self) -> None:
        world = make_ledger()
        world.hold()
        world.clock.tick(150)

        world.ledger.sweep_due()

        assert world.account.next_expiry is None

    def test_the_index_moves_to_the_hold_that_expires_next(self) -> None:
        world = make_ledger()
        world.hold(make_admission(make_rid(1)))
        world.clock.tick(20)
        world.hold(make_admission(make_rid(2)))
        world.clock.tick(130)

        world.ledger.sweep_due()

        assert world.account.next_expiry == NOON + 170

    def test_a_hold_made_while_the_sweeper_looks_keeps_the_index(self) -> None:
        world = make_ledger()
        world.hold(make_admission(make_rid(1)))
        world.clock.tick(150)
        reset = ["expiring", "account", "decide", "release", "account"]
        world.store.before[1 + len(reset)] = lambda: world.hold(make_admission(make_rid(2)))

        world.ledger.sweep_due()

        assert list(world.account.holds) == [make_rid(2)]
        assert world.account.next_expiry == NOON + 150

    def test_an_index_that_is_behind_does_no_harm(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.clock.tick(150)
        world.ledger.sweep_due()
        world.store.plan(Fault.STALE)

        sweep = world.ledger.sweep_due()

        assert sweep.holds == 0
        assert entry_of(world).nonce == held.hold.split(":")[2]
        check_books(world.store, world.clock.now_seconds)


class TestSweepAll:
    def test_it_finds_expired_holds_the_index_has_forgotten(self) -> None:
        forgotten = make_account(holds={make_rid(): make_hold(100)})
        world = make_ledger(forgotten)
        world.store.reset_next_expiry(ACCOUNT, NOON + 150, NOON + 9_999)
        world.clock.tick(151)
        due = world.ledger.sweep_due()

        sweep = world.ledger.sweep_all()

        assert due.holds == 0
        assert (sweep.accounts, sweep.holds) == (1, 1)
        assert dict(world.account.holds) == {}

    def test_the_parts_of_a_day_are_all_accounts_once(self) -> None:
        names = [f"usr_{number}" for number in range(30)]
        world = make_ledger(*(make_account(name) for name in names))

        swept = 0
        for _ in range(24):
            swept += world.ledger.sweep_part_of_the_hour().accounts
            world.clock.tick(3_600)

        assert swept == 30

    def test_the_parts_of_a_day_leave_no_expired_hold(self) -> None:
        names = [f"usr_{number}" for number in range(30)]
        world = make_ledger(*(make_account(name) for name in names))
        for number, name in enumerate(names):
            world.hold(make_admission(make_rid(number), account_id=name))
        world.clock.tick(150)

        swept = 0
        for _ in range(24):
            swept += world.ledger.sweep_part_of_the_hour().holds
            world.clock.tick(3_600)

        assert swept == 30


class TestSweepAccount:
    def test_a_request_that_was_admitted_can_sweep_what_it_saw(self) -> None:
        world = make_ledger()
        world.hold(make_admission(make_rid(1)))
        world.clock.tick(150)
        held = world.hold(make_admission(make_rid(2)))

        swept = world.ledger.sweep_account(held.account)

        assert swept == 1
        assert list(world.account.holds) == [make_rid(2)]

    def test_no_account_has_nothing_to_sweep(self) -> None:
        assert make_ledger().ledger.sweep_account(None) == 0


class TestGrants:
    def test_a_grant_is_available_and_explained(self) -> None:
        world = make_ledger()

        account = open_with_credits(world.store, 5_000, account_id="usr_new")

        assert account.available_nanousd == 5_000
        check_books(world.store)

    def test_the_same_grant_counts_once(self) -> None:
        world = make_ledger()
        open_with_credits(world.store, 5_000, account_id="usr_new")

        again = world.store.grant(make_grant(5_000, account_id="usr_new"))

        assert again is False
        assert world.store.look("usr_new").available_nanousd == 5_000
