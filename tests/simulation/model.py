"""An exhaustive model checker for the ledger's protocol, in a small scope.

It explores every interleaving of a few workers and sweepers on one account, with replies that are
lost, writes that arrive at any later time or never, deaths before any step, and midnight in
between. States are numbered as they are found, so that a world is a tuple of small integers and
each actor's step is computed once for each state of the store it can meet.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from farebox.domain.ledger import Account, EntryKind, Hold
from farebox.domain.quotas import windows_of
from farebox.domain.tiers import Tier
from tests.fakes.books import audit
from tests.fakes.frozen_map import FrozenMap
from tests.fakes.ledger_state import AccountState, window_removed
from tests.simulation.actors import (
    ACCOUNT,
    Actor,
    Call,
    Cast,
    Idle,
    Message,
    Over,
    Rules,
    Scope,
    Waiting,
)

_NOTHING_LATE: Final = -1
_RECOVERY_STEPS: Final = 100

type World = tuple[int, int, tuple[int, ...], tuple[int, ...]]
"""Tick, store, undelivered messages, actors; all but the tick by number."""

type Step = tuple[int, int, int]
"""The actor and the store afterwards, and the message that went on its way, if one did."""


class Numbering[T]:
    """Numbers for values, in the order they are first seen."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._numbers: dict[T, int] = {}

    def of(self, value: T) -> int:
        """Give a value's number."""
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


@dataclass(frozen=True, slots=True)
class Report:
    """What an exploration found."""

    states: int
    stores: int
    """Different states of the account among them."""
    violation: str | None
    trace: tuple[str, ...] = ()
    """How the world got there, when there is a violation."""


@dataclass(slots=True)
class Model:
    """One scope under one set of rules."""

    scope: Scope
    rules: Rules = field(default_factory=Rules)
    _cast: Cast = field(init=False)
    _stores: Numbering[AccountState] = field(default_factory=Numbering)
    _actors: Numbering[Actor] = field(default_factory=Numbering)
    _messages: Numbering[Message] = field(default_factory=Numbering)
    _steps: dict[tuple[int, int, int], tuple[Step, ...]] = field(default_factory=dict)
    _deliveries: dict[tuple[int, int], int] = field(default_factory=dict)
    _parents: dict[World, World | None] = field(default_factory=dict)
    _checked: int = 0

    def __post_init__(self) -> None:
        self._cast = Cast(self.scope, self.rules)

    def explore(self, most: int = 10_000_000) -> Report:
        """Visit every reachable world, until an invariant breaks or `most` have been seen."""
        first = self._first_world()
        self._parents = {first: None}
        frontier = deque([first])
        while frontier:
            world = frontier.popleft()
            for following in self._following(world):
                if following not in self._parents:
                    self._parents[following] = world
                    frontier.append(following)
            violation = self._check_new_stores()
            if violation is not None or len(self._parents) > most:
                return self._report(violation)
        return self._report(None)

    # ── Worlds ───────────────────────────────────────────────────────────────────────────────────

    def _first_world(self) -> World:
        account = Account(
            account_id=ACCOUNT,
            tier=Tier.TRIAL,
            available_nanousd=self.scope.credits_nanousd,
            granted_nanousd=self.scope.credits_nanousd,
            holds=FrozenMap(),
            counters=FrozenMap(),
        )
        workers: list[Actor] = [Waiting(each) for each in range(self.scope.workers)]
        sweepers: list[Actor] = [Idle() for _ in range(self.scope.sweepers)]
        actors = tuple(self._actors.of(each) for each in workers + sweepers)
        return 0, self._stores.of(AccountState(account)), (), actors

    def _following(self, world: World) -> Iterator[World]:
        tick, store, late, actors = world
        full = len(late) >= self.scope.late_at_once
        for place, actor in enumerate(actors):
            before, behind = actors[:place], actors[place + 1 :]
            for then, store_then, message in self._steps_of(actor, store, tick):
                if message == _NOTHING_LATE:
                    yield tick, store_then, late, (*before, then, *behind)
                elif not full and message not in late:
                    sent = tuple(sorted((*late, message)))
                    yield tick, store_then, sent, (*before, then, *behind)
        for message in late:
            rest = tuple(each for each in late if each != message)
            yield tick, self._delivered(message, store), rest, actors
        if tick + 1 < len(self.scope.ticks):
            yield tick + 1, store, late, actors
        elif self.scope.cleans_windows:
            yield tick, self._cleaned(store), late, actors

    def _steps_of(self, actor: int, store: int, tick: int) -> tuple[Step, ...]:
        key = (actor, store, tick)
        steps = self._steps.get(key)
        if steps is None:
            found = self._find_steps(self._actors.values[actor], store, tick)
            steps = self._steps[key] = tuple(dict.fromkeys(found))
        return steps

    def _find_steps(self, actor: Actor, store: int, tick: int) -> Iterator[Step]:
        if isinstance(actor, Over):
            return
        if isinstance(actor, Waiting):
            asking = self._cast.begin(actor, tick)
            if asking is not None:
                yield self._actors.of(asking), store, _NOTHING_LATE
        account = self._stores.values[store].account
        next_expiry = account.next_expiry if account is not None else None
        for call in self._cast.calls(actor, tick, next_expiry):
            yield from self._outcomes(call, store)
        yield self._actors.of(self._cast.died(actor)), store, _NOTHING_LATE

    def _outcomes(self, call: Call, store: int) -> Iterator[Step]:
        after, answer = self.rules.answer(self._stores.values[store], call.message)
        answered = self._actors.of(call.answered(answer))
        unanswered = self._actors.of(call.unanswered)
        applied = self._stores.of(after)
        kind = type(call.message).__name__
        yield answered, applied, _NOTHING_LATE
        if self.scope.lost_replies:
            yield unanswered, applied, _NOTHING_LATE
        if kind in self.scope.late_kinds:
            yield unanswered, store, self._messages.of(call.message)
        if self.rules.client_resends and kind == "Reserve":
            yield answered, applied, self._messages.of(call.message)

    def _delivered(self, message: int, store: int) -> int:
        key = (message, store)
        if key not in self._deliveries:
            state, sent = self._stores.values[store], self._messages.values[message]
            self._deliveries[key] = self._stores.of(self.rules.answer(state, sent)[0])
        return self._deliveries[key]

    def _cleaned(self, store: int) -> int:
        first_day = windows_of(self.scope.ticks[0] * 1000).day
        return self._stores.of(window_removed(self._stores.values[store], first_day))

    # ── Checks ───────────────────────────────────────────────────────────────────────────────────

    def _check_new_stores(self) -> str | None:
        while self._checked < len(self._stores.values):
            state = self._stores.values[self._checked]
            self._checked += 1
            wrong = next(self._wrong(state), None)
            if wrong is not None:
                return wrong
        return None

    def _wrong(self, state: AccountState) -> Iterator[str]:
        """Say what is wrong with a state, or with what sweeping makes of it once all have died."""
        yield from self._broken(state)
        swept = self._recovered(state)
        yield from (f"after recovery, {wrong}" for wrong in self._broken(swept))
        if swept.account is not None and swept.account.holds:
            yield f"I5: {len(swept.account.holds)} holds are never swept"

    def _broken(self, state: AccountState) -> Iterator[str]:
        if state.account is None:
            return
        entries = state.entries.values()
        first_day = windows_of(self.scope.ticks[0] * 1000).day
        cleaned = (first_day,) if self.scope.cleans_windows else ()
        yield from audit(state.account, entries, cleaned=cleaned)
        limits = self.scope.limits
        for window, used in state.account.counters.items():
            limit = {"d": limits.day, "m": limits.month, "t": limits.lifetime}.get(window[0])
            if limit is not None and used > limit:
                yield f"I8: {used} calls in {window}, of {limit} allowed"
        yield from self._budget_broken(state.account, state)

    def _budget_broken(self, account: Account, state: AccountState) -> Iterator[str]:
        if self.scope.key_budget_nanousd is None:
            return
        mine: Counter[str] = Counter()
        for rid, text in account.holds.items():
            if not time_of_worker(rid):
                mine["k1"] += Hold.parse(text).amount_nanousd
        for rid, entry in state.entries.items():
            open_hold = account.holds.get(rid)
            booked = open_hold is None or Hold.parse(open_hold).nonce != entry.nonce
            if not time_of_worker(rid) and booked and entry.kind is EntryKind.SETTLEMENT:
                mine["k1"] += entry.amount_nanousd
        if account.counters.get("k1", 0) != mine["k1"]:
            yield f"I8: the key shows {account.counters.get('k1')} spent, not {mine['k1']}"

    def _recovered(self, state: AccountState) -> AccountState:
        """Let a sweeper run alone at the last tick until its index shows nothing."""
        actor: Actor = Idle()
        last = len(self.scope.ticks) - 1
        for _ in range(_RECOVERY_STEPS):
            next_expiry = state.account.next_expiry if state.account is not None else None
            call = next(self._cast.calls(actor, last, next_expiry), None)
            if call is None:
                break
            state, answer = self.rules.answer(state, call.message)
            actor = call.answered(answer)
        return state

    # ── Reports ──────────────────────────────────────────────────────────────────────────────────

    def _report(self, violation: str | None) -> Report:
        states, stores = len(self._parents), len(self._stores.values)
        trace = () if violation is None else tuple(self._trace())
        return Report(states, stores, violation, trace)

    def _trace(self) -> list[str]:
        bad = self._checked - 1
        world = next((each for each in self._parents if each[1] == bad), None)
        lines: list[str] = []
        while world is not None:
            lines.append(self._show(world))
            world = self._parents[world]
        return lines[::-1]

    def _show(self, world: World) -> str:
        tick, store, late, actors = world
        return (
            f"t{tick} {self._stores.values[store]} "
            f"late={[self._messages.values[each] for each in late]} "
            f"actors={[self._actors.values[each] for each in actors]}"
        )


def time_of_worker(rid: str) -> int:
    """Give the number of the worker a request belongs to: its id's randomness."""
    return int(rid[-1])
