"""The protocol's steps, each by itself: what is sent next, and how an answer is read."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from farebox.domain.ledger import Account, AccountStatus, EntryKind, Hold
from farebox.domain.protocol import (
    Applied,
    Deciding,
    Declined,
    Enlarging,
    Held,
    ProtocolError,
    Reason,
    Releasing,
    Renewing,
    Reserving,
    Resolved,
    Stands,
    TurnedDown,
    why_declined,
)
from farebox.domain.quotas import QuotaLimits
from farebox.domain.tiers import Tier
from tests.builders import (
    ACCOUNT,
    make_account,
    make_admission,
    make_entry,
    make_hold,
    make_rid,
)

RID = make_rid()
NOON = 1_795_176_000


def holding(*holds: Hold) -> Account:
    """Give an account with a hold for each request 1, 2, …"""
    return make_account(holds={make_rid(number): hold for number, hold in enumerate(holds, 1)})


def full_of_holds() -> Mapping[str, Hold]:
    return {make_rid(number): make_hold(1) for number in range(2, 66)}


class TestSendingAReserve:
    def test_the_hold_is_the_quote_for_a_lease_from_now(self) -> None:
        _, command = Reserving(make_admission(quote_nanousd=250)).send("N1", NOON)

        assert str(command.hold) == "250:1795176150:N1:"

    def test_the_hold_remembers_the_key_budget_it_counts_in(self) -> None:
        _, command = Reserving(make_admission(keyslot="7")).send("N1", NOON)

        assert command.hold.keyslot == "7"

    def test_every_nonce_that_was_sent_is_remembered(self) -> None:
        once, _ = Reserving(make_admission()).send("N1", NOON)
        twice, command = once.send("N2", NOON + 1)

        assert twice.nonces == ("N1", "N2")
        assert command.hold.nonce == "N2"

    def test_the_write_goes_to_the_request_s_account(self) -> None:
        _, command = Reserving(make_admission(account_id="org_acme")).send("N1", NOON)

        assert command.account_id == "org_acme"


class TestReadingAReserveSReply:
    reserving = Reserving(make_admission(), nonces=("N1", "N2"))

    def test_applied_is_held(self) -> None:
        account = holding(make_hold(nonce="N2"))

        outcome = self.reserving.after(Applied(account))

        assert outcome == Held(RID, "100:1795176150:N2:", account)

    def test_a_hold_an_earlier_send_made_is_ours_as_well(self) -> None:
        account = holding(make_hold(nonce="N1"))

        outcome = self.reserving.after(Declined(account))

        assert outcome == Held(RID, "100:1795176150:N1:", account)

    def test_our_hold_counts_even_where_a_second_one_would_be_refused(self) -> None:
        account = replace(holding(make_hold(nonce="N1")), available_nanousd=0)

        assert isinstance(self.reserving.after(Declined(account)), Held)

    def test_a_hold_with_somebody_else_s_nonce_is_not_ours(self) -> None:
        outcome = self.reserving.after(Declined(holding(make_hold(nonce="N9"))))

        assert isinstance(outcome, TurnedDown)
        assert outcome.reason is Reason.DUPLICATE

    def test_applied_without_our_hold_is_a_fault_of_the_store(self) -> None:
        with pytest.raises(ProtocolError, match="left no hold"):
            self.reserving.after(Applied(make_account()))

    def test_an_entry_in_reply_is_a_fault_of_the_store(self) -> None:
        with pytest.raises(ProtocolError, match="in reply to a reserve"):
            self.reserving.after(Stands(make_entry()))


class TestWhyAReserveIsDeclined:
    """The worst of everything, with one fault mended after the other, in the order of reasons."""

    admission = make_admission(
        quote_nanousd=100,
        limits=QuotaLimits(day=5, month=50, lifetime=500),
        keyslot="1",
        key_budget_nanousd=1_000,
    )
    worst = make_account(
        status=AccountStatus.SUSPENDED,
        tier=Tier.FREE,
        debt_nanousd=1,
        available_nanousd=99,
        holds=full_of_holds(),
        counters={"d20261120": 5, "m202611": 50, "t": 500, "k1": 901},
    )
    active = replace(worst, status=AccountStatus.ACTIVE)
    right_tier = replace(active, tier=Tier.PROFESSIONAL)
    no_debt = replace(right_tier, debt_nanousd=0)
    calls_left = replace(no_debt, counters={"d20261120": 4, "m202611": 49, "t": 499, "k1": 901})
    room = replace(calls_left, holds={RID: str(make_hold(nonce="N9"))})
    in_budget = replace(room, counters={**calls_left.counters, "k1": 900})
    in_credit = replace(in_budget, available_nanousd=100)
    meets_all = replace(in_credit, holds={})

    @pytest.mark.parametrize(
        ("account", "reason"),
        [
            (None, Reason.NO_ACCOUNT),
            (worst, Reason.SUSPENDED),
            (active, Reason.STALE_TIER),
            (right_tier, Reason.IN_DEBT),
            (no_debt, Reason.QUOTA),
            (calls_left, Reason.IN_FLIGHT),
            (room, Reason.KEY_BUDGET),
            (in_budget, Reason.CREDITS),
            (in_credit, Reason.DUPLICATE),
        ],
    )
    def test_the_first_reason_that_applies_is_given(
        self, account: Account | None, reason: Reason
    ) -> None:
        outcome = why_declined(self.admission, account)

        assert outcome.reason is reason
        assert outcome.account is account

    def test_the_table_above_has_every_reason_in_order(self) -> None:
        assert list(Reason) == [
            Reason.NO_ACCOUNT,
            Reason.SUSPENDED,
            Reason.STALE_TIER,
            Reason.IN_DEBT,
            Reason.QUOTA,
            Reason.IN_FLIGHT,
            Reason.KEY_BUDGET,
            Reason.CREDITS,
            Reason.DUPLICATE,
        ]

    def test_a_refusal_without_a_reason_is_a_fault_of_the_store(self) -> None:
        with pytest.raises(ProtocolError, match="every condition holds"):
            why_declined(self.admission, self.meets_all)

    @pytest.mark.parametrize(
        ("counters", "window"),
        [
            ({"t": 500, "m202611": 50, "d20261120": 5}, "t"),
            ({"t": 499, "m202611": 50, "d20261120": 5}, "m202611"),
            ({"t": 499, "m202611": 49, "d20261120": 5}, "d20261120"),
        ],
    )
    def test_of_several_full_windows_the_longest_is_named(
        self, counters: dict[str, int], window: str
    ) -> None:
        outcome = why_declined(self.admission, make_account(counters=counters))

        assert outcome.window == window

    def test_only_a_full_window_is_named(self) -> None:
        assert why_declined(self.admission, self.in_budget).window is None

    def test_a_window_that_admits_none_is_full_while_it_is_absent(self) -> None:
        admission = make_admission(limits=QuotaLimits(day=0))

        assert why_declined(admission, make_account()).reason is Reason.QUOTA

    def test_a_window_that_admits_one_is_not_full_while_it_is_absent(self) -> None:
        admission = make_admission(quote_nanousd=100, limits=QuotaLimits(day=1))

        outcome = why_declined(admission, make_account(available_nanousd=99))

        assert outcome.reason is Reason.CREDITS

    def test_a_key_that_was_never_used_has_its_whole_budget(self) -> None:
        admission = make_admission(quote_nanousd=100, keyslot="1", key_budget_nanousd=100)

        outcome = why_declined(admission, make_account(available_nanousd=99))

        assert outcome.reason is Reason.CREDITS

    def test_a_window_without_a_limit_is_never_full(self) -> None:
        account = make_account(available_nanousd=99, counters={"d20261120": 1_000_000})

        assert why_declined(make_admission(), account).reason is Reason.CREDITS


class TestDeciding:
    deciding = Deciding(make_entry(amount_nanousd=40), str(make_hold()))

    def test_the_entry_is_written_first(self) -> None:
        assert self.deciding.command.entry is self.deciding.entry
        assert self.deciding.command.account_id == ACCOUNT

    def test_our_entry_is_followed_when_it_stands(self) -> None:
        releasing = self.deciding.after(Stands(self.deciding.entry))

        assert releasing == Releasing(self.deciding.entry, RID, str(make_hold()))

    def test_the_entry_that_was_there_first_is_followed_instead(self) -> None:
        expiry = make_entry(kind=EntryKind.EXPIRY)

        assert self.deciding.after(Stands(expiry)).entry is expiry

    def test_a_reply_without_an_entry_is_a_fault_of_the_store(self) -> None:
        with pytest.raises(ProtocolError, match="no entry"):
            self.deciding.after(Applied(make_account()))


class TestReleasing:
    hold = make_hold(100, nonce="N1", keyslot="7")

    def releasing(self, kind: EntryKind, cost_nanousd: int, nonce: str = "N1") -> Releasing:
        entry = make_entry(kind=kind, amount_nanousd=cost_nanousd, nonce=nonce)
        return Releasing(entry, RID, str(self.hold))

    def test_a_settlement_takes_the_cost_and_gives_back_the_rest(self) -> None:
        command = self.releasing(EntryKind.SETTLEMENT, 40).command

        assert (command.cost_nanousd, command.refund_nanousd) == (40, 60)
        assert command.hold == str(self.hold)
        assert command.keyslot == "7"

    def test_a_settled_call_stays_counted(self) -> None:
        assert self.releasing(EntryKind.SETTLEMENT, 40).command.windows == ()

    def test_even_one_that_cost_nothing(self) -> None:
        assert self.releasing(EntryKind.SETTLEMENT, 0).command.windows == ()

    @pytest.mark.parametrize("kind", [EntryKind.VOID, EntryKind.EXPIRY])
    def test_a_void_and_an_expiry_give_all_back_and_uncount_the_call(self, kind: EntryKind) -> None:
        command = self.releasing(kind, 0).command

        assert (command.cost_nanousd, command.refund_nanousd) == (0, 100)
        assert command.windows == ("t", "m202611", "d20261120")

    def test_the_windows_are_those_of_the_request_s_own_time(self) -> None:
        new_year = make_rid(time_ms=1_798_761_599_999)
        command = Releasing(make_entry(new_year, kind=EntryKind.VOID), new_year, str(self.hold))

        assert command.command.windows == ("t", "m202612", "d20261231")

    @pytest.mark.parametrize("kind", [EntryKind.SETTLEMENT, EntryKind.VOID, EntryKind.EXPIRY])
    def test_a_late_duplicate_is_given_back_in_full(self, kind: EntryKind) -> None:
        command = self.releasing(kind, 40, nonce="N2").command

        assert (command.cost_nanousd, command.refund_nanousd) == (0, 100)
        assert command.windows == ("t", "m202611", "d20261120")

    def test_it_is_done_once_applied(self) -> None:
        releasing = self.releasing(EntryKind.SETTLEMENT, 40)
        account = make_account()

        assert releasing.after(Applied(account)) == Resolved(releasing.entry, account)

    def test_it_goes_again_with_the_string_a_renewal_left(self) -> None:
        renewed = replace(self.hold, expires_at=NOON + 300)
        releasing = self.releasing(EntryKind.SETTLEMENT, 40)

        again = releasing.after(Declined(holding(renewed)))

        assert again == replace(releasing, hold=str(renewed))

    def test_of_an_enlarged_hold_all_that_was_not_the_cost_is_given_back(self) -> None:
        enlarged = replace(self.hold, amount_nanousd=150)

        again = self.releasing(EntryKind.SETTLEMENT, 40).after(Declined(holding(enlarged)))

        assert isinstance(again, Releasing)
        assert again.command.refund_nanousd == 110

    @pytest.mark.parametrize(
        "account",
        [
            pytest.param(make_account(), id="somebody finished it"),
            pytest.param(holding(make_hold(nonce="N2")), id="a late duplicate took its place"),
            pytest.param(None, id="the account is gone"),
        ],
    )
    def test_it_is_done_when_its_hold_is_gone(self, account: Account | None) -> None:
        releasing = self.releasing(EntryKind.SETTLEMENT, 40)

        assert releasing.after(Declined(account)) == Resolved(releasing.entry, account)

    def test_an_entry_in_reply_is_a_fault_of_the_store(self) -> None:
        with pytest.raises(ProtocolError, match="in reply to a release"):
            self.releasing(EntryKind.VOID, 0).after(Stands(make_entry()))


class TestRenewing:
    renewing = Renewing(ACCOUNT, RID, str(make_hold(keyslot="7")), NOON + 60)

    def test_the_renewed_hold_expires_a_lease_from_now_and_is_otherwise_the_same(self) -> None:
        command = self.renewing.command

        assert command.hold == "100:1795176150:N1:7"
        assert command.renewed == "100:1795176210:N1:7"

    def test_the_renewed_string_is_given(self) -> None:
        renewed = make_hold(expires_at=NOON + 210, keyslot="7")

        assert self.renewing.after(Applied(holding(renewed))) == "100:1795176210:N1:7"

    def test_a_string_that_an_unheard_renewal_left_is_given(self) -> None:
        there = make_hold(expires_at=NOON + 205, keyslot="7")

        assert self.renewing.after(Declined(holding(there))) == "100:1795176205:N1:7"

    @pytest.mark.parametrize("account", [None, make_account(), holding(make_hold(nonce="N2"))])
    def test_nothing_is_given_when_the_hold_is_gone(self, account: Account | None) -> None:
        assert self.renewing.after(Declined(account)) is None

    def test_an_entry_in_reply_is_a_fault_of_the_store(self) -> None:
        with pytest.raises(ProtocolError, match="write of a hold"):
            self.renewing.after(Stands(make_entry()))


class TestEnlarging:
    enlarging = Enlarging(ACCOUNT, RID, str(make_hold(keyslot="7")), extra_nanousd=50)

    def test_the_enlarged_hold_has_the_difference_and_is_otherwise_the_same(self) -> None:
        command = self.enlarging.command

        assert command.enlarged == "150:1795176150:N1:7"
        assert (command.extra_nanousd, command.keyslot) == (50, "7")

    def test_the_enlarged_string_is_given(self) -> None:
        account = holding(make_hold(150, keyslot="7"))

        assert self.enlarging.after(Applied(account)) == "150:1795176150:N1:7"

    def test_an_enlargement_whose_reply_was_lost_is_recognised(self) -> None:
        account = holding(make_hold(150, keyslot="7"))

        assert self.enlarging.after(Declined(account)) == "150:1795176150:N1:7"

    @pytest.mark.parametrize(
        "account",
        [
            pytest.param(holding(make_hold(keyslot="7")), id="too little available"),
            pytest.param(make_account(), id="swept"),
            pytest.param(None, id="no account"),
        ],
    )
    def test_nothing_is_given_when_it_was_refused(self, account: Account | None) -> None:
        assert self.enlarging.after(Declined(account)) is None
