"""Reserve, settle, void, renew and sweep: the protocol of the domain, carried out on a store.

Retries live here and nowhere below, because what may be retried, and as what, is the protocol's
business: every send of a reserve needs a nonce of its own, while all other commands may be sent
again as they are.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from farebox.domain.errors import StoreConflict, StoreError, StoreUnavailable
from farebox.domain.ids import make_ulid
from farebox.domain.ledger import HOUSE, Account, Entry, EntryKind, Fact, Hold
from farebox.domain.protocol import (
    Admission,
    Command,
    Deciding,
    Enlarging,
    Held,
    ProtocolError,
    Releasing,
    Renewing,
    Reply,
    Reserving,
    Resolved,
    TurnedDown,
)
from farebox.services.ports.clock import Clock
from farebox.services.ports.ledger_store import LedgerStore
from farebox.services.ports.randomness import Randomness
from farebox.services.ports.settlement_queue import SettlementQueue

RESERVE_PATIENCE_SECONDS: Final = 2.0
"""Past this a request is refused with 503; the provider has not been called."""

SETTLE_PATIENCE_SECONDS: Final = 8.0
"""Past this a decision goes to the queue; the answer has been produced."""

SWEEP_SECONDS: Final = 40
"""A run of the sweeper starts no further batch after this; the next is a minute later."""

SWEEP_FAULTS: Final = (StoreError, ProtocolError, ValueError)
"""What may keep one account from being swept: a store, or an item nobody can read."""

_FIRST_PAUSE_SECONDS: Final = 0.025
_LONGEST_PAUSE_SECONDS: Final = 1.0
_NONCE_BITS: Final = 40
_NONCE_DIGITS: Final = 8
"""Short, for it is stored with every hold; it need only differ from the same request's others."""
_SWEEP_BATCH: Final = 100
_PARTS_A_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one run of the sweeper did."""

    accounts: int = 0
    holds: int = 0
    failed: int = 0
    """Accounts that could not be swept; the next run tries them again."""

    def __add__(self, other: "Sweep") -> "Sweep":
        return Sweep(
            self.accounts + other.accounts, self.holds + other.holds, self.failed + other.failed
        )


class Ledger:
    """The ledger as the use cases know it."""

    def __init__(
        self,
        store: LedgerStore,
        clock: Clock,
        randomness: Randomness,
        queue: SettlementQueue | None = None,
    ) -> None:
        self.store = store
        self._clock = clock
        self._randomness = randomness
        self._queue = queue

    def new_rid(self) -> str:
        """Make the id of a request about to be admitted."""
        return make_ulid(self._clock.now_ms(), self._randomness.bits(80))

    def reserve(self, admission: Admission) -> Held | TurnedDown:
        """Set the quote aside, or say why not.

        A refusal that expired holds may have caused is looked at again after sweeping them.

        Raises:
            StoreUnavailable: The store would not answer in time. A hold may have been made; its
                lease returns it.
        """
        reserving, outcome = self._reserve(Reserving(admission))
        if isinstance(outcome, TurnedDown) and self._sweep(outcome.account):
            # With the nonces of the first round: one of its sends may have landed meanwhile.
            _, outcome = self._reserve(reserving)
        return outcome

    def _reserve(self, reserving: Reserving) -> tuple[Reserving, Held | TurnedDown]:
        last: StoreError | None = None
        for _ in self._attempts(RESERVE_PATIENCE_SECONDS):
            reserving, command = reserving.send(self._nonce(), self._now_seconds())
            try:
                return reserving, reserving.after(self.store.send(command))
            except StoreError as error:
                last = error
        raise StoreUnavailable("The ledger did not answer.") from last

    def settle(
        self, admission: Admission, held: Held, cost_nanousd: int, facts: Mapping[str, Fact]
    ) -> Resolved:
        """Charge what the request cost and give back the rest of its hold.

        The cost must not exceed the hold; see `enlarge`. The decision that stands may be another:
        a sweeper that found the lease expired may have come first.

        Raises:
            StoreUnavailable: Neither the store nor the queue took the decision, as far as is
                known: one whose reply was lost, or that is late, may yet stand and be charged.
        """
        hold = Hold.parse(held.hold)
        if not 0 <= cost_nanousd <= hold.amount_nanousd:
            raise ValueError(f"cost {cost_nanousd} outside hold {hold.amount_nanousd}")
        entry = self._entry(admission.account_id, held, EntryKind.SETTLEMENT, cost_nanousd, facts)
        return self._resolve_or_queue(Deciding(entry, held.hold))

    def void(self, admission: Admission, held: Held, facts: Mapping[str, Fact]) -> Resolved:
        """Give the whole hold back, with its call and its key budget.

        Raises:
            StoreUnavailable: As for `settle`.
        """
        entry = self._entry(admission.account_id, held, EntryKind.VOID, 0, facts)
        return self._resolve_or_queue(Deciding(entry, held.hold))

    def renew(self, admission: Admission, held: Held) -> Held | None:
        """Prolong the lease; `None` when the hold is gone.

        A store that is down costs nothing yet: the lease outlives several renewals.
        """
        renewing = Renewing(admission.account_id, held.rid, held.hold, self._now_seconds())
        try:
            there = renewing.after(self.store.send(renewing.command))
        except StoreError:
            return held
        return None if there is None else Held(held.rid, there, held.account)

    def enlarge(self, admission: Admission, held: Held, to_nanousd: int) -> Held | None:
        """Replace the hold by a larger one; `None` when the account cannot carry it."""
        extra_nanousd = to_nanousd - Hold.parse(held.hold).amount_nanousd
        if extra_nanousd <= 0:
            raise ValueError(f"a hold enlarged by {extra_nanousd}")
        step: Enlarging | str | None
        step = Enlarging(admission.account_id, held.rid, held.hold, extra_nanousd)
        while isinstance(step, Enlarging):
            step = step.after(self._deliver(step.command, SETTLE_PATIENCE_SECONDS))
        return None if step is None else Held(held.rid, step, held.account)

    def book_loss(self, rid: str, amount_nanousd: int, facts: Mapping[str, Fact]) -> None:
        """Record on the house account what a request cost and nobody paid."""
        entry = Entry(
            account_id=HOUSE,
            rid=f"{rid}#LOSS",
            kind=EntryKind.LOSS,
            amount_nanousd=amount_nanousd,
            debit=HOUSE,
            credit="providers",
            at_ms=self._clock.now_ms(),
            facts=facts,
        )
        self._deliver(Deciding(entry, "").command, SETTLE_PATIENCE_SECONDS)

    # ── Sweeping ─────────────────────────────────────────────────────────────────────────────────

    def sweep_due(self) -> Sweep:
        """Resolve every hold the index says has expired; for the schedule.

        Finishes what crashed between entry and account, and gives back what died before. An
        account that cannot be swept does not keep the others waiting.
        """
        done = Sweep()
        seen: set[str] = set()
        give_up_ms = self._clock.now_ms() + SWEEP_SECONDS * 1000
        while self._clock.now_ms() < give_up_ms:
            # The index lags behind our own writes: ask past those that were seen.
            due = self.store.expiring(self._now_seconds(), len(seen) + _SWEEP_BATCH)
            fresh = [account_id for account_id in due if account_id not in seen]
            if not fresh:
                break
            seen.update(fresh)
            for account_id in fresh:
                done += self._sweep_indexed(account_id)
        return done

    def sweep_part_of_the_hour(self) -> Sweep:
        """Resolve the expired holds of a 24th of all accounts, so that a day sees each once."""
        return self.sweep_all(part=self._now_seconds() // 3600 % _PARTS_A_DAY, parts=_PARTS_A_DAY)

    def sweep_all(self, *, part: int = 0, parts: int = 1) -> Sweep:
        """Resolve every expired hold there is, index or not, in one of `parts` of all accounts."""
        done = Sweep()
        for account in self.store.accounts(part=part, parts=parts):
            try:
                done += Sweep(accounts=1, holds=self._sweep(account))
            except SWEEP_FAULTS:
                done += Sweep(failed=1)
        return done

    def sweep_account(self, account: Account | None) -> int:
        """Resolve the expired holds of an account just read; the self-sweep of its next request."""
        return self._sweep(account)

    def finish_queued(self, deciding: Deciding) -> Resolved:
        """Finish a settlement that waited in the queue; what came too late is booked as a loss.

        It came too late if the lease ran out meanwhile and the sweeper gave the hold back.
        """
        resolved = self.finish(deciding)
        entry = deciding.entry
        if entry.amount_nanousd and resolved.entry.kind is EntryKind.EXPIRY:
            self.book_loss(entry.rid, entry.amount_nanousd, {"account": entry.account_id})
        return resolved

    def finish(self, deciding: Deciding) -> Resolved:
        """Run the steps of a decision to their end; all of them may be run again."""
        return self._release(self._decide(deciding))

    def _sweep_indexed(self, account_id: str) -> Sweep:
        try:
            account = self.store.account(account_id)
            if account is None:
                return Sweep()
            holds = self._sweep(account)
            self._reset_next_expiry(account_id)
        except SWEEP_FAULTS:
            return Sweep(failed=1)
        return Sweep(accounts=1, holds=holds)

    def _sweep(self, account: Account | None) -> int:
        if account is None:
            return 0
        expired = account.expired_holds(self._now_seconds())
        for rid in expired:
            held = Held(rid, account.holds[rid], account)
            entry = self._entry(account.account_id, held, EntryKind.EXPIRY, 0, {})
            self.finish(Deciding(entry, held.hold))
        return len(expired)

    def _reset_next_expiry(self, account_id: str) -> None:
        account = self.store.account(account_id)
        if account is None or account.next_expiry is None:
            return
        ahead = [Hold.parse(text).expires_at for text in account.holds.values()]
        self.store.reset_next_expiry(account_id, account.next_expiry, min(ahead, default=None))

    # ── Carrying out ─────────────────────────────────────────────────────────────────────────────

    def _resolve_or_queue(self, deciding: Deciding) -> Resolved:
        try:
            step = self._decide(deciding)
        except StoreUnavailable:
            if self._queue is None:
                raise
            self._queue.put(deciding)
            return Resolved(deciding.entry, None)
        try:
            return self._release(step)
        except StoreUnavailable:
            # It is decided, whatever becomes of the queue: the sweeper follows the entry as well.
            if self._queue is not None:
                with suppress(StoreUnavailable):
                    self._queue.put(deciding)
            return Resolved(step.entry, None)

    def _decide(self, deciding: Deciding) -> Releasing:
        return deciding.after(self._deliver(deciding.command, SETTLE_PATIENCE_SECONDS))

    def _release(self, step: Releasing) -> Resolved:
        while True:
            following = step.after(self._deliver(step.command, SETTLE_PATIENCE_SECONDS))
            if isinstance(following, Resolved):
                return following
            step = following

    def _deliver(self, command: Command, patience_seconds: float) -> Reply:
        """Send a command that may be sent again as it is, until it is answered."""
        last: StoreError | None = None
        for _ in self._attempts(patience_seconds):
            try:
                return self.store.send(command)
            except (StoreUnavailable, StoreConflict) as error:
                last = error
        raise StoreUnavailable("The ledger did not answer.") from last

    def _attempts(self, patience_seconds: float) -> Iterator[int]:
        """Count attempts, pausing between them with full jitter, while patience lasts."""
        give_up_ms = self._clock.now_ms() + int(patience_seconds * 1000)
        pause_seconds = _FIRST_PAUSE_SECONDS
        attempt = 0
        while True:
            yield attempt
            jittered = pause_seconds * self._randomness.bits(16) / 0x10000
            if self._clock.now_ms() + jittered * 1000 >= give_up_ms:
                return
            self._clock.sleep(jittered)
            attempt += 1
            pause_seconds = min(pause_seconds * 2, _LONGEST_PAUSE_SECONDS)

    def _entry(
        self,
        account_id: str,
        held: Held,
        kind: EntryKind,
        amount_nanousd: int,
        facts: Mapping[str, Fact],
    ) -> Entry:
        hold = Hold.parse(held.hold)
        return Entry(
            account_id=account_id,
            rid=held.rid,
            kind=kind,
            amount_nanousd=amount_nanousd,
            debit=account_id,
            credit=HOUSE,
            at_ms=self._clock.now_ms(),
            nonce=hold.nonce,
            hold_nanousd=hold.amount_nanousd,
            facts=facts,
        )

    def _nonce(self) -> str:
        return make_ulid(0, self._randomness.bits(_NONCE_BITS))[-_NONCE_DIGITS:]

    def _now_seconds(self) -> int:
        return self._clock.now_ms() // 1000
