"""The checker of the books is a judge: each invariant, broken once, must be named."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from farebox.domain.ledger import Account, Entry, EntryKind
from tests.builders import (
    ACCOUNT,
    LedgerWorld,
    make_account,
    make_admission,
    make_entry,
    make_grant,
    make_hold,
    make_ledger,
    make_rid,
)
from tests.fakes.books import audit, check_books

COUNTED = {"t": 1, "m202611": 1, "d20261120": 1}


def settled(cost_nanousd: int = 40) -> tuple[Account, list[Entry]]:
    """Give an account after one settled request, and its entries."""
    account = make_account(available_nanousd=960, spent_nanousd=40, counters=COUNTED)
    return account, [make_entry(amount_nanousd=cost_nanousd)]


class TestAudit:
    def test_honest_books_have_nothing_wrong(self) -> None:
        account, entries = settled()

        assert list(audit(account, entries)) == []

    def test_a_settlement_whose_hold_is_open_is_not_spent_yet(self) -> None:
        account = make_account(holds={make_rid(): make_hold()}, counters=COUNTED)

        assert list(audit(account, [make_entry(amount_nanousd=40)])) == []

    @pytest.mark.parametrize(
        ("change", "wrong"),
        [
            ({"available_nanousd": -1, "granted_nanousd": 39}, "I1: usr_ada has -1 available"),
            ({"available_nanousd": 961}, "I2: usr_ada has 1 that nothing explains"),
            (
                {"spent_nanousd": 41, "available_nanousd": 959},
                "I4: usr_ada spent 41, its settlements say 40",
            ),
            (
                {"counters": {**COUNTED, "d20261120": 2}},
                "I8: usr_ada shows 2 calls in d20261120, not 1",
            ),
            (
                {"counters": {"t": 1, "m202611": 1}},
                "I8: usr_ada shows 0 calls in d20261120, not 1",
            ),
        ],
    )
    def test_figures_that_are_off_are_named(self, change: dict[str, object], wrong: str) -> None:
        account, entries = settled()

        assert list(audit(replace(account, **change), entries)) == [wrong]  # type: ignore[arg-type]

    def test_two_entries_of_one_request_are_named(self) -> None:
        account, entries = settled()

        wrong = list(audit(account, [*entries, make_entry(kind=EntryKind.VOID)]))

        assert wrong == ["I3: a request of usr_ada has two entries"]

    @pytest.mark.parametrize("cost_nanousd", [-1, 101])
    def test_a_cost_outside_its_hold_is_named(self, cost_nanousd: int) -> None:
        account, entries = settled(cost_nanousd)

        wrong = next(audit(account, entries))

        assert wrong.startswith("I11: ")

    def test_grants_that_do_not_add_up_are_named(self) -> None:
        account = make_account(available_nanousd=1_000)

        wrong = list(audit(account, [make_grant(999)]))

        assert wrong == ["I9: usr_ada was granted 1000, its entries say 999"]

    def test_holds_the_sweeper_cannot_find_are_named(self) -> None:
        account = make_account(holds={make_rid(): make_hold()}, counters=COUNTED)

        wrong = list(audit(replace(account, next_expiry=None), []))

        assert wrong == ["I5: usr_ada has holds and the sweeper's index forgot it"]

    def test_a_window_that_was_cleaned_up_is_not_counted(self) -> None:
        account, entries = settled()
        cleaned = replace(account, counters={"t": 1, "m202611": 1})

        assert list(audit(cleaned, entries, cleaned=["d20261120"])) == []


def settle_one(world: LedgerWorld) -> None:
    admission = make_admission(keyslot="1")
    world.ledger.settle(admission, world.hold(admission), 40, {})


def release_again(world: LedgerWorld) -> None:
    world.store.applied.append(world.store.applied[-1])


def spend_on_the_key(world: LedgerWorld) -> None:
    world.store.put(replace(world.account, counters={**world.account.counters, "k1": 41}))


class TestHistory:
    def test_the_fake_s_history_agrees_with_its_books(self) -> None:
        world = make_ledger()
        settle_one(world)

        check_books(world.store, world.clock.now_seconds)

    @pytest.mark.parametrize(
        ("tamper", "wrong"),
        [
            pytest.param(release_again, "was released 2 times", id="released twice"),
            pytest.param(spend_on_the_key, "key 1 of usr_ada shows 41 spent, not 40", id="key"),
        ],
    )
    def test_what_the_history_does_not_explain_is_named(
        self, tamper: Callable[[LedgerWorld], None], wrong: str
    ) -> None:
        world = make_ledger()
        settle_one(world)
        tamper(world)

        with pytest.raises(AssertionError, match=wrong):
            check_books(world.store)

    def test_a_hold_is_overdue_ninety_seconds_after_its_lease(self) -> None:
        world = make_ledger(make_account(ACCOUNT))
        world.hold()
        end = world.clock.now_seconds + 150

        check_books(world.store, end + 90)
        with pytest.raises(AssertionError, match="outlived its lease by 91 seconds"):
            check_books(world.store, end + 91)
