"""What every store of the ledger must do with holds and entries once they are there."""

from dataclasses import replace

from farebox.domain.ledger import HOUSE, Account, EntryKind, Fact
from farebox.domain.protocol import (
    Applied,
    Decide,
    Deciding,
    Declined,
    Enlarge,
    Release,
    Releasing,
    Renew,
    Reserve,
    Resolved,
    Stands,
)
from tests.builders import (
    ACCOUNT,
    make_account,
    make_admission,
    make_entry,
    make_hold,
    make_rid,
)
from tests.contract.conftest import StoreUnderTest

DAY, MONTH, LIFETIME = "d20261120", "m202611", "t"
NOON = 1_795_176_000
EXPIRY = NOON + 150
SEPTEMBER_MS, OCTOBER_MS = 1_789_000_000_000, 1_792_000_000_000
COUNTED_ONCE = {DAY: 1, MONTH: 1, LIFETIME: 1}
RID, OTHER_RID = make_rid(1), make_rid(2)


def held_account(under_test: StoreUnderTest, keyslot: str = "") -> Account:
    """Place an account of 1,000 of which 300 are held for one call."""
    admission = make_admission(quote_nanousd=300, keyslot=keyslot)
    under_test.put(make_account(available_nanousd=1_000))
    reply = under_test.store.send(Reserve(admission, make_hold(300, keyslot=keyslot)))
    assert isinstance(reply, Applied)
    return reply.account


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
