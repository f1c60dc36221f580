"""The ledger service: what it sends, how long it tries, and what it leaves in the books."""

import pytest

from farebox.domain.errors import StoreUnavailable
from farebox.domain.ids import is_ulid, time_of
from farebox.domain.ledger import HOUSE, Entry, EntryKind
from farebox.domain.protocol import Held, Reason, Release, Reserve, TurnedDown
from farebox.domain.quotas import QuotaLimits
from farebox.services.ledger import Ledger
from tests.builders import (
    ACCOUNT,
    LedgerWorld,
    make_account,
    make_admission,
    make_ledger,
    make_rid,
)
from tests.fakes.clock import NOON_MS
from tests.fakes.ledger_store import Fault

NOON = NOON_MS // 1000


class LongestPauses:
    """Chance that makes every jittered pause as long as it may be."""

    def bits(self, count: int) -> int:
        return (1 << count) - 1


def entry_of(world: LedgerWorld, number: int = 1) -> Entry:
    return world.store.state(ACCOUNT).entries[make_rid(number)]


class TestRequestIds:
    def test_an_id_is_a_ulid_of_the_moment(self) -> None:
        rid = make_ledger().ledger.new_rid()

        assert is_ulid(rid)
        assert time_of(rid) == NOON_MS

    def test_two_of_one_moment_differ(self) -> None:
        ledger = make_ledger().ledger

        assert ledger.new_rid() != ledger.new_rid()


class TestReserve:
    def test_the_quote_moves_from_available_to_held(self) -> None:
        world = make_ledger(make_account(available_nanousd=1_000))

        held = world.hold(make_admission(quote_nanousd=300))

        assert held.rid == make_rid()
        assert held.account.available_nanousd == 700
        assert held.account.held_nanousd == 300

    def test_it_is_one_call_to_the_store(self) -> None:
        world = make_ledger()

        world.hold()

        assert world.store.kinds() == ["reserve"]

    def test_the_hold_expires_a_lease_from_now_and_the_index_says_so(self) -> None:
        world = make_ledger()

        world.hold()

        assert world.account.expired_holds(NOON + 149) == ()
        assert world.account.expired_holds(NOON + 150) == (make_rid(),)
        assert world.account.next_expiry == NOON + 150

    def test_the_call_is_counted_in_each_of_its_windows(self) -> None:
        world = make_ledger()

        world.hold()

        assert dict(world.account.counters) == {"t": 1, "m202611": 1, "d20261120": 1}

    def test_the_last_nano_dollar_can_be_held(self) -> None:
        world = make_ledger(make_account(available_nanousd=100))

        assert world.hold(make_admission(quote_nanousd=100)).account.available_nanousd == 0

    def test_one_more_cannot(self) -> None:
        world = make_ledger(make_account(available_nanousd=100))

        outcome = world.ledger.reserve(make_admission(quote_nanousd=101))

        assert isinstance(outcome, TurnedDown)
        assert outcome.reason is Reason.CREDITS
        assert world.account.available_nanousd == 100

    def test_an_unknown_account_is_turned_down(self) -> None:
        outcome = make_ledger().ledger.reserve(make_admission(account_id="usr_nobody"))

        assert outcome == TurnedDown(Reason.NO_ACCOUNT, None)

    def test_the_sixty_fifth_in_flight_is_turned_down(self) -> None:
        world = make_ledger()
        for number in range(64):
            world.hold(make_admission(make_rid(number), quote_nanousd=1))

        outcome = world.ledger.reserve(make_admission(make_rid(64), quote_nanousd=1))

        assert isinstance(outcome, TurnedDown)
        assert outcome.reason is Reason.IN_FLIGHT


class TestReserveWithoutAnAnswer:
    def test_every_send_has_a_nonce_of_its_own(self) -> None:
        world = make_ledger()
        world.store.plan(Fault.LATE, Fault.LATE, Fault.LATE)

        held = world.hold()
        world.store.deliver_all()
        sent = [each for each in world.store.applied if isinstance(each, Reserve)]

        assert world.store.kinds() == ["reserve"] * 4
        assert [str(each.hold) for each in sent] == [held.hold]

    def test_four_sends_have_four_nonces(self) -> None:
        world = make_ledger()
        nonces = set()
        for number in range(4):
            world.hold(make_admission(make_rid(number)))
        for each in world.store.applied:
            assert isinstance(each, Reserve)
            nonces.add(each.hold.nonce)

        assert len(nonces) == 4

    def test_a_hold_whose_reply_was_lost_is_gone_on_with(self) -> None:
        world = make_ledger()
        world.store.plan(Fault.LOST_REPLY)

        held = world.hold()

        assert world.store.kinds() == ["reserve", "reserve"]
        assert dict(world.account.holds) == {held.rid: held.hold}

    @pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.CONFLICT])
    def test_it_waits_with_jitter_and_tries_again(self, fault: Fault) -> None:
        world = make_ledger()
        world.store.plan(fault, fault)

        world.hold()

        assert len(world.clock.slept_seconds) == 2
        assert 0 <= world.clock.slept_seconds[0] <= 0.025
        assert 0 <= world.clock.slept_seconds[1] <= 0.050

    def test_its_pauses_double_while_patience_lasts(self) -> None:
        world = make_ledger()
        world.store.go_down()

        with pytest.raises(StoreUnavailable):
            Ledger(world.store, world.clock, LongestPauses()).reserve(make_admission())

        assert [round(each, 3) for each in world.clock.slept_seconds] == [
            *(0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
        ]

    def test_past_two_seconds_it_fails_closed(self) -> None:
        world = make_ledger()
        world.store.outage = Fault.THROTTLE

        with pytest.raises(StoreUnavailable):
            world.ledger.reserve(make_admission())

        assert world.clock.now_ms() - NOON_MS < 2_000
        assert dict(world.account.holds) == {}

    def test_a_hold_nobody_heard_of_is_given_back_by_its_lease(self) -> None:
        world = make_ledger()
        world.store.outage = Fault.LOST_REPLY

        with pytest.raises(StoreUnavailable):
            world.ledger.reserve(make_admission())
        world.store.outage = None
        world.clock.tick(151)
        world.ledger.sweep_due()

        assert world.account.available_nanousd == 1_000
        assert entry_of(world).kind is EntryKind.EXPIRY


class TestReserveAmongExpiredHolds:
    def test_what_the_dead_held_is_swept_and_the_request_admitted(self) -> None:
        world = make_ledger(make_account(available_nanousd=100))
        world.hold(make_admission(make_rid(1), quote_nanousd=100))
        world.clock.tick(150)

        held = world.hold(make_admission(make_rid(2), quote_nanousd=100))

        assert list(held.account.holds) == [make_rid(2)]
        assert entry_of(world, 1).kind is EntryKind.EXPIRY

    def test_a_full_window_opens_again_when_a_dead_request_is_swept(self) -> None:
        world = make_ledger()
        one_a_day = QuotaLimits(day=1)
        world.hold(make_admission(make_rid(1), limits=one_a_day))
        world.clock.tick(150)

        outcome = world.ledger.reserve(make_admission(make_rid(2), limits=one_a_day))

        assert isinstance(outcome, Held)

    def test_without_expired_holds_a_refusal_stands_after_one_call(self) -> None:
        world = make_ledger(make_account(available_nanousd=100))
        world.hold(make_admission(make_rid(1), quote_nanousd=100))
        world.store.calls.clear()

        outcome = world.ledger.reserve(make_admission(make_rid(2), quote_nanousd=100))

        assert isinstance(outcome, TurnedDown)
        assert world.store.kinds() == ["reserve"]


class TestSettle:
    def test_the_cost_is_spent_and_the_rest_is_available_again(self) -> None:
        world = make_ledger(make_account(available_nanousd=1_000))
        held = world.hold(make_admission(quote_nanousd=300))

        world.ledger.settle(make_admission(), held, 120, {})

        assert world.account.available_nanousd == 880
        assert world.account.spent_nanousd == 120
        assert dict(world.account.holds) == {}

    def test_the_entry_says_what_happened(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.clock.tick(3)

        resolved = world.ledger.settle(make_admission(), held, 40, {"tokens": 7})

        assert resolved.entry == entry_of(world)
        assert resolved.entry.kind is EntryKind.SETTLEMENT
        assert (resolved.entry.debit, resolved.entry.credit) == (ACCOUNT, HOUSE)
        assert (resolved.entry.amount_nanousd, resolved.entry.hold_nanousd) == (40, 100)
        assert resolved.entry.at_ms == NOON_MS + 3_000
        assert dict(resolved.entry.facts) == {"tokens": 7}

    def test_the_entry_is_written_before_the_account(self) -> None:
        world = make_ledger()
        held = world.hold()

        world.ledger.settle(make_admission(), held, 40, {})

        assert world.store.kinds() == ["reserve", "decide", "release"]

    def test_the_call_stays_counted(self) -> None:
        world = make_ledger()
        held = world.hold()

        world.ledger.settle(make_admission(), held, 0, {})

        assert world.account.counters["d20261120"] == 1

    @pytest.mark.parametrize("cost_nanousd", [-1, 101])
    def test_a_cost_outside_the_hold_is_a_mistake_of_the_caller(self, cost_nanousd: int) -> None:
        world = make_ledger()
        held = world.hold(make_admission(quote_nanousd=100))

        with pytest.raises(ValueError, match="outside hold 100"):
            world.ledger.settle(make_admission(), held, cost_nanousd, {})

        assert world.store.kinds() == ["reserve"]

    def test_settling_again_changes_nothing_whatever_the_cost(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.ledger.settle(make_admission(), held, 40, {})

        again = world.ledger.settle(make_admission(), held, 90, {})

        assert again.entry.amount_nanousd == 40
        assert world.account.spent_nanousd == 40

    def test_a_hold_swept_meanwhile_is_not_charged(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.clock.tick(151)
        world.ledger.sweep_due()

        resolved = world.ledger.settle(make_admission(), held, 40, {})

        assert resolved.entry.kind is EntryKind.EXPIRY
        assert world.account.spent_nanousd == 0

    def test_a_hold_whose_renewal_was_not_heard_is_settled(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.clock.tick(60)
        world.store.plan(Fault.LOST_REPLY)
        renewed = world.ledger.renew(make_admission(), held)

        assert renewed == held
        world.ledger.settle(make_admission(), held, 40, {})

        assert world.account.spent_nanousd == 40
        assert world.store.kinds()[-3:] == ["decide", "release", "release"]

    @pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.CONFLICT, Fault.LOST_REPLY])
    def test_a_fault_at_either_write_is_tried_again(self, fault: Fault) -> None:
        world = make_ledger()
        held = world.hold()
        world.store.plan(fault, None, fault)

        world.ledger.settle(make_admission(), held, 40, {})

        assert world.store.kinds()[1:] == ["decide", "decide", "release", "release"]
        assert world.account.spent_nanousd == 40


class TestLateDuplicates:
    def test_a_reserve_that_lands_after_settlement_is_given_back_in_full(self) -> None:
        world = make_ledger()
        world.store.plan(Fault.LATE)
        held = world.hold()
        world.ledger.settle(make_admission(), held, 40, {})
        world.store.deliver()
        held_again_nanousd = world.account.held_nanousd
        world.clock.tick(151)
        world.ledger.sweep_due()

        assert held_again_nanousd == 100
        assert world.account.available_nanousd == 960
        assert world.account.spent_nanousd == 40
        assert dict(world.account.counters) == {"t": 1, "m202611": 1, "d20261120": 1}

    def test_one_that_lands_after_its_own_lease_is_given_back_in_four_minutes(self) -> None:
        world = make_ledger()
        world.store.plan(Fault.LATE)
        held = world.hold(make_admission(make_rid(1)))
        world.ledger.settle(make_admission(make_rid(1)), held, 40, {})
        world.clock.tick(140)
        world.hold(make_admission(make_rid(2)))
        world.clock.tick(20)
        world.ledger.sweep_due()
        world.store.deliver()
        for _ in range(4):
            world.clock.tick(60)
            world.ledger.sweep_due()

        assert dict(world.account.holds) == {}
        assert world.account.available_nanousd == 960

    def test_it_does_not_change_the_entry(self) -> None:
        world = make_ledger()
        world.store.plan(Fault.LATE)
        held = world.hold()
        settled = world.ledger.settle(make_admission(), held, 40, {})
        world.store.deliver()
        world.clock.tick(151)
        world.ledger.sweep_due()

        assert entry_of(world) == settled.entry


class TestVoid:
    def test_everything_is_given_back_the_call_included(self) -> None:
        world = make_ledger(make_account(available_nanousd=1_000))
        held = world.hold()

        resolved = world.ledger.void(make_admission(), held, {"why": "provider_refused"})

        assert resolved.entry.kind is EntryKind.VOID
        assert world.account.available_nanousd == 1_000
        assert dict(world.account.counters) == {"t": 0, "m202611": 0, "d20261120": 0}

    def test_a_void_after_a_settlement_changes_nothing(self) -> None:
        world = make_ledger()
        held = world.hold()
        world.ledger.settle(make_admission(), held, 40, {})

        resolved = world.ledger.void(make_admission(), held, {})

        assert resolved.entry.kind is EntryKind.SETTLEMENT
        assert world.account.spent_nanousd == 40


def test_a_release_is_only_ever_made_of_the_hold_that_is_there() -> None:
    world = make_ledger()
    held = world.hold()
    world.ledger.settle(make_admission(), held, 40, {})

    released = [each for each in world.store.applied if isinstance(each, Release)]

    assert [each.hold for each in released] == [held.hold]
