"""What every store of the ledger must do: the fake and DynamoDB answer one suite alike."""

from dataclasses import replace

import pytest

from farebox.domain.ids import make_ulid
from farebox.domain.ledger import HOUSE, Account, AccountStatus, EntryKind, Fact
from farebox.domain.protocol import (
    Admission,
    Applied,
    Decide,
    Deciding,
    Declined,
    Enlarge,
    Reason,
    Release,
    Releasing,
    Renew,
    Reserve,
    Resolved,
    Stands,
    why_declined,
)
from farebox.domain.quotas import QuotaLimits
from farebox.domain.tiers import Tier
from tests.builders import (
    ACCOUNT,
    make_account,
    make_admission,
    make_entry,
    make_grant,
    make_hold,
    make_rid,
)
from tests.contract.conftest import StoreUnderTest
from tests.fakes.clock import NOON_MS

DAY, MONTH, LIFETIME = "d20261120", "m202611", "t"
NOON = 1_795_176_000
EXPIRY = NOON + 150
SEPTEMBER_MS, OCTOBER_MS = 1_789_000_000_000, 1_792_000_000_000
COUNTED_ONCE = {DAY: 1, MONTH: 1, LIFETIME: 1}
RID, OTHER_RID = make_rid(1), make_rid(2)


class TestOpenAccount:
    def test_a_new_account_has_its_tier_and_no_credits(self, under_test: StoreUnderTest) -> None:
        opened = under_test.store.open_account(make_account(available_nanousd=1_000))

        account = under_test.store.account(ACCOUNT)
        assert opened
        assert account == Account(ACCOUNT, Tier.PROFESSIONAL, created_ms=NOON_MS)

    def test_an_account_that_exists_is_left_as_it_is(self, under_test: StoreUnderTest) -> None:
        there = make_account(available_nanousd=1_000, counters={DAY: 3})
        under_test.put(there)

        opened = under_test.store.open_account(make_account(tier=Tier.ENTERPRISE))

        assert not opened
        assert under_test.store.account(ACCOUNT) == there


class TestReserve:
    def test_takes_the_quote_counts_the_call_and_sets_the_first_expiry(
        self, under_test: StoreUnderTest
    ) -> None:
        before = make_account(available_nanousd=1_000)
        under_test.put(before)

        reply = under_test.store.send(Reserve(make_admission(quote_nanousd=300), make_hold(300)))

        after = replace(
            before,
            available_nanousd=700,
            holds={RID: f"300:{EXPIRY}:N1:"},
            counters=COUNTED_ONCE,
            next_expiry=EXPIRY,
        )
        assert reply == Applied(after)
        assert under_test.store.account(ACCOUNT) == after

    def test_a_second_hold_leaves_the_first_expiry_and_counts_on(
        self, under_test: StoreUnderTest
    ) -> None:
        under_test.put(make_account())
        under_test.store.send(Reserve(make_admission(), make_hold(100)))

        later = make_hold(50, expires_at=EXPIRY + 9, nonce="N2")
        reply = under_test.store.send(Reserve(make_admission(OTHER_RID, quote_nanousd=50), later))

        assert isinstance(reply, Applied)
        assert reply.account.next_expiry == EXPIRY
        assert reply.account.available_nanousd == 850
        assert reply.account.counters == {DAY: 2, MONTH: 2, LIFETIME: 2}

    def test_all_that_is_available_may_be_taken(self, under_test: StoreUnderTest) -> None:
        under_test.put(make_account(available_nanousd=100))

        reply = under_test.store.send(Reserve(make_admission(quote_nanousd=100), make_hold(100)))

        assert isinstance(reply, Applied)
        assert reply.account.available_nanousd == 0

    def test_amounts_of_25_digits_are_exact(self, under_test: StoreUnderTest) -> None:
        under_test.put(make_account(available_nanousd=9_999_999_999_999_999_999_999_999))

        admission = make_admission(quote_nanousd=1_000_000_000_000_000_000_000_001)
        hold = make_hold(1_000_000_000_000_000_000_000_001)
        reply = under_test.store.send(Reserve(admission, hold))

        assert isinstance(reply, Applied)
        assert reply.account.available_nanousd == 8_999_999_999_999_999_999_999_998

    def test_a_key_with_a_slot_is_charged_the_quote_with_and_without_a_budget(
        self, under_test: StoreUnderTest
    ) -> None:
        under_test.put(make_account(counters={"k7": 400}))
        budgeted = make_admission(keyslot="7", key_budget_nanousd=500)
        unlimited = make_admission(OTHER_RID, keyslot="9")

        under_test.store.send(Reserve(budgeted, make_hold(100, keyslot="7")))
        reply = under_test.store.send(Reserve(unlimited, make_hold(100, keyslot="9")))

        assert isinstance(reply, Applied)
        assert reply.account.counters["k7"] == 500
        assert reply.account.counters["k9"] == 100

    @pytest.mark.parametrize(
        ("account", "admission"),
        [
            (make_account(), make_admission(limits=QuotaLimits(day=1, month=1, lifetime=1))),
            (make_account(counters={DAY: 4}), make_admission(limits=QuotaLimits(day=5))),
            (make_account(counters={MONTH: 4}), make_admission(limits=QuotaLimits(month=5))),
            (make_account(counters={LIFETIME: 4}), make_admission(limits=QuotaLimits(lifetime=5))),
            (make_account(counters={DAY: 9_999}), make_admission()),
            (make_account(), make_admission(keyslot="7", key_budget_nanousd=100)),
        ],
    )
    def test_the_last_call_within_a_limit_is_admitted(
        self, under_test: StoreUnderTest, account: Account, admission: Admission
    ) -> None:
        under_test.put(account)

        reply = under_test.store.send(Reserve(admission, make_hold(100, keyslot=admission.keyslot)))

        assert isinstance(reply, Applied)

    @pytest.mark.parametrize(
        ("account", "admission", "reason"),
        [
            (
                make_account(status=AccountStatus.SUSPENDED),
                make_admission(),
                Reason.SUSPENDED,
            ),
            (make_account(tier=Tier.FREE), make_admission(), Reason.STALE_TIER),
            (make_account(debt_nanousd=1), make_admission(), Reason.IN_DEBT),
            (
                make_account(counters={DAY: 5}),
                make_admission(limits=QuotaLimits(day=5)),
                Reason.QUOTA,
            ),
            (
                make_account(counters={MONTH: 6}),
                make_admission(limits=QuotaLimits(month=5)),
                Reason.QUOTA,
            ),
            (
                make_account(counters={LIFETIME: 5}),
                make_admission(limits=QuotaLimits(lifetime=5)),
                Reason.QUOTA,
            ),
            (make_account(), make_admission(limits=QuotaLimits(day=0)), Reason.QUOTA),
            (
                make_account(holds={make_rid(100 + i): make_hold(1) for i in range(64)}),
                make_admission(),
                Reason.IN_FLIGHT,
            ),
            (
                make_account(counters={"k7": 401}),
                make_admission(keyslot="7", key_budget_nanousd=500),
                Reason.KEY_BUDGET,
            ),
            (
                make_account(),
                make_admission(keyslot="7", key_budget_nanousd=99),
                Reason.KEY_BUDGET,
            ),
            (make_account(available_nanousd=99), make_admission(), Reason.CREDITS),
            (make_account(holds={RID: make_hold(1)}), make_admission(), Reason.DUPLICATE),
        ],
    )
    def test_each_clause_alone_declines_and_shows_the_account_as_it_was(
        self,
        under_test: StoreUnderTest,
        account: Account,
        admission: Admission,
        reason: Reason,
    ) -> None:
        under_test.put(account)

        reply = under_test.store.send(
            Reserve(admission, make_hold(100, nonce="N2", keyslot=admission.keyslot))
        )

        assert reply == Declined(account)
        assert why_declined(admission, account).reason is reason
        assert under_test.store.account(ACCOUNT) == account

    def test_one_hold_below_the_cap_is_admitted(self, under_test: StoreUnderTest) -> None:
        under_test.put(make_account(holds={make_rid(100 + i): make_hold(1) for i in range(63)}))

        reply = under_test.store.send(Reserve(make_admission(), make_hold(100)))

        assert isinstance(reply, Applied)
        assert len(reply.account.holds) == 64

    def test_an_unknown_account_declines_with_nothing_to_show(
        self, under_test: StoreUnderTest
    ) -> None:
        reply = under_test.store.send(Reserve(make_admission(), make_hold()))

        assert reply == Declined(None)
        assert under_test.store.account(ACCOUNT) is None


class TestDecide:
    def test_the_first_entry_stands_with_all_its_facts(self, under_test: StoreUnderTest) -> None:
        facts: dict[str, Fact] = {"model": "gpt-5", "tokens": 1_234, "estimated": False, "note": ""}
        entry = replace(make_entry(amount_nanousd=40), facts=facts)

        reply = under_test.store.send(Decide(entry))

        assert reply == Stands(entry)
        assert under_test.store.entry(ACCOUNT, RID) == entry

    def test_a_later_entry_is_answered_with_the_one_that_stands(
        self, under_test: StoreUnderTest
    ) -> None:
        first = make_entry(kind=EntryKind.EXPIRY)
        under_test.store.send(Decide(first))

        reply = under_test.store.send(Decide(make_entry(amount_nanousd=40)))

        assert reply == Stands(first)
        assert under_test.store.entry(ACCOUNT, RID) == first

    def test_a_loss_stands_beside_the_entry_of_its_request(
        self, under_test: StoreUnderTest
    ) -> None:
        settlement = make_entry(amount_nanousd=100, account_id=HOUSE)
        loss = make_entry(f"{RID}#LOSS", kind=EntryKind.LOSS, amount_nanousd=7, account_id=HOUSE)

        under_test.store.send(Decide(settlement))
        reply = under_test.store.send(Decide(loss))

        assert reply == Stands(loss)
        assert under_test.store.entry(HOUSE, RID) == settlement
        assert under_test.store.entry(HOUSE, f"{RID}#LOSS") == loss

    def test_the_same_rid_on_another_account_is_another_entry(
        self, under_test: StoreUnderTest
    ) -> None:
        under_test.store.send(Decide(make_entry(account_id="usr_bob")))

        assert under_test.store.entry(ACCOUNT, RID) is None


def held_account(under_test: StoreUnderTest, keyslot: str = "") -> Account:
    """Place an account of 1,000 of which 300 are held for one call."""
    admission = make_admission(quote_nanousd=300, keyslot=keyslot)
    under_test.put(make_account(available_nanousd=1_000))
    reply = under_test.store.send(Reserve(admission, make_hold(300, keyslot=keyslot)))
    assert isinstance(reply, Applied)
    return reply.account


class TestRelease:
    def test_a_settlement_is_booked_and_the_rest_given_back(
        self, under_test: StoreUnderTest
    ) -> None:
        held = held_account(under_test, keyslot="7")

        reply = under_test.store.send(
            Release(ACCOUNT, RID, held.holds[RID], 120, 180, keyslot="7", windows=())
        )

        after = replace(
            held,
            available_nanousd=880,
            spent_nanousd=120,
            holds={},
            counters={**COUNTED_ONCE, "k7": 120},
        )
        assert reply == Applied(after)
        assert under_test.store.account(ACCOUNT) == after

    def test_a_void_gives_back_credits_call_and_key_budget(
        self, under_test: StoreUnderTest
    ) -> None:
        held = held_account(under_test, keyslot="7")

        reply = under_test.store.send(
            Release(ACCOUNT, RID, held.holds[RID], 0, 300, "7", (LIFETIME, MONTH, DAY))
        )

        assert isinstance(reply, Applied)
        assert reply.account.available_nanousd == 1_000
        assert reply.account.spent_nanousd == 0
        assert reply.account.counters == {DAY: 0, MONTH: 0, LIFETIME: 0, "k7": 0}

    def test_counters_cleaned_up_meanwhile_come_back_as_zero(
        self, under_test: StoreUnderTest
    ) -> None:
        hold = make_hold(300, keyslot="7")
        under_test.put(make_account(available_nanousd=700, holds={RID: hold}))

        reply = under_test.store.send(
            Release(ACCOUNT, RID, str(hold), 0, 300, "7", (LIFETIME, MONTH, DAY))
        )

        assert isinstance(reply, Applied)
        assert reply.account.counters == {DAY: 0, MONTH: 0, LIFETIME: 0, "k7": 0}

    def test_a_second_release_declines_and_books_nothing(self, under_test: StoreUnderTest) -> None:
        held = held_account(under_test)
        release = Release(ACCOUNT, RID, held.holds[RID], 120, 180, "", ())
        first = under_test.store.send(release)

        second = under_test.store.send(release)

        assert isinstance(first, Applied)
        assert second == Declined(first.account)

    def test_a_string_that_was_renewed_declines_and_is_shown(
        self, under_test: StoreUnderTest
    ) -> None:
        held = held_account(under_test)
        renewed = f"300:{EXPIRY + 60}:N1:"
        under_test.store.send(Renew(ACCOUNT, RID, held.holds[RID], renewed))

        reply = under_test.store.send(Release(ACCOUNT, RID, held.holds[RID], 120, 180, "", ()))

        assert isinstance(reply, Declined)
        assert reply.account is not None
        assert reply.account.holds == {RID: renewed}
        assert reply.account.available_nanousd == 700

    def test_an_unknown_account_declines_with_nothing_to_show(
        self, under_test: StoreUnderTest
    ) -> None:
        reply = under_test.store.send(Release(ACCOUNT, RID, "300:1:N1:", 120, 180, "7", (DAY,)))

        assert reply == Declined(None)
        assert under_test.store.account(ACCOUNT) is None

    def test_a_reserve_that_lands_after_its_request_was_settled_is_released_in_full(
        self, under_test: StoreUnderTest
    ) -> None:
        held = held_account(under_test)
        entry = make_entry(amount_nanousd=120, hold_nanousd=300)
        deciding = Deciding(entry, held.holds[RID])
        releasing = deciding.after(under_test.store.send(deciding.command))
        under_test.store.send(releasing.command)

        late = make_admission(quote_nanousd=300)
        landed = under_test.store.send(Reserve(late, make_hold(300, nonce="N0")))
        duplicate = Releasing(entry, RID, f"300:{EXPIRY}:N0:")
        reply = under_test.store.send(duplicate.command)

        assert isinstance(landed, Applied)
        assert isinstance(duplicate.after(reply), Resolved)
        assert isinstance(reply, Applied)
        assert reply.account.available_nanousd == 880
        assert reply.account.spent_nanousd == 120
        assert reply.account.holds == {}
        assert reply.account.counters == COUNTED_ONCE


class TestRenew:
    def test_exchanges_the_string_and_nothing_else(self, under_test: StoreUnderTest) -> None:
        held = held_account(under_test)
        renewed = f"300:{EXPIRY + 60}:N1:"

        reply = under_test.store.send(Renew(ACCOUNT, RID, held.holds[RID], renewed))

        assert reply == Applied(replace(held, holds={RID: renewed}))

    def test_another_string_declines(self, under_test: StoreUnderTest) -> None:
        held = held_account(under_test)

        reply = under_test.store.send(Renew(ACCOUNT, RID, "300:1:N9:", "300:2:N9:"))

        assert reply == Declined(held)

    def test_a_hold_that_was_swept_is_not_brought_back(self, under_test: StoreUnderTest) -> None:
        account = make_account()
        under_test.put(account)

        reply = under_test.store.send(Renew(ACCOUNT, RID, "300:1:N1:", "300:2:N1:"))

        assert reply == Declined(account)


class TestEnlarge:
    def test_takes_the_difference_and_charges_the_key(self, under_test: StoreUnderTest) -> None:
        held = held_account(under_test, keyslot="7")
        enlarged = f"1000:{EXPIRY}:N1:7"

        reply = under_test.store.send(
            Enlarge(ACCOUNT, RID, held.holds[RID], enlarged, extra_nanousd=700, keyslot="7")
        )

        after = replace(
            held,
            available_nanousd=0,
            holds={RID: enlarged},
            counters={**COUNTED_ONCE, "k7": 1_000},
        )
        assert reply == Applied(after)

    def test_more_than_is_available_declines(self, under_test: StoreUnderTest) -> None:
        held = held_account(under_test)
        enlarged = f"1001:{EXPIRY}:N1:"

        reply = under_test.store.send(
            Enlarge(ACCOUNT, RID, held.holds[RID], enlarged, extra_nanousd=701, keyslot="")
        )

        assert reply == Declined(held)

    def test_sent_again_it_declines_and_shows_the_enlarged_hold(
        self, under_test: StoreUnderTest
    ) -> None:
        held = held_account(under_test)
        enlarge = Enlarge(ACCOUNT, RID, held.holds[RID], f"400:{EXPIRY}:N1:", 100, "")
        first = under_test.store.send(enlarge)

        second = under_test.store.send(enlarge)

        assert isinstance(first, Applied)
        assert first.account.available_nanousd == 600
        assert second == Declined(first.account)


class TestGrant:
    def test_credits_the_account_and_writes_its_entry(self, under_test: StoreUnderTest) -> None:
        under_test.store.open_account(make_account())
        grant = make_grant(5_000)

        granted = under_test.store.grant(grant)

        account = under_test.store.account(ACCOUNT)
        assert granted
        assert account is not None
        assert account.available_nanousd == 5_000
        assert account.granted_nanousd == 5_000
        assert under_test.store.entry(ACCOUNT, grant.rid) == grant

    def test_twice_the_same_is_once(self, under_test: StoreUnderTest) -> None:
        under_test.store.open_account(make_account())
        under_test.store.grant(make_grant(5_000))

        again = under_test.store.grant(make_grant(5_000))

        account = under_test.store.account(ACCOUNT)
        assert not again
        assert account is not None
        assert account.available_nanousd == 5_000
        assert account.granted_nanousd == 5_000

    def test_an_unknown_account_is_not_made_of_credits(self, under_test: StoreUnderTest) -> None:
        grant = make_grant(5_000)

        with pytest.raises(LookupError, match=ACCOUNT):
            under_test.store.grant(grant)

        assert under_test.store.account(ACCOUNT) is None
        assert under_test.store.entry(ACCOUNT, grant.rid) is None


class TestExpiring:
    def test_lists_what_is_due_by_then_the_longest_overdue_first(
        self, under_test: StoreUnderTest
    ) -> None:
        for account_id, expires_at in (("usr_c", 30), ("usr_a", 31), ("usr_b", 10), ("usr_d", 20)):
            hold = make_hold(1, expires_at=expires_at)
            under_test.put(make_account(account_id, holds={RID: hold}))
        under_test.put(make_account("usr_without_holds"))

        due = under_test.store.expiring(30, 100)

        assert due == ["usr_b", "usr_d", "usr_c"]

    def test_lists_no_more_than_the_limit(self, under_test: StoreUnderTest) -> None:
        for number in range(20):
            hold = make_hold(1, expires_at=100 + number)
            under_test.put(make_account(f"usr_{number}", holds={RID: hold}))

        due = under_test.store.expiring(1_000, 3)

        assert due == ["usr_0", "usr_1", "usr_2"]


class TestResetNextExpiry:
    def test_moves_the_account_to_its_next_expiry(self, under_test: StoreUnderTest) -> None:
        under_test.put(make_account(holds={RID: make_hold(1, expires_at=500)}))

        applied = under_test.store.reset_next_expiry(ACCOUNT, 500, 900)

        assert applied
        assert under_test.store.expiring(899, 10) == []
        assert under_test.store.expiring(900, 10) == [ACCOUNT]

    def test_takes_an_account_without_holds_out_of_the_index(
        self, under_test: StoreUnderTest
    ) -> None:
        under_test.put(replace(make_account(), next_expiry=500))

        applied = under_test.store.reset_next_expiry(ACCOUNT, 500, None)

        assert applied
        assert under_test.store.account(ACCOUNT) == make_account()
        assert under_test.store.expiring(NOON, 10) == []

    def test_an_account_with_a_hold_stays_in_the_index(self, under_test: StoreUnderTest) -> None:
        account = make_account(holds={RID: make_hold(1, expires_at=500)})
        under_test.put(account)

        applied = under_test.store.reset_next_expiry(ACCOUNT, 500, None)

        assert not applied
        assert under_test.store.account(ACCOUNT) == account

    def test_an_index_that_changed_meanwhile_is_left(self, under_test: StoreUnderTest) -> None:
        account = make_account(holds={RID: make_hold(1, expires_at=500)})
        under_test.put(account)

        applied = under_test.store.reset_next_expiry(ACCOUNT, 499, 900)

        assert not applied
        assert under_test.store.account(ACCOUNT) == account

    def test_an_unknown_account_is_not_made(self, under_test: StoreUnderTest) -> None:
        applied = under_test.store.reset_next_expiry(ACCOUNT, 500, 900)

        assert not applied
        assert under_test.store.account(ACCOUNT) is None


class TestReading:
    def test_what_is_not_there_is_none(self, under_test: StoreUnderTest) -> None:
        assert under_test.store.account(ACCOUNT) is None
        assert under_test.store.entry(ACCOUNT, RID) is None
        assert list(under_test.store.entries(ACCOUNT)) == []

    def test_a_scan_finds_every_account_whole(self, under_test: StoreUnderTest) -> None:
        ada = make_account(holds={RID: make_hold(5)}, counters={DAY: 1, "k7": 5})
        bob = make_account("usr_bob", status=AccountStatus.SUSPENDED, debt_nanousd=9)
        under_test.put(ada)
        under_test.put(bob)

        found = sorted(under_test.store.accounts(), key=lambda account: account.account_id)

        assert found == [ada, bob]

    def test_the_parts_of_a_scan_are_together_every_account_once(
        self, under_test: StoreUnderTest
    ) -> None:
        for number in range(12):
            under_test.put(make_account(f"usr_{number:02}"))

        parts = [list(under_test.store.accounts(part=part, parts=3)) for part in range(3)]

        found = sorted(account.account_id for part in parts for account in part)
        assert found == [f"usr_{number:02}" for number in range(12)]
        assert max(len(part) for part in parts) < 12

    def test_entries_come_oldest_first_across_months(self, under_test: StoreUnderTest) -> None:
        under_test.put(make_account(created_ms=SEPTEMBER_MS))
        times_ms = (NOON_MS, SEPTEMBER_MS, OCTOBER_MS, NOON_MS - 1, NOON_MS + 1)
        for number, time_ms in enumerate(times_ms):
            under_test.store.send(Decide(make_entry(make_ulid(time_ms, number))))
        under_test.store.send(Decide(make_entry(make_ulid(NOON_MS, 1), account_id="usr_bob")))

        entries = list(under_test.store.entries(ACCOUNT))

        assert [entry.rid for entry in entries] == [
            make_ulid(SEPTEMBER_MS, 1),
            make_ulid(OCTOBER_MS, 2),
            make_ulid(NOON_MS - 1, 3),
            make_ulid(NOON_MS, 0),
            make_ulid(NOON_MS + 1, 4),
        ]

    def test_entries_longer_than_a_page_are_all_there(self, under_test: StoreUnderTest) -> None:
        under_test.put(make_account())
        for number in range(5):
            long = replace(make_entry(make_rid(number)), facts={"padding": "x" * 350_000})
            under_test.store.send(Decide(long))

        entries = list(under_test.store.entries(ACCOUNT))

        assert [entry.rid for entry in entries] == [make_rid(number) for number in range(5)]
