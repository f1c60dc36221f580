"""Do the books of a ledger explain every nano-dollar and every counted call?

Stronger than the invariants' wording where that costs nothing: `spent` and every quota counter
are compared in each state, holds open or not, for a difference that heals later is still a fault.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from farebox.domain.ids import time_of
from farebox.domain.ledger import Account, Entry, EntryKind, Hold
from farebox.domain.protocol import Enlarge, Release, Reserve
from farebox.domain.quotas import windows_of
from farebox.services.ports.ledger_store import LedgerStore
from tests.fakes.ledger_store import FakeLedgerStore

SWEEP_SLACK_SECONDS: Final = 90
"""A hold may outlive its lease by this much (invariant I5)."""

_DECISIONS: Final = (EntryKind.SETTLEMENT, EntryKind.VOID, EntryKind.EXPIRY)


def check_books(store: LedgerStore, now_seconds: int | None = None) -> None:
    """Check the invariants over every account and entry of a store.

    Args:
        store: Any store of the ledger; of the fake, which remembers what was applied, also limits,
            key budgets and that no hold was released twice are checked, and no call is counted.
        now_seconds: Given when the sweeper has kept its cadence until now: no hold may then have
            outlived its lease by more than 90 seconds.

    Raises:
        AssertionError: An invariant is broken; the text names it, the account and the figures.
    """
    wrong: list[str] = []
    for account, entries in _books(store):
        cleaned = _cleaned(store, account.account_id)
        wrong += audit(account, entries, cleaned=cleaned)
        if now_seconds is not None:
            wrong += _overdue(account, now_seconds)
    if isinstance(store, FakeLedgerStore):
        wrong += _history(store)
    if wrong:
        raise AssertionError("; ".join(wrong))


def audit(
    account: Account, entries: Collection[Entry], *, cleaned: Collection[str] = ()
) -> Iterator[str]:
    """Say everything that is wrong with one account, each beginning with its invariant."""
    name = account.account_id
    if len({entry.rid for entry in entries}) != len(entries):
        yield f"I3: a request of {name} has two entries"
    if account.available_nanousd < 0:
        yield f"I1: {name} has {account.available_nanousd} available"
    if account.unexplained_nanousd:
        yield f"I2: {name} has {account.unexplained_nanousd} that nothing explains"
    yield from _entries_at_odds(account, entries)
    yield from _counters_at_odds(account, entries, cleaned)
    if account.holds and account.next_expiry is None:
        yield f"I5: {name} has holds and the sweeper's index forgot it"


def _books(store: LedgerStore) -> Iterator[tuple[Account, list[Entry]]]:
    if isinstance(store, FakeLedgerStore):
        for state in store.states():
            if state.account is not None:
                yield state.account, list(state.entries.values())
        return
    for account in store.accounts():
        yield account, list(store.entries(account.account_id))


def _cleaned(store: LedgerStore, account_id: str) -> set[str]:
    if not isinstance(store, FakeLedgerStore):
        return set()
    return {window for owner, window in store.cleaned if owner == account_id}


def _entries_at_odds(account: Account, entries: Collection[Entry]) -> Iterator[str]:
    name = account.account_id
    for entry in entries:
        if entry.kind in _DECISIONS and not 0 <= entry.amount_nanousd <= entry.hold_nanousd:
            yield f"I11: {entry.rid} cost {entry.amount_nanousd} of a hold of {entry.hold_nanousd}"
    booked = sum(entry.amount_nanousd for entry in _booked(account, entries))
    if account.spent_nanousd != booked:
        yield f"I4: {name} spent {account.spent_nanousd}, its settlements say {booked}"
    grants = [entry.amount_nanousd for entry in entries if entry.kind is EntryKind.GRANT]
    if grants and account.granted_nanousd != sum(grants):
        yield f"I9: {name} was granted {account.granted_nanousd}, its entries say {sum(grants)}"


def _booked(account: Account, entries: Collection[Entry]) -> Iterator[Entry]:
    """Give the settlements the account has followed: those whose own hold is gone."""
    for entry in entries:
        if entry.kind is EntryKind.SETTLEMENT:
            there = account.holds.get(entry.rid)
            if there is None or Hold.parse(there).nonce != entry.nonce:
                yield entry


def _counters_at_odds(
    account: Account, entries: Collection[Entry], cleaned: Collection[str]
) -> Iterator[str]:
    counted: Counter[str] = Counter()
    for rid in [*account.holds, *(entry.rid for entry in _booked(account, entries))]:
        counted.update(windows_of(time_of(rid)).names)
    windows = {name for name in account.counters if not name.startswith("k")} | set(counted)
    for window in sorted(windows - set(cleaned)):
        shown = account.counters.get(window, 0)
        if shown != counted[window]:
            yield f"I8: {account.account_id} shows {shown} calls in {window}, not {counted[window]}"


def _overdue(account: Account, now_seconds: int) -> Iterator[str]:
    for rid, text in account.holds.items():
        late_seconds = now_seconds - Hold.parse(text).expires_at
        if late_seconds > SWEEP_SLACK_SECONDS:
            yield f"I5: the hold of {rid} outlived its lease by {late_seconds} seconds"


# ── What only the fake knows ─────────────────────────────────────────────────────────────────────


def _history(store: FakeLedgerStore) -> Iterator[str]:
    released = Counter(
        (command.rid, Hold.parse(command.hold).nonce)
        for command in store.applied
        if isinstance(command, Release)
    )
    for (rid, nonce), times in released.items():
        if times > 1:
            yield f"I3: the hold {nonce} of {rid} was released {times} times"
    limits = _limits(store)
    for (account_id, window), limit in limits.items():
        shown = store.look(account_id).counters.get(window, 0)
        if shown > limit:
            yield f"I8: {account_id} counts {shown} calls in {window}, of {limit} allowed"
    yield from _budgets_at_odds(store)


def _limits(store: FakeLedgerStore) -> Mapping[tuple[str, str], int]:
    """Give the highest limit any admitted request came with, where all of them had one."""
    seen: dict[tuple[str, str], list[int | None]] = {}
    for command in store.applied:
        if isinstance(command, Reserve):
            for each in command.admission.windows:
                seen.setdefault((command.account_id, each.window), []).append(each.limit)
    return {
        where: max(limit for limit in limits if limit is not None)
        for where, limits in seen.items()
        if None not in limits
    }


def _budgets_at_odds(store: FakeLedgerStore) -> Iterator[str]:
    spent: Counter[tuple[str, str]] = Counter()
    for command in store.applied:
        if isinstance(command, Reserve):
            slot, amount_nanousd = command.hold.keyslot, command.hold.amount_nanousd
        elif isinstance(command, Release):
            slot, amount_nanousd = command.keyslot, -command.refund_nanousd
        elif isinstance(command, Enlarge):
            slot, amount_nanousd = command.keyslot, command.extra_nanousd
        else:
            continue
        if slot:
            spent[command.account_id, slot] += amount_nanousd
    for (account_id, slot), amount_nanousd in spent.items():
        shown = store.look(account_id).counters.get(f"k{slot}", 0)
        if shown != amount_nanousd:
            yield f"I8: key {slot} of {account_id} shows {shown} spent, not {amount_nanousd}"
