"""The real ledger over a store that fails at will, against a model of plain integers.

Every rule may meet a fault at each of its first few calls. The model knows what was granted, and
for each request what it may have been charged: nothing yet, one of the costs it tried to settle
for, or, once somebody was told, exactly that.
"""

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
from farebox.domain.ledger import EntryKind, Hold
from farebox.domain.protocol import Admission, Held, Resolved
from farebox.domain.quotas import SECONDS_A_DAY, QuotaLimits, day_reset_seconds
from tests.builders import LedgerWorld, make_account, make_admission, make_grant, make_ledger
from tests.fakes.books import check_books
from tests.fakes.ledger_store import WRITE_FAULTS, Crash, Fault

ACCOUNTS = ("usr_ada", "usr_bob")
LIMITS = QuotaLimits(day=6, month=12, lifetime=30)

faults = st.lists(st.sampled_from([None, None, *WRITE_FAULTS]), max_size=6)
fractions = st.sampled_from([0, 1, 50, 99, 100])
accounts = st.sampled_from(ACCOUNTS)


@dataclass(slots=True)
class Request:
    """What the model knows of one request."""

    admission: Admission
    held: Held
    costs: set[int] = field(default_factory=lambda: {0})
    """What it may have been charged."""
    over: bool = False


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

    # ── Credits ──────────────────────────────────────────────────────────────────────────────────

    @initialize(amount_nanousd=st.integers(0, 2_000))
    def begin_with_credits(self, amount_nanousd: int) -> None:
        for account_id in ACCOUNTS:
            self.world.store.grant(make_grant(amount_nanousd, account_id=account_id, number=0))
            self.granted[account_id] += amount_nanousd

    @rule(
        account_id=accounts,
        number=st.integers(1, 4),
        fault=st.sampled_from([None, *WRITE_FAULTS]),
    )
    def grant(self, account_id: str, number: int, fault: Fault | None) -> None:
        """The same number is the same grant, however often it is made."""
        self.world.store.plan(fault)
        entry = make_grant(number * 100, account_id=account_id, number=number)
        try:
            self.world.store.grant(entry)
        except (Crash, StoreError):
            pass
        if fault in (None, Fault.CRASH_AFTER, Fault.LOST_REPLY):
            self._count_grant(account_id, number)

    def _count_grant(self, account_id: str, number: int) -> None:
        if (account_id, number) not in self.grants:
            self.grants.add((account_id, number))
            self.granted[account_id] += number * 100

    # ── Requests ─────────────────────────────────────────────────────────────────────────────────

    @rule(
        account_id=accounts,
        quote_nanousd=st.integers(0, 600),
        keyslot=st.sampled_from(["", "1"]),
        faults=faults,
    )
    def reserve(
        self, account_id: str, quote_nanousd: int, keyslot: str, faults: list[Fault | None]
    ) -> None:
        admission = make_admission(
            self.world.ledger.new_rid(),
            account_id=account_id,
            quote_nanousd=quote_nanousd,
            limits=LIMITS,
            keyslot=keyslot,
            key_budget_nanousd=1_500 if keyslot else None,
        )
        admissible = self._admissible(admission)
        self.world.store.plan(*faults)
        try:
            outcome = self.world.ledger.reserve(admission)
        except (Crash, StoreError):
            assert any(faults)
            return
        if isinstance(outcome, Held):
            self.requests.append(Request(admission, outcome))
        if admissible is not None and not any(faults):
            assert isinstance(outcome, Held) is admissible

    def _admissible(self, admission: Admission) -> bool | None:
        """Tell whether it must be admitted; unknown while expired holds may yet be swept."""
        account = self.world.store.look(admission.account_id)
        if account.expired_holds(self.world.clock.now_seconds):
            return None
        used = account.counters
        return (
            account.available_nanousd >= admission.quote_nanousd
            and all(used.get(each.window, 0) < (each.limit or 0) for each in admission.windows)
            and (
                not admission.keyslot or used.get("k1", 0) + admission.quote_nanousd <= 1_500
            )
        )

    def _pick(self, data: st.DataObject) -> Request:
        return data.draw(st.sampled_from([each for each in self.requests if not each.over]))

    def _any_open(self) -> bool:
        return any(not each.over for each in self.requests)

    @precondition(_any_open)
    @rule(data=st.data(), percent=fractions, faults=faults)
    def settle(self, data: st.DataObject, percent: int, faults: list[Fault | None]) -> None:
        request = self._pick(data)
        cost_nanousd = Hold.parse(request.held.hold).amount_nanousd * percent // 100
        request.costs.add(cost_nanousd)
        self.world.store.plan(*faults)
        try:
            resolved = self.world.ledger.settle(request.admission, request.held, cost_nanousd, {})
        except (Crash, StoreError):
            assert any(faults)
            request.over = data.draw(st.booleans(), label="died for good")
            return
        self._told(request, resolved)

    @precondition(_any_open)
    @rule(data=st.data(), faults=faults)
    def void(self, data: st.DataObject, faults: list[Fault | None]) -> None:
        request = self._pick(data)
        self.world.store.plan(*faults)
        try:
            resolved = self.world.ledger.void(request.admission, request.held, {})
        except (Crash, StoreError):
            assert any(faults)
            return
        self._told(request, resolved)

    def _told(self, request: Request, resolved: Resolved) -> None:
        """Whoever was told a decision, with an account to show for it, was told the one."""
        request.over = True
        if resolved.account is not None:
            charged = resolved.entry.kind is EntryKind.SETTLEMENT
            assert resolved.entry.amount_nanousd in request.costs
            request.costs = {resolved.entry.amount_nanousd if charged else 0}

    @precondition(_any_open)
    @rule(data=st.data(), faults=faults)
    def renew(self, data: st.DataObject, faults: list[Fault | None]) -> None:
        request = self._pick(data)
        self.world.store.plan(*faults)
        try:
            renewed = self.world.ledger.renew(request.admission, request.held)
        except Crash:
            return
        request.held = renewed or request.held

    @precondition(_any_open)
    @rule(data=st.data(), extra_nanousd=st.integers(1, 400), faults=faults)
    def enlarge(
        self, data: st.DataObject, extra_nanousd: int, faults: list[Fault | None]
    ) -> None:
        request = self._pick(data)
        to_nanousd = Hold.parse(request.held.hold).amount_nanousd + extra_nanousd
        self.world.store.plan(*faults)
        try:
            larger = self.world.ledger.enlarge(request.admission, request.held, to_nanousd)
        except (Crash, StoreError):
            assert any(faults)
            return
        request.held = larger or request.held

    # ── Time, and those who come with it ─────────────────────────────────────────────────────────

    @rule(seconds=st.sampled_from([0.2, 30, 61, 149, 151, 400]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.tick(seconds)

    @rule(seconds_before=st.sampled_from([0, 1]))
    def midnight_comes(self, seconds_before: int) -> None:
        midnight = day_reset_seconds(self.world.clock.now_ms())
        self.world.clock.set((midnight - seconds_before) * 1_000)

    @rule(faults=st.lists(st.sampled_from([None, None, *Fault]), max_size=8), all_of=st.booleans())
    def sweep(self, faults: list[Fault | None], *, all_of: bool) -> None:
        self.world.store.plan(*faults)
        ledger = self.world.ledger
        try:
            (ledger.sweep_all if all_of else ledger.sweep_due)()
        except (Crash, StoreError):
            assert any(faults)

    @rule()
    def the_queue_is_worked_off(self) -> None:
        self.world.queue.drain(self.world.ledger)

    @precondition(lambda self: bool(self.world.store.undelivered))
    @rule(data=st.data())
    def something_late_arrives(self, data: st.DataObject) -> None:
        late = self.world.store.undelivered
        self._deliver(data.draw(st.integers(0, len(late) - 1)))

    def _deliver(self, i: int) -> None:
        account_ids = [each for each in ACCOUNTS if self.world.store.undelivered[i].call.kind]
        before = {each: set(self.world.store.state(each).entries) for each in account_ids}
        self.world.store.deliver(i)
        for account_id in ACCOUNTS:
            new = set(self.world.store.state(account_id).entries) - before[account_id]
            for number in range(1, 5):
                if make_grant(1, account_id=account_id, number=number).rid in new:
                    self._count_grant(account_id, number)

    @rule(account_id=accounts)
    def old_windows_are_cleaned_up(self, account_id: str) -> None:
        today = self.world.clock.now_ms() // 1_000 // SECONDS_A_DAY
        for window in list(self.world.store.look(account_id).counters):
            if window.startswith("d") and _day(window) < today - 1:
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


def _day(window: str) -> int:
    """Give the number of a day window's day since 1970."""
    return 0


def test_any_history_keeps_the_books() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        LedgerMachine,
        settings=settings(
            max_examples=200,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.long
def test_any_long_history_keeps_the_books() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        LedgerMachine,
        settings=settings(
            max_examples=1_000,
            stateful_step_count=200,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
