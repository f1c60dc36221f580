"""The ledger's nouns: hold strings, and what an account's figures say."""

import pytest

from farebox.domain.ledger import LEASE_SECONDS, RENEW_EVERY_SECONDS, Hold
from tests.builders import make_account, make_hold, make_rid


def test_a_lease_outlives_two_renewals_that_failed() -> None:
    assert LEASE_SECONDS - 2 * RENEW_EVERY_SECONDS == 30


class TestHoldStrings:
    def test_a_hold_is_one_string(self) -> None:
        hold = Hold(amount_nanousd=2_500, expires_at=1_795_176_150, nonce="0A1B", keyslot="3")

        assert str(hold) == "2500:1795176150:0A1B:3"

    def test_a_hold_without_a_key_budget_has_an_empty_slot(self) -> None:
        assert str(Hold(2_500, 1_795_176_150, "0A1B")) == "2500:1795176150:0A1B:"

    @pytest.mark.parametrize("keyslot", ["", "3"])
    def test_a_hold_is_read_back_from_its_string(self, keyslot: str) -> None:
        hold = Hold(2_500, 1_795_176_150, "0A1B", keyslot)

        assert Hold.parse(str(hold)) == hold

    def test_a_string_that_is_no_hold_is_refused(self) -> None:
        with pytest.raises(ValueError, match="not enough values"):
            Hold.parse("2500:1795176150")


class TestAccountFigures:
    def test_held_is_the_sum_of_the_open_holds(self) -> None:
        account = make_account(holds={make_rid(1): make_hold(100), make_rid(2): make_hold(250)})

        assert account.held_nanousd == 350

    def test_an_account_whose_figures_add_up_leaves_nothing_unexplained(self) -> None:
        account = make_account(
            available_nanousd=600, spent_nanousd=300, holds={make_rid(): make_hold(100)}
        )

        assert account.granted_nanousd == 1_000
        assert account.unexplained_nanousd == 0

    def test_debt_is_what_was_spent_beyond_what_came_in(self) -> None:
        account = make_account(available_nanousd=0, spent_nanousd=700, debt_nanousd=200)

        assert account.granted_nanousd == 500
        assert account.unexplained_nanousd == 0

    def test_a_minted_nano_dollar_shows(self) -> None:
        honest = make_account(available_nanousd=600, spent_nanousd=400)
        minted = type(honest)(
            honest.account_id,
            honest.tier,
            available_nanousd=601,
            spent_nanousd=400,
            granted_nanousd=1_000,
        )

        assert minted.unexplained_nanousd == 1


class TestExpiredHolds:
    def test_a_hold_has_expired_at_the_very_second_of_its_lease_s_end(self) -> None:
        account = make_account(holds={make_rid(): make_hold(expires_at=500)})

        assert account.expired_holds(499) == ()
        assert account.expired_holds(500) == (make_rid(),)

    def test_the_longest_expired_comes_first(self) -> None:
        account = make_account(
            holds={
                make_rid(1): make_hold(expires_at=500),
                make_rid(2): make_hold(expires_at=300),
                make_rid(3): make_hold(expires_at=900),
            }
        )

        assert account.expired_holds(600) == (make_rid(2), make_rid(1))
