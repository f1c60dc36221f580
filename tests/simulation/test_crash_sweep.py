"""Every request, broken at every one of its calls, in every way a call can break.

A write that is late is delivered before each of the calls that follow, the recovery's included, and
after all of them.
"""

from dataclasses import dataclass
from itertools import combinations, product

import pytest

from farebox.domain.ledger import EntryKind
from tests.builders import ACCOUNT, LedgerWorld, make_ledger, make_rid
from tests.fakes.books import check_books
from tests.fakes.ledger_store import WRITE_FAULTS, Fault
from tests.simulation.requests import REQUESTS, Outcome, Request, recover, run

IN_ORDER = tuple(each for each in WRITE_FAULTS if each is not Fault.LATE)


@dataclass(frozen=True, slots=True)
class Break:
    """Where a request is broken, and how."""

    call: int
    fault: Fault


def calls_of(request: Request) -> int:
    world = make_ledger()
    request(world)
    return len(world.store.calls)


def broken(request: Request, *breaks: Break) -> LedgerWorld:
    """Run a request that breaks there; nothing has recovered yet."""
    world = make_ledger()
    world.store.faults.update({each.call: each.fault for each in breaks})
    check_told(world, run(request, world))
    return world


def check_told(world: LedgerWorld, outcome: Outcome) -> None:
    """Check that what a use case was told, with an account to show for it, is what stands."""
    told = outcome.resolved
    if told is not None and told.account is not None:
        assert world.store.state(ACCOUNT).entries[told.entry.rid] == told.entry


def check_recovered(world: LedgerWorld, where: object) -> None:
    """Check that every hold is gone and every nano-dollar is where an entry says."""
    try:
        check_books(world.store, world.clock.now_seconds)
    except AssertionError as error:
        raise AssertionError(f"{where}: {error}") from error
    account = world.account
    assert dict(account.holds) == {}, where
    assert account.available_nanousd + account.spent_nanousd == 1_000, where
    assert not world.queue.waiting, where


def later_points(request: Request, k: int) -> range:
    """Give the calls before which a late call k can arrive; none if it writes nothing."""
    never = broken(request, Break(k, Fault.LATE))
    recover(never)
    return range(k + 1, len(never.store.calls) + 1 if never.store.undelivered else 0)


def delivered(request: Request, k: int, j: int, *breaks: Break) -> LedgerWorld:
    """Let call k be late and arrive before call j, if that comes within six minutes, or then."""
    world = make_ledger()
    world.store.faults.update({each.call: each.fault for each in breaks} | {k: Fault.LATE})
    landed: list[int] = []

    def arrive() -> None:
        world.store.deliver_all()
        landed.append(world.clock.now_seconds)

    world.store.before[j] = arrive
    check_told(world, run(request, world))
    for _ in range(6):
        if not landed:
            recover(world, minutes=1)
    if not landed:
        arrive()
    return world


@pytest.mark.parametrize("fault", IN_ORDER)
@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_broken_anywhere_leaves_clean_books(name: str, fault: Fault) -> None:
    request = REQUESTS[name]

    for k in range(calls_of(request)):
        world = broken(request, Break(k, fault))
        check_books(world.store)
        recover(world, on_time=True)

        check_recovered(world, f"{fault} at call {k}")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_write_may_arrive_at_any_later_time_and_is_gone_in_four_minutes(name: str) -> None:
    request = REQUESTS[name]
    cases = 0

    for k in range(calls_of(request)):
        for j in later_points(request, k):
            world = delivered(request, k, j)
            recover(world, minutes=4)
            cases += 1

            check_recovered(world, f"call {k} delivered before call {j}")

    assert cases > 20


@pytest.mark.parametrize("name", REQUESTS)
def test_a_late_write_may_meet_another_fault(name: str) -> None:
    request = REQUESTS[name]
    calls = range(calls_of(request) + 1)

    for k, i, fault in product(calls, calls, IN_ORDER):
        for j in later_points(request, k) if i != k else ():
            world = delivered(request, k, j, Break(i, fault))
            recover(world)

            check_recovered(world, f"call {k} delivered before call {j}, {fault} at call {i}")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_broken_twice_leaves_clean_books(name: str) -> None:
    request = REQUESTS[name]
    where = combinations(range(calls_of(request) + 2), 2)

    for (k, j), first, second in product(where, IN_ORDER, IN_ORDER):
        world = broken(request, Break(k, first), Break(j, second))
        recover(world)

        check_recovered(world, f"{first} at call {k}, {second} at call {j}")


@pytest.mark.long
@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_broken_three_times_leaves_clean_books(name: str) -> None:
    request = REQUESTS[name]

    for calls in combinations(range(calls_of(request) + 3), 3):
        for faults in product(IN_ORDER, repeat=3):
            world = broken(request, *map(Break, calls, faults))
            recover(world)

            check_recovered(world, f"{faults} at calls {calls}")


@pytest.mark.parametrize("fault", WRITE_FAULTS)
def test_a_sweeper_broken_anywhere_is_finished_by_the_next(fault: Fault) -> None:
    request = REQUESTS["settle"]
    dead = Break(calls_of(request) - 1, Fault.CRASH_BEFORE)
    calls = broken(request, dead)
    done = len(calls.store.calls)
    recover(calls)

    for k in range(done, len(calls.store.calls)):
        world = broken(request, dead, Break(k, fault))
        recover(world)

        check_recovered(world, f"{fault} at call {k}")
        assert world.account.spent_nanousd == 40


@pytest.mark.parametrize("name", ["settle", "settle after enlarging", "settle after renewing"])
def test_a_sweeper_may_step_in_before_any_call(name: str) -> None:
    request = REQUESTS[name]

    for j in range(calls_of(request)):
        world = make_ledger()

        def sweep_as_if_expired(world: LedgerWorld = world) -> None:
            world.clock.tick(200)
            world.ledger.sweep_all()

        world.store.before[j] = sweep_as_if_expired
        run(request, world)
        recover(world, on_time=True)

        check_recovered(world, f"swept before call {j}")


def test_what_was_decided_is_charged_though_the_worker_died() -> None:
    world = broken(REQUESTS["settle"], Break(1, Fault.CRASH_AFTER))

    recover(world, on_time=True)

    assert world.account.spent_nanousd == 40
    assert world.store.state(ACCOUNT).entries[make_rid()].kind is EntryKind.SETTLEMENT


def test_what_was_not_decided_is_given_back() -> None:
    world = broken(REQUESTS["settle"], Break(1, Fault.CRASH_BEFORE))

    recover(world, on_time=True)

    assert world.account.spent_nanousd == 0
    assert world.store.state(ACCOUNT).entries[make_rid()].kind is EntryKind.EXPIRY
