import pytest

from farebox.domain.errors import NotFound, StoreUnavailable
from farebox.services.read_account import ReadAccount
from tests.builders import make_account, make_hold, make_ledger, make_rid
from tests.chat_world import make_principal
from tests.fakes.ledger_store import Fault


def test_an_account_is_read_in_one_call() -> None:
    world = make_ledger(make_account(available_nanousd=700))

    account = ReadAccount(world.ledger)(make_principal())

    assert account.available_nanousd == 700
    assert world.store.kinds() == ["account"]


def test_what_has_expired_is_given_back_first() -> None:
    dead = make_hold(300, expires_at=1)
    world = make_ledger(make_account(available_nanousd=700, holds={make_rid(): dead}))

    account = ReadAccount(world.ledger)(make_principal())

    assert account.available_nanousd == 1_000
    assert account.holds == {}


def test_a_credential_without_an_account_is_told_so() -> None:
    world = make_ledger(make_account("usr_bob"))

    with pytest.raises(NotFound, match="This credential has no account"):
        ReadAccount(world.ledger)(make_principal())


def test_a_store_that_is_down_is_no_missing_account() -> None:
    world = make_ledger()
    world.store.plan(Fault.THROTTLE)

    with pytest.raises(StoreUnavailable):
        ReadAccount(world.ledger)(make_principal())
