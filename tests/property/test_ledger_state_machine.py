"""The real ledger over a store that fails at will, against a model of plain integers.

Every rule may meet a fault at each of its first few calls. The model knows what was granted, and
for each request what it may have been charged: nothing yet, one of the costs it tried to settle
for, or, once somebody was told, exactly that.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from farebox.domain.errors import StoreError
from farebox.domain.ledger import Hold
from farebox.domain.protocol import Admission, Held, Resolved, TurnedDown
from farebox.domain.quotas import SECONDS_A_DAY, QuotaLimits, day_reset_seconds, windows_of
from tests.builders import LedgerWorld, make_account, make_admission, make_grant, make_ledger
from tests.fakes.books import check_books
from tests.fakes.ledger_store import WRITE_FAULTS, Crash, Fault

ACCOUNTS = ("usr_ada", "usr_bob")
LIMITS = QuotaLimits(day=3, month=9, lifetime=20)
KEY_BUDGET_NANOUSD = 1_500

faults = st.just([Fault.LATE]) | st.lists(st.sampled_from([None, None, *WRITE_FAULTS]), max_size=6)
sweep_faults = st.lists(st.sampled_from([None, None, *Fault]), max_size=8)
quotes = st.integers(0, 500)
keyslots = st.sampled_from(["", "1"])
before_call = st.none() | st.integers(0, 6)
accounts = st.sampled_from(ACCOUNTS)
grant_numbers = st.integers(1, 4)


@dataclass(slots=True)
class Request:
    """What the model knows of one request."""

    admission: Admission
    held: Held
    costs: set[int] = field(default_factory=lambda: {0})
    """What it may have been charged."""
    over: bool = False


def any_open(machine: "LedgerMachine") -> bool:
    return any(not each.over for each in machine.requests)


class LedgerMachine(RuleBasedStateMachine):
    """Requests, grants, sweepers, midnight and faults, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world: LedgerWorld = make_ledger(
            *(make_account(each, available_nanousd=0) for each in ACCOUNTS)
        )
        self.granted = dict.fromkeys(ACCOUNTS, 0)
        self.grants: set[tuple[str, int]] = set()
        self.requests: list[Request] = []

    def attempt[T](self, faults: Sequence[Fault | None], act: Callable[[], T]) -> T | None:
        """Do something whose calls meet these faults; `None` when it died or was not answered."""
        self.world.store.plan(*faults)
        try:
            return act()
        except (Crash, StoreError):
            assert any(faults)
            return None
        finally:
            self.world.store.faults.clear()
            self.world.store.before.clear()

    def let_in(self, before_call: int | None, other: Callable[[], object]) -> None:
        """Let somebody else act just before one of the next calls, whatever that brings them."""

        def step_in() -> None:
            with contextlib.suppress(Crash, StoreError):
                other()

        if before_call is not None:
            self.world.store.before[len(self.world.store.calls) + before_call] = step_in

    # ── Credits ──────────────────────────────────────────────────────────────────────────────────

    @initialize(amount_nanousd=st.integers(500, 3_000))
    def begin_with_credits(self, amount_nanousd: int) -> None:
        for account_id in ACCOUNTS:
            self.world.store.grant(make_grant(amount_nanousd, account_id=account_id, number=0))
            self.granted[account_id] += amount_nanousd

    @rule(account_id=accounts, number=grant_numbers, fault=st.sampled_from([None, *WRITE_FAULTS]))
    def grant(self, account_id: str, number: int, fault: Fault | None) -> None:
        """The same number is the same grant, however often it is made."""
        entry = make_grant(number * 100, account_id=account_id, number=number)
        self.attempt([fault], lambda: self.world.store.grant(entry))
        if fault in (None, Fault.CRASH_AFTER, Fault.LOST_REPLY):
            self._count_grant(account_id, number)

    def _count_grant(self, account_id: str, number: int) -> None:
        if (account_id, number) not in self.grants:
            self.grants.add((account_id, number))
            self.granted[account_id] += number * 100

    # ── Requests ─────────────────────────────────────────────────────────────────────────────────

    @rule(account_id=accounts, quote_nanousd=quotes, keyslot=keyslots)
    def reserve(self, account_id: str, quote_nanousd: int, keyslot: str) -> None:
        """With nothing in the way it is admitted exactly if it must be."""
        admission = self._admission(account_id, quote_nanousd, keyslot)
        admissible = self._admissible(admission)
        outcome = self._reserve(admission)
        if admissible is not None:
            assert isinstance(outcome, Held) is admissible

    @rule(account_id=accounts, quote_nanousd=quotes, keyslot=keyslots, faults=faults)
    def reserve_under_faults(
        self, account_id: str, quote_nanousd: int, keyslot: str, faults: list[Fault | None]
    ) -> None:
        admission = self._admission(account_id, quote_nanousd, keyslot)
        self.attempt(faults, lambda: self._reserve(admission))

    def _admission(self, account_id: str, quote_nanousd: int, keyslot: str) -> Admission:
        return make_admission(
            self.world.ledger.new_rid(),
            account_id=account_id,
            quote_nanousd=quote_nanousd,
            limits=LIMITS,
            keyslot=keyslot,
            key_budget_nanousd=KEY_BUDGET_NANOUSD if keyslot else None,
        )

    def _reserve(self, admission: Admission) -> Held | TurnedDown:
        outcome = self.world.ledger.reserve(admission)
        if isinstance(outcome, Held):
            self.requests.append(Request(admission, outcome))
        return outcome

    def _admissible(self, admission: Admission) -> bool | None:
        """Tell whether it must be admitted; unknown while expired holds may yet be swept."""
        account = self.world.store.look(admission.account_id)
        if account.expired_holds(self.world.clock.now_seconds):
            return None
        used = account.counters
        by_key_nanousd = used.get("k1", 0) + admission.quote_nanousd if admission.keyslot else 0
        return (
            account.available_nanousd >= admission.quote_nanousd
            and all(used.get(each.window, 0) < (each.limit or 0) for each in admission.windows)
            and by_key_nanousd <= KEY_BUDGET_NANOUSD
        )

    @precondition(any_open)
    @rule(
        data=st.data(),
        percent=st.sampled_from([100, 50, 1, 0]),
        faults=faults,
        swept_before=before_call,
    )
    def settle(
        self,
        data: st.DataObject,
        percent: int,
        faults: list[Fault | None],
        swept_before: int | None,
    ) -> None:
        self.let_in(swept_before, self._sweep_at_the_end_of_all_leases)
        request = self._pick(data)
        cost_nanousd = Hold.parse(request.held.hold).amount_nanousd * percent // 100
        request.costs.add(cost_nanousd)
        ledger, admission, held = self.world.ledger, request.admission, request.held
        self._told(
            request, self.attempt(faults, lambda: ledger.settle(admission, held, cost_nanousd, {}))
        )

    @precondition(any_open)
    @rule(data=st.data(), faults=faults)
    def void(self, data: st.DataObject, faults: list[Fault | None]) -> None:
        request = self._pick(data)
        ledger, admission, held = self.world.ledger, request.admission, request.held
        self._told(request, self.attempt(faults, lambda: ledger.void(admission, held, {})))

    def _told(self, request: Request, resolved: Resolved | None) -> None:
        """Whoever was told a decision, with an account to show for it, was told the one."""
        request.over = resolved is not None
        if resolved is not None and resolved.account is not None:
            assert resolved.entry.amount_nanousd in request.costs
            request.costs = {resolved.entry.amount_nanousd}

    @precondition(any_open)
    @rule(data=st.data(), faults=faults)
    def renew(self, data: st.DataObject, faults: list[Fault | None]) -> None:
        request = self._pick(data)
        ledger, admission, held = self.world.ledger, request.admission, request.held
        renewed = self.attempt(faults, lambda: ledger.renew(admission, held))
        request.held = renewed or held

    @precondition(any_open)
    @rule(data=st.data(), extra_nanousd=st.integers(1, 400), faults=faults)
    def enlarge(self, data: st.DataObject, extra_nanousd: int, faults: list[Fault | None]) -> None:
        request = self._pick(data)
        ledger, admission, held = self.world.ledger, request.admission, request.held
        to_nanousd = Hold.parse(held.hold).amount_nanousd + extra_nanousd
        larger = self.attempt(faults, lambda: ledger.enlarge(admission, held, to_nanousd))
        request.held = larger or held

    def _sweep_at_the_end_of_all_leases(self) -> None:
        self.world.clock.tick(151)
        self.world.ledger.sweep_due()

    def _pick(self, data: st.DataObject) -> Request:
        return data.draw(st.sampled_from([each for each in self.requests if not each.over]))

    # ── Time, and those who come with it ─────────────────────────────────────────────────────────

    @rule(seconds=st.sampled_from([0.2, 30, 61, 149, 151, 400]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.tick(seconds)

    @rule(seconds_before=st.sampled_from([0, 1]))
    def midnight_comes(self, seconds_before: int) -> None:
        midnight = day_reset_seconds(self.world.clock.now_ms())
        self.world.clock.set((midnight - seconds_before) * 1_000)

    @rule(
        faults=st.lists(st.sampled_from([None, None, *Fault]), max_size=8), by_index=st.booleans()
    )
    def sweep(self, faults: list[Fault | None], *, by_index: bool) -> None:
        ledger = self.world.ledger
        self.attempt(faults, ledger.sweep_due if by_index else ledger.sweep_all)

    @rule()
    def the_queue_is_worked_off(self) -> None:
        self.world.queue.drain(self.world.ledger)

    @precondition(lambda self: bool(self.world.store.undelivered))
    @rule(data=st.data())
    def something_late_arrives(self, data: st.DataObject) -> None:
        self._deliver(data.draw(st.integers(0, len(self.world.store.undelivered) - 1)))

    def _deliver(self, i: int) -> None:
        call = self.world.store.undelivered[i].call
        self.world.store.deliver(i)
        there = self.world.store.state(call.account_id).entries
        for number in range(1, 5):
            if make_grant(1, account_id=call.account_id, number=number).rid in there:
                self._count_grant(call.account_id, number)

    @rule(account_id=accounts)
    def old_windows_are_cleaned_up(self, account_id: str) -> None:
        yesterday = windows_of(self.world.clock.now_ms() - SECONDS_A_DAY * 1_000).day
        for window in list(self.world.store.look(account_id).counters):
            if window.startswith("d") and window < yesterday:
                self.world.store.clean_window(account_id, window)

    # ── What must hold ───────────────────────────────────────────────────────────────────────────

    @invariant()
    def the_books_explain_everything(self) -> None:
        check_books(self.world.store)

    @invariant()
    def what_was_granted_is_there(self) -> None:
        for account_id in ACCOUNTS:
            account = self.world.store.look(account_id)
            there = account.available_nanousd + account.held_nanousd + account.spent_nanousd
            assert there == self.granted[account_id]

    @invariant()
    def every_request_was_charged_what_it_may_have_been(self) -> None:
        for request in self.requests:
            state = self.world.store.state(request.admission.account_id)
            entry = state.entries.get(request.admission.rid)
            charged = 0 if entry is None else entry.amount_nanousd
            assert charged in request.costs

    def teardown(self) -> None:
        """In the end, with nothing failing any more, no hold is left."""
        self.world.store.faults.clear()
        while self.world.store.undelivered:
            self._deliver(0)
        self.world.queue.drain(self.world.ledger)
        for _ in range(8):
            self.world.clock.tick(60)
            self.world.ledger.sweep_due()
        check_books(self.world.store, self.world.clock.now_seconds)
        self.what_was_granted_is_there()
        self.every_request_was_charged_what_it_may_have_been()
        for account_id in ACCOUNTS:
            assert dict(self.world.store.look(account_id).holds) == {}


def test_any_history_keeps_the_books() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=400,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.long
def test_any_long_history_keeps_the_books() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=1_000,
            stateful_step_count=200,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
