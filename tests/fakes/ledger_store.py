"""The ledger's store in memory, serialisable, and unreliable exactly where a test says so.

It judges the ledger: no DynamoDB emulator ever raises a conflict, loses a reply or delivers a
write minutes late, and those are what the protocol is for. What a write does to an account is
`tests.fakes.ledger_state`, which the model checker explores on its own.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Final, NoReturn

from farebox.domain.errors import StoreConflict, StoreUnavailable
from farebox.domain.ledger import Account, Entry
from farebox.domain.protocol import Command, Reply
from tests.fakes.frozen_map import FrozenMap
from tests.fakes.ledger_state import (
    NOTHING,
    AccountState,
    apply,
    granted,
    index_reset,
    opened,
    window_removed,
)

__all__ = ["AccountState", "Call", "Crash", "FakeLedgerStore", "Fault", "Undelivered", "apply"]


class Crash(BaseException):
    """The worker died here; a `BaseException`, so that nothing on the way up catches it."""


class Fault(StrEnum):
    """What may happen to one call."""

    CRASH_BEFORE = "crash_before"
    """The worker dies before the call reaches the store."""
    CRASH_AFTER = "crash_after"
    """The write is made; the worker dies before it learns so."""
    THROTTLE = "throttle"
    """`StoreUnavailable`; not applied, now or ever."""
    CONFLICT = "conflict"
    """`StoreConflict`; not applied. Reads cannot conflict and are answered."""
    LOST_REPLY = "lost_reply"
    """Applied, then `StoreUnavailable`."""
    LATE = "late"
    """`StoreUnavailable`; the write waits in `undelivered` until somebody delivers it."""
    STALE = "stale"
    """`expiring` answers as things were when it was last asked; others are answered."""


WRITE_FAULTS: Final = tuple(each for each in Fault if each is not Fault.STALE)

_UNAVAILABLE: Final = (Fault.THROTTLE, Fault.LOST_REPLY, Fault.LATE)


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was made: `kind` is the command or method in lower case."""

    kind: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A write on its way."""

    call: Call
    write: Callable[[], object]


class FakeLedgerStore:
    """A `LedgerStore` each of whose writes is atomic; call k meets the fault `faults[k]`."""

    def __init__(
        self, accounts: Iterable[Account] = (), *, faults: Mapping[int, Fault] | None = None
    ) -> None:
        self.faults = dict(faults or {})
        self.outage: Fault | None = None
        """What every call meets that `faults` says nothing of."""
        self.before: dict[int, Callable[[], object]] = {}
        """What happens just before call k is made: others step in here, once."""
        self.calls: list[Call] = []
        self.undelivered: list[Undelivered] = []
        self.applied: list[Command] = []
        """Every command that changed something, in order."""
        self.cleaned: set[tuple[str, str]] = set()
        """Windows somebody cleaned up, with their account; they count no longer."""
        self._states: defaultdict[str, AccountState] = defaultdict(lambda: NOTHING)
        self._index_before: dict[str, int] = {}
        self._lock = threading.Lock()
        for account in accounts:
            self.put(account)

    # ── For tests: nothing here counts as a call ─────────────────────────────────────────────────

    def put(self, account: Account) -> None:
        """Place an account as it is."""
        frozen = replace(
            account, holds=FrozenMap(account.holds), counters=FrozenMap(account.counters)
        )
        self._states[account.account_id] = replace(self.state(account.account_id), account=frozen)

    def state(self, account_id: str) -> AccountState:
        """Look at everything under an account."""
        return self._states[account_id]

    def look(self, account_id: str) -> Account:
        """Look at an account that must be there."""
        account = self.state(account_id).account
        if account is None:
            raise LookupError(account_id)
        return account

    def states(self) -> list[AccountState]:
        """Look at everything."""
        return list(self._states.values())

    def plan(self, *faults: Fault | None) -> None:
        """Let the next calls meet these faults, in order; `None` lets one pass."""
        for k, fault in enumerate(faults, start=len(self.calls)):
            if fault is not None:
                self.faults[k] = fault

    def go_down(self) -> None:
        """Answer nothing any more."""
        self.outage = Fault.THROTTLE

    def deliver(self, i: int = 0) -> None:
        """Let a write arrive that was on its way; nobody hears its reply."""
        write = self.undelivered.pop(i)
        with self._lock:
            write.write()

    def deliver_all(self) -> None:
        """Let everything arrive that is still on its way, in the order it was sent."""
        while self.undelivered:
            self.deliver()

    def clean_window(self, account_id: str, window: str) -> None:
        """Remove a quota window, as the scheduled job does with those long past."""
        self.cleaned.add((account_id, window))
        self._states[account_id] = window_removed(self.state(account_id), window)

    def kinds(self) -> list[str]:
        """List the kinds of the calls made so far."""
        return [call.kind for call in self.calls]

    # ── The port ─────────────────────────────────────────────────────────────────────────────────

    def send(self, command: Command) -> Reply:
        """Carry out one command, once."""
        call = Call(type(command).__name__.lower(), command.account_id)
        return self._write(call, partial(self._carry_out, command))

    def account(self, account_id: str) -> Account | None:
        """Read an account, consistently."""
        self._let_others_in()
        with self._lock:
            self._read(Call("account", account_id))
            return self.state(account_id).account

    def entry(self, account_id: str, rid: str) -> Entry | None:
        """Read the entry of a request, consistently."""
        self._let_others_in()
        with self._lock:
            self._read(Call("entry", account_id))
            return self.state(account_id).entries.get(rid)

    def accounts(self, *, part: int = 0, parts: int = 1) -> Iterator[Account]:
        """Scan all accounts, or every `parts`-th of them."""
        with self._lock:
            self._read(Call("accounts", ""))
            there = [state.account for state in self._states.values()]
        return iter([account for account in there if account is not None][part::parts])

    def entries(self, account_id: str) -> Iterator[Entry]:
        """Read all entries of an account, oldest first."""
        with self._lock:
            self._read(Call("entries", account_id))
            return iter(sorted(self.state(account_id).entries.values(), key=lambda each: each.rid))

    def expiring(self, before_seconds: int, limit: int) -> list[str]:
        """List accounts by the index, the longest due first."""
        self._let_others_in()
        with self._lock:
            fault = self._read(Call("expiring", ""))
            index = self._index()
            shown = self._index_before if fault is Fault.STALE else index
            self._index_before = index
        due = sorted((at, account_id) for account_id, at in shown.items() if at <= before_seconds)
        return [account_id for _, account_id in due[:limit]]

    def reset_next_expiry(self, account_id: str, seen: int, following: int | None) -> bool:
        """Set the index to the expiry that comes next, if it still says `seen`."""
        change = partial(index_reset, seen=seen, following=following)
        return self._change(Call("reset_next_expiry", account_id), change)

    def open_account(self, account: Account) -> bool:
        """Create an account without credits; `False` if it exists."""
        change = partial(opened, account=account)
        return self._change(Call("open_account", account.account_id), change)

    def grant(self, entry: Entry) -> bool:
        """Write the entry and add its amount; `False` if the entry was there."""
        return self._change(Call("grant", entry.account_id), partial(granted, entry=entry))

    # ── How a call goes wrong ────────────────────────────────────────────────────────────────────

    def _change(
        self, call: Call, change: Callable[[AccountState], tuple[AccountState, bool]]
    ) -> bool:
        def write() -> bool:
            self._states[call.account_id], done = change(self.state(call.account_id))
            return done

        return self._write(call, write)

    def _carry_out(self, command: Command) -> Reply:
        before = self.state(command.account_id)
        after, reply = apply(before, command)
        self._states[command.account_id] = after
        if after is not before:
            self.applied.append(command)
        return reply

    def _write[T](self, call: Call, write: Callable[[], T]) -> T:
        self._let_others_in()
        with self._lock:
            fault = self._count(call)
            if fault is Fault.CONFLICT:
                raise StoreConflict("A transaction is touching the item.")
            if fault is Fault.LATE:
                self.undelivered.append(Undelivered(call, write))
            if fault in (Fault.CRASH_BEFORE, Fault.THROTTLE, Fault.LATE):
                _fail(fault)
            reply = write()
            if fault in (Fault.CRASH_AFTER, Fault.LOST_REPLY):
                _fail(fault)
            return reply

    def _read(self, call: Call) -> Fault | None:
        fault = self._count(call)
        if fault is not None and fault not in (Fault.CONFLICT, Fault.STALE):
            _fail(fault)
        return fault

    def _let_others_in(self) -> None:
        step_in = self.before.pop(len(self.calls), None)
        if step_in is not None:
            step_in()

    def _count(self, call: Call) -> Fault | None:
        self.calls.append(call)
        return self.faults.get(len(self.calls) - 1, self.outage)

    def _index(self) -> dict[str, int]:
        there = [state.account for state in self._states.values()]
        return {
            account.account_id: account.next_expiry
            for account in there
            if account is not None and account.next_expiry is not None
        }


def _fail(fault: Fault) -> NoReturn:
    if fault in _UNAVAILABLE:
        raise StoreUnavailable("The store did not answer.")
    raise Crash(fault)
