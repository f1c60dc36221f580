"""What every store of the ledger must do for its sweeper, its grants and its readers."""

from dataclasses import replace

import pytest

from farebox.domain.ids import make_ulid
from farebox.domain.ledger import AccountStatus
from farebox.domain.protocol import (
    Decide,
)
from tests.builders import (
    ACCOUNT,
    make_account,
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
