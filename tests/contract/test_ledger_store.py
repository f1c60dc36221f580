"""What every store of the ledger must do: the fake and DynamoDB answer one suite alike."""

from dataclasses import replace

import pytest

from farebox.domain.ledger import Account, AccountStatus
from farebox.domain.protocol import (
    Admission,
    Applied,
    Declined,
    Reason,
    Reserve,
    why_declined,
)
from farebox.domain.quotas import QuotaLimits
from farebox.domain.tiers import Tier
from tests.builders import (
    ACCOUNT,
    make_account,
    make_admission,
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
