"""Workers and sweepers as a model checker sees them: values, and the calls they may make next.

Every decision is taken by the protocol's own step functions; an actor only remembers where it is.
An actor that is never scheduled again is one that died, so most crashes need no state of their own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from farebox.domain.ids import make_ulid, time_of
from farebox.domain.ledger import HOUSE, Account, Entry, EntryKind, Hold
from farebox.domain.protocol import (
    Admission,
    Command,
    Deciding,
    Enlarging,
    Held,
    Release,
    Releasing,
    Renewing,
    Reply,
    Reserving,
    Resolved,
    WindowLimit,
)
from farebox.domain.quotas import QuotaLimits, windows_of
from farebox.domain.tiers import Tier
from tests.fakes.frozen_map import FrozenMap
from tests.fakes.ledger_state import AccountState, apply, index_reset

ACCOUNT: Final = "usr_ada"
MIDNIGHT: Final = 1_795_219_200
"""2026-11-21 00:00:00 UTC, in seconds."""


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of the world is explored."""

    workers: int = 2
    sweepers: int = 1
    credits_nanousd: int = 10
    quote_nanousd: int = 4
    limits: QuotaLimits = QuotaLimits(day=2, lifetime=2)  # noqa: RUF009 - it is frozen
    key_budget_nanousd: int | None = 9
    """Of the key that the first worker uses."""
    ticks: tuple[int, ...] = (MIDNIGHT - 1, MIDNIGHT + 150, MIDNIGHT + 10_000)
    """Unix seconds; at the last one every lease has run out and nobody begins anything."""
    fenced: bool = True
    """Whether a sweeper respects leases; without them it may sweep a live worker at any time."""
    sends: int = 2
    """Sends of one reserve."""
    renewals: int = 1
    enlarges: bool = False
    voids: bool = True
    late_kinds: tuple[str, ...] = ("Reserve",)
    """Commands that may be delivered at any later time, or never."""
    late_at_once: int = 1
    """Commands that may be on their way at one time."""
    lost_replies: bool = True
    self_sweeps: bool = False
    """Whether a worker that is turned down sweeps what has expired and asks once more."""
    cleans_windows: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """A consistent read of the account."""


@dataclass(frozen=True, slots=True)
class ResetIndex:
    """The sweeper's write of the index."""

    seen: int
    following: int | None


type Message = Command | Look | ResetIndex
type Answer = Reply | Account | bool | None


def _nonce(worker: int, send: int) -> str:
    return f"N{worker}{send}"


@dataclass(frozen=True, slots=True)
class Rules:
    """The protocol and the store as they are; a mutant replaces one of these."""

    apply: Callable[[AccountState, Command], tuple[AccountState, Reply]] = apply
    reset: Callable[[AccountState, int, int | None], tuple[AccountState, bool]] = index_reset
    nonce: Callable[[int, int], str] = _nonce
    """Of a worker and the number of its send."""
    follow: Callable[[Deciding, Reply], Releasing] = Deciding.after
    release: Callable[[Releasing], Release] = field(default=lambda releasing: releasing.command)
    worker_decides_first: bool = True
    sweeper_decides_first: bool = True
    client_resends: bool = False
    """Whether the client library sends a reserve a second time by itself."""

    def answer(self, state: AccountState, message: Message) -> tuple[AccountState, Answer]:
        """Let the store carry a message out."""
        if isinstance(message, Look):
            return state, state.account
        if isinstance(message, ResetIndex):
            return self.reset(state, message.seen, message.following)
        return self.apply(state, message)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A worker whose request has not come yet."""

    worker: int


@dataclass(frozen=True, slots=True)
class Asking:
    """A worker about to send its reserve, for the first time or again."""

    worker: int
    reserving: Reserving
    sent: int = 0
    """Nonces used up, those of an earlier round included."""
    swept: bool = False
    """Whether it has been turned down, has swept the account and tries once more."""


@dataclass(frozen=True, slots=True)
class Working:
    """A worker with a hold, free to renew, enlarge, settle or void."""

    worker: int
    rid: str
    hold: str
    renewals: int = 0
    enlarged: bool = False


@dataclass(frozen=True, slots=True)
class Resolving:
    """Somebody carrying a decision out; with `rest` to sweep after it, and `then` to become."""

    step: Deciding | Releasing
    then: "Actor"
    rest: tuple[tuple[str, str], ...] = ()
    afterwards: Deciding | None = None
    """What a mutant that books first still has to write."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A sweeper between two runs."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A sweeper that has swept and looks at the account again to set the index."""

    reset: ResetIndex | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """A worker that has finished, given up or died."""


type Actor = Waiting | Asking | Working | Resolving | Idle | Closing | Over


@dataclass(frozen=True, slots=True)
class Call:
    """A call an actor may make, and what it becomes with an answer and without one."""

    message: Message
    answered: Callable[[Answer], Actor]
    unanswered: Actor


@dataclass(frozen=True, slots=True)
class Cast:
    """What the actors of a scope do under given rules."""

    scope: Scope
    rules: Rules

    def calls(self, actor: Actor, tick: int, next_expiry: int | None) -> Iterator[Call]:
        """Give every call an actor may make at a tick."""
        now_seconds = self.scope.ticks[tick]
        last = tick == len(self.scope.ticks) - 1
        match actor:
            case Asking() if not last:
                yield self._ask(actor, now_seconds)
            case Working():
                yield from self._work(actor, now_seconds, last=last)
            case Resolving():
                yield self._resolve(actor)
            case Idle() if next_expiry is not None and self._due(next_expiry, now_seconds):
                yield Call(Look(), lambda seen: self._sweep(seen, now_seconds), actor)
            case Closing(None):
                yield Call(Look(), _close, actor)
            case Closing(ResetIndex() as reset):
                yield Call(reset, lambda _: Idle(), actor)
            case _:
                return

    def begin(self, actor: Waiting, tick: int) -> Asking | None:
        """Let a request come: its id, and with it its windows, are of this tick."""
        if tick == len(self.scope.ticks) - 1:
            return None
        rid = make_ulid(self.scope.ticks[tick] * 1000, actor.worker)
        by_window = self.scope.limits.by_window(windows_of(time_of(rid)))
        with_key = actor.worker == 0 and self.scope.key_budget_nanousd is not None
        admission = Admission(
            account_id=ACCOUNT,
            rid=rid,
            quote_nanousd=self.scope.quote_nanousd,
            tier=Tier.TRIAL,
            windows=tuple(WindowLimit(window, limit) for window, limit in by_window),
            keyslot="1" if with_key else "",
            key_budget_nanousd=self.scope.key_budget_nanousd if with_key else None,
        )
        return Asking(actor.worker, Reserving(admission))

    def died(self, actor: Actor) -> Actor:
        """Give what is left of an actor that died: a sweeper starts over, a worker is gone."""
        sweeps = isinstance(actor, Idle | Closing) or (
            isinstance(actor, Resolving) and isinstance(actor.then, Closing)
        )
        return Idle() if sweeps else Over()

    # ── A worker ─────────────────────────────────────────────────────────────────────────────────

    def _ask(self, actor: Asking, now_seconds: int) -> Call:
        nonce = self.rules.nonce(actor.worker, actor.sent)
        reserving, command = actor.reserving.send(nonce, now_seconds)
        sent = replace(actor, reserving=reserving, sent=actor.sent + 1)

        def answered(answer: Answer) -> Actor:
            outcome = reserving.after(_reply(answer))
            if isinstance(outcome, Held):
                return Working(actor.worker, outcome.rid, outcome.hold)
            return self._turned_down(sent, outcome.account, now_seconds)

        more = len(reserving.nonces) < self.scope.sends
        return Call(command, answered, sent if more else Over())

    def _turned_down(self, actor: Asking, account: Account | None, now_seconds: int) -> Actor:
        if account is None or actor.swept or not self.scope.self_sweeps:
            return Over()
        due = self._expired(account, now_seconds)
        again = replace(actor, reserving=Reserving(actor.reserving.admission), swept=True)
        return self._next(due, again) if due else Over()

    def _work(self, actor: Working, now_seconds: int, *, last: bool) -> Iterator[Call]:
        amount_nanousd = Hold.parse(actor.hold).amount_nanousd
        yield self._decide(actor, EntryKind.SETTLEMENT, amount_nanousd - 1)
        if self.scope.voids:
            yield self._decide(actor, EntryKind.VOID, 0)
        if actor.renewals < self.scope.renewals and not last:
            yield _renew(actor, now_seconds)
        if self.scope.enlarges and not actor.enlarged:
            yield _enlarge(actor)

    def _decide(self, actor: Working, kind: EntryKind, cost_nanousd: int) -> Call:
        deciding = _deciding(actor.rid, actor.hold, kind, cost_nanousd)
        first = self.rules.worker_decides_first
        return self._resolve(_started(deciding, Over(), decides_first=first))

    def _resolve(self, actor: Resolving) -> Call:
        step = actor.step
        if isinstance(step, Deciding):
            return Call(step.command, lambda answer: self._decided(actor, step, answer), actor)
        release = self.rules.release(step)
        return Call(release, lambda answer: self._released(actor, step, answer), actor)

    def _decided(self, actor: Resolving, step: Deciding, answer: Answer) -> Actor:
        if actor.afterwards is not None:
            return self._next(actor.rest, actor.then)
        return replace(actor, step=self.rules.follow(step, _reply(answer)))

    def _released(self, actor: Resolving, step: Releasing, answer: Answer) -> Actor:
        following = step.after(_reply(answer))
        if not isinstance(following, Resolved):
            return replace(actor, step=following)
        if actor.afterwards is not None:
            return replace(actor, step=actor.afterwards)
        return self._next(actor.rest, actor.then)

    # ── A sweeper ────────────────────────────────────────────────────────────────────────────────

    def _due(self, expires_at: int, now_seconds: int) -> bool:
        return not self.scope.fenced or expires_at <= now_seconds

    def _expired(self, account: Account, now_seconds: int) -> tuple[tuple[str, str], ...]:
        return tuple(
            (rid, hold)
            for rid, hold in sorted(account.holds.items())
            if self._due(Hold.parse(hold).expires_at, now_seconds)
        )

    def _sweep(self, seen: Answer, now_seconds: int) -> Actor:
        if not isinstance(seen, Account):
            raise TypeError(seen)
        return self._next(self._expired(seen, now_seconds), Closing())

    def _next(self, due: tuple[tuple[str, str], ...], then: Actor) -> Actor:
        if not due:
            return then
        (rid, hold), rest = due[0], due[1:]
        deciding = _deciding(rid, hold, EntryKind.EXPIRY, 0)
        first = self.rules.sweeper_decides_first
        return replace(_started(deciding, then, decides_first=first), rest=rest)


def _started(deciding: Deciding, then: Actor, *, decides_first: bool) -> Resolving:
    if decides_first:
        return Resolving(deciding, then)
    own = Releasing(deciding.entry, deciding.entry.rid, deciding.hold)
    return Resolving(own, then, afterwards=deciding)


def _deciding(rid: str, hold: str, kind: EntryKind, cost_nanousd: int) -> Deciding:
    parsed = Hold.parse(hold)
    entry = Entry(
        account_id=ACCOUNT,
        rid=rid,
        kind=kind,
        amount_nanousd=cost_nanousd,
        debit=ACCOUNT,
        credit=HOUSE,
        at_ms=0,
        nonce=parsed.nonce,
        hold_nanousd=parsed.amount_nanousd,
        facts=FrozenMap(),
    )
    return Deciding(entry, hold)


def _renew(actor: Working, now_seconds: int) -> Call:
    renewing = Renewing(ACCOUNT, actor.rid, actor.hold, now_seconds)
    renewals = actor.renewals + 1

    def answered(answer: Answer) -> Actor:
        there = renewing.after(_reply(answer)) or actor.hold
        return Working(actor.worker, actor.rid, there, renewals, actor.enlarged)

    unanswered = Working(actor.worker, actor.rid, actor.hold, renewals, actor.enlarged)
    return Call(renewing.command, answered, unanswered)


def _enlarge(actor: Working) -> Call:
    enlarging = Enlarging(ACCOUNT, actor.rid, actor.hold, extra_nanousd=1)

    def answered(answer: Answer) -> Actor:
        there = enlarging.after(_reply(answer))
        if isinstance(there, Enlarging):
            return replace(actor, hold=there.hold)
        return replace(actor, hold=there or actor.hold, enlarged=True)

    return Call(enlarging.command, answered, actor)


def _close(seen: Answer) -> Actor:
    if not isinstance(seen, Account) or seen.next_expiry is None:
        return Idle()
    ahead = [Hold.parse(text).expires_at for text in seen.holds.values()]
    return Closing(ResetIndex(seen.next_expiry, min(ahead, default=None)))


def _reply(answer: Answer) -> Reply:
    if answer is None or isinstance(answer, Account | bool):
        raise TypeError(answer)
    return answer
