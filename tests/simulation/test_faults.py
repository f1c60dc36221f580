"""The fake store fails exactly as it is told to: once, at that call, in that way."""

import pytest

from farebox.domain.errors import StoreConflict, StoreUnavailable
from farebox.domain.ledger import Account
from farebox.domain.protocol import Applied, Reserve, Reserving
from tests.builders import ACCOUNT, make_account, make_admission, make_ledger
from tests.fakes.ledger_store import Call, Crash, FakeLedgerStore, Fault

RESERVE = Reserving(make_admission()).send("N1", 1_795_176_000)[1]


@pytest.fixture
def ledger_store() -> FakeLedgerStore:
    return FakeLedgerStore([make_account()])


def holds(store: FakeLedgerStore) -> int:
    return len(store.look(ACCOUNT).holds)


@pytest.mark.parametrize(
    ("fault", "error", "applied"),
    [
        (Fault.CRASH_BEFORE, Crash, 0),
        (Fault.CRASH_AFTER, Crash, 1),
        (Fault.THROTTLE, StoreUnavailable, 0),
        (Fault.CONFLICT, StoreConflict, 0),
        (Fault.LOST_REPLY, StoreUnavailable, 1),
        (Fault.LATE, StoreUnavailable, 0),
    ],
)
def test_a_write_is_applied_or_not_as_the_fault_says(
    ledger_store: FakeLedgerStore, fault: Fault, error: type[BaseException], applied: int
) -> None:
    ledger_store.plan(fault)

    with pytest.raises(error):
        ledger_store.send(RESERVE)

    assert holds(ledger_store) == applied


def test_the_next_call_is_answered(ledger_store: FakeLedgerStore) -> None:
    ledger_store.plan(Fault.THROTTLE)
    with pytest.raises(StoreUnavailable):
        ledger_store.send(RESERVE)

    assert isinstance(ledger_store.send(RESERVE), Applied)


def test_a_late_write_is_judged_when_it_arrives(ledger_store: FakeLedgerStore) -> None:
    ledger_store.plan(Fault.LATE)
    with pytest.raises(StoreUnavailable):
        ledger_store.send(RESERVE)
    ledger_store.put(make_account(available_nanousd=99))

    ledger_store.deliver()

    assert holds(ledger_store) == 0
    assert ledger_store.undelivered == []


def test_every_call_is_recorded_whatever_becomes_of_it(ledger_store: FakeLedgerStore) -> None:
    ledger_store.plan(Fault.THROTTLE)
    with pytest.raises(StoreUnavailable):
        ledger_store.send(RESERVE)
    ledger_store.account(ACCOUNT)

    assert ledger_store.calls == [Call("reserve", ACCOUNT), Call("account", ACCOUNT)]


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_a_read_may_be_the_last_thing_somebody_did(
    ledger_store: FakeLedgerStore, fault: Fault
) -> None:
    ledger_store.plan(fault)

    with pytest.raises(Crash):
        ledger_store.account(ACCOUNT)


def test_a_stale_index_shows_what_the_last_look_saw() -> None:
    world = make_ledger()
    world.store.expiring(world.clock.now_seconds + 150, 10)
    world.hold()
    world.store.plan(Fault.STALE)

    stale = world.store.expiring(world.clock.now_seconds + 150, 10)
    fresh = world.store.expiring(world.clock.now_seconds + 150, 10)

    assert (stale, fresh) == ([], [ACCOUNT])


def test_others_step_in_once_before_the_call(ledger_store: FakeLedgerStore) -> None:
    seen: list[Account | None] = []
    ledger_store.before[1] = lambda: seen.append(ledger_store.look(ACCOUNT))

    ledger_store.account(ACCOUNT)
    ledger_store.account(ACCOUNT)
    ledger_store.account(ACCOUNT)

    assert len(seen) == 1


def test_only_what_changed_something_is_in_the_history(ledger_store: FakeLedgerStore) -> None:
    ledger_store.send(RESERVE)
    ledger_store.send(Reserve(RESERVE.admission, RESERVE.hold))

    assert ledger_store.applied == [RESERVE]
