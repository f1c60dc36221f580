"""What a ledger's store does to one account, as pure functions of an immutable state.

Written from the conditions the protocol needs of DynamoDB, clause by clause, and not from the
domain's explanation of a refusal: the two must agree, and the suites see to it that they do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from farebox.domain.ledger import IN_FLIGHT_CAP, Account, AccountStatus, Entry
from farebox.domain.protocol import (
    Applied,
    Command,
    Decide,
    Declined,
    Enlarge,
    Release,
    Renew,
    Reply,
    Reserve,
    Stands,
)
from tests.fakes.frozen_map import FrozenMap


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account's item, if there is one, and its entries by rid."""

    account: Account | None = None
    entries: FrozenMap[str, Entry] = field(default_factory=FrozenMap)


NOTHING: Final = AccountState()
"""An account nobody has heard of."""


def apply(state: AccountState, command: Command) -> tuple[AccountState, Reply]:
    """Carry out a command on an account: all of it or nothing."""
    if isinstance(command, Decide):
        return _decide(state, command)
    account = state.account
    if account is None:
        return state, Declined(None)
    following = _write(account, command)
    if following is None:
        return state, Declined(account)
    return replace(state, account=following), Applied(following)


def opened(state: AccountState, account: Account) -> tuple[AccountState, bool]:
    """Create an account without credits, if there is none."""
    if state.account is not None:
        return state, False
    empty = Account(
        account_id=account.account_id,
        tier=account.tier,
        status=account.status,
        holds=FrozenMap(),
        counters=FrozenMap(),
        created_ms=account.created_ms,
    )
    return replace(state, account=empty), True


def granted(state: AccountState, entry: Entry) -> tuple[AccountState, bool]:
    """Write a grant's entry and add its amount, if the entry is new."""
    if state.account is None:
        raise LookupError(f"a grant to {entry.account_id}, which does not exist")
    if entry.rid in state.entries:
        return state, False
    account = replace(
        state.account,
        available_nanousd=state.account.available_nanousd + entry.amount_nanousd,
        granted_nanousd=state.account.granted_nanousd + entry.amount_nanousd,
    )
    return AccountState(account, state.entries.having(entry.rid, entry)), True


def index_reset(state: AccountState, seen: int, following: int | None) -> tuple[AccountState, bool]:
    """Set the sweeper's index if it still says `seen`; remove it only where no hold is."""
    account = state.account
    if account is None or account.next_expiry != seen or (following is None and account.holds):
        return state, False
    return replace(state, account=replace(account, next_expiry=following)), True


def window_removed(state: AccountState, window: str) -> AccountState:
    """Clean a quota window up, as the scheduled job does with those long past."""
    account = state.account
    if account is None:
        return state
    return replace(state, account=replace(account, counters=_map(account.counters).without(window)))


def _decide(state: AccountState, command: Decide) -> tuple[AccountState, Reply]:
    entry = command.entry
    there = state.entries.get(entry.rid)
    if there is not None:
        return state, Stands(there)
    return replace(state, entries=state.entries.having(entry.rid, entry)), Stands(entry)


def _write(account: Account, command: Reserve | Release | Renew | Enlarge) -> Account | None:
    """Give the account after the write, `None` where its condition fails."""
    if isinstance(command, Reserve):
        return _reserve(account, command)
    if account.holds.get(command.rid) != command.hold:
        return None
    if isinstance(command, Release):
        return _release(account, command)
    if isinstance(command, Enlarge):
        return _enlarge(account, command)
    return replace(account, holds=_map(account.holds).having(command.rid, command.renewed))


def _reserve(account: Account, command: Reserve) -> Account | None:
    admission, hold = command.admission, command.hold
    if not _may_reserve(account, command):
        return None
    counters = _map(account.counters)
    for each in admission.windows:
        counters = counters.having(each.window, counters.get(each.window, 0) + 1)
    return replace(
        account,
        available_nanousd=account.available_nanousd - hold.amount_nanousd,
        holds=_map(account.holds).having(admission.rid, str(hold)),
        counters=_spent_by_key(counters, hold.keyslot, hold.amount_nanousd),
        next_expiry=hold.expires_at if account.next_expiry is None else account.next_expiry,
    )


def _may_reserve(account: Account, command: Reserve) -> bool:
    admission, amount = command.admission, command.hold.amount_nanousd
    counters, budget = account.counters, admission.key_budget_nanousd
    return (
        account.status is AccountStatus.ACTIVE
        and account.tier is admission.tier
        and account.debt_nanousd == 0
        and account.available_nanousd >= amount
        and admission.rid not in account.holds
        and len(account.holds) < IN_FLIGHT_CAP
        and all(
            each.limit is None or counters.get(each.window, 0) < each.limit
            for each in admission.windows
        )
        and (budget is None or counters.get(f"k{admission.keyslot}", 0) + amount <= budget)
    )


def _release(account: Account, command: Release) -> Account:
    counters = _map(account.counters)
    for window in command.windows:
        counters = counters.having(window, counters.get(window, 1) - 1)
    slot = f"k{command.keyslot}"
    if command.keyslot:
        refund_nanousd = command.refund_nanousd
        counters = counters.having(slot, counters.get(slot, refund_nanousd) - refund_nanousd)
    return replace(
        account,
        available_nanousd=account.available_nanousd + command.refund_nanousd,
        spent_nanousd=account.spent_nanousd + command.cost_nanousd,
        holds=_map(account.holds).without(command.rid),
        counters=counters,
    )


def _enlarge(account: Account, command: Enlarge) -> Account | None:
    if account.available_nanousd < command.extra_nanousd:
        return None
    return replace(
        account,
        available_nanousd=account.available_nanousd - command.extra_nanousd,
        holds=_map(account.holds).having(command.rid, command.enlarged),
        counters=_spent_by_key(_map(account.counters), command.keyslot, command.extra_nanousd),
    )


def _spent_by_key(
    counters: FrozenMap[str, int], keyslot: str, amount_nanousd: int
) -> FrozenMap[str, int]:
    if not keyslot:
        return counters
    slot = f"k{keyslot}"
    return counters.having(slot, counters.get(slot, 0) + amount_nanousd)


def _map[V](mapping: Mapping[str, V]) -> FrozenMap[str, V]:
    return mapping if isinstance(mapping, FrozenMap) else FrozenMap(mapping)
