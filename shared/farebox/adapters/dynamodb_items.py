"""Accounts and entries as DynamoDB items, and the keys they lie under.

Numbers travel as strings of integers: no amount of ours has a fraction, and none is ever a float.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final
from zlib import crc32

from farebox.domain.ids import time_of
from farebox.domain.ledger import Account, AccountStatus, Entry, EntryKind, Fact
from farebox.domain.tiers import parse_tier

type Item = dict[str, dict[str, Any]]
"""Attributes by name, each with its type, as in `{"available": {"N": "5"}}`."""

SWEEP_SHARDS: Final = ("H#0", "H#1", "H#2", "H#3")
"""The partitions of the sweeper's index; one would limit all reserves together."""

_BALANCE: Final = "BAL"
_SHARD: Final = "0"
"""An account has one shard today; its key has room for more."""

_MONTHS_A_YEAR: Final = 12

_NOT_COUNTERS: Final = frozenset({"available", "spent", "granted", "debt", "created", "hx"})
"""Every other number of an account item counts something: a quota window or a key's budget."""


def text(value: str) -> dict[str, Any]:
    """Write a string."""
    return {"S": value}


def number(value: int) -> dict[str, Any]:
    """Write an integer."""
    return {"N": str(value)}


# ── Accounts ─────────────────────────────────────────────────────────────────────────────────────


def account_key(account_id: str) -> Item:
    """Give the key of an account."""
    return {"pk": text(f"A#{account_id}#{_SHARD}"), "sk": text(_BALANCE)}


def account_id_of(item: Item) -> str:
    """Read the account's id from its key."""
    key: str = item["pk"]["S"]
    return key.removeprefix("A#").removesuffix(f"#{_SHARD}")


def sweep_shard(account_id: str) -> str:
    """Give the index partition of an account: always the same one, for moving costs a write."""
    return SWEEP_SHARDS[crc32(account_id.encode()) % len(SWEEP_SHARDS)]


def account_item(account: Account) -> Item:
    """Write an account."""
    item = {
        **account_key(account.account_id),
        "available": number(account.available_nanousd),
        "spent": number(account.spent_nanousd),
        "granted": number(account.granted_nanousd),
        "debt": number(account.debt_nanousd),
        "tier": text(account.tier),
        "status": text(account.status),
        "holds": {"M": {rid: text(hold) for rid, hold in account.holds.items()}},
        "created": number(account.created_ms),
        "hs": text(sweep_shard(account.account_id)),
        **{name: number(count) for name, count in account.counters.items()},
    }
    if account.next_expiry is not None:
        item["hx"] = number(account.next_expiry)
    return item


def account_of(item: Item) -> Account:
    """Read an account."""
    return Account(
        account_id=account_id_of(item),
        tier=parse_tier(item["tier"]["S"]),
        status=AccountStatus(item["status"]["S"]),
        available_nanousd=int(item["available"]["N"]),
        spent_nanousd=int(item["spent"]["N"]),
        granted_nanousd=int(item["granted"]["N"]),
        debt_nanousd=int(item["debt"]["N"]),
        holds={rid: hold["S"] for rid, hold in item["holds"]["M"].items()},
        counters={
            name: int(value["N"])
            for name, value in item.items()
            if "N" in value and name not in _NOT_COUNTERS
        },
        created_ms=int(item["created"]["N"]),
        next_expiry=int(item["hx"]["N"]) if "hx" in item else None,
    )


# ── Entries ──────────────────────────────────────────────────────────────────────────────────────


def entry_key(account_id: str, rid: str) -> Item:
    """Give the key of an entry: its partition is the month its rid was made in."""
    return {"pk": text(entry_partition(account_id, _month(time_of(rid)))), "sk": text(rid)}


def entry_partition(account_id: str, month: str) -> str:
    """Name the partition that holds an account's entries of a month, given as `yyyymm`."""
    return f"E#{account_id}#{_SHARD}#{month}"


def months_between(first_ms: int, last_ms: int) -> Iterator[str]:
    """List the months from one moment to another, both included, as `yyyymm`."""
    last = _month(last_ms)
    month = _month(first_ms)
    while month <= last:
        yield month
        over, index = divmod(int(month[4:]), _MONTHS_A_YEAR)
        month = f"{int(month[:4]) + over}{index + 1:02}"


def entry_item(entry: Entry) -> Item:
    """Write an entry."""
    return {
        **entry_key(entry.account_id, entry.rid),
        "kind": text(entry.kind),
        "amount": number(entry.amount_nanousd),
        "debit": text(entry.debit),
        "credit": text(entry.credit),
        "at": number(entry.at_ms),
        "nonce": text(entry.nonce),
        "hold": number(entry.hold_nanousd),
        "facts": {"M": {name: _fact(value) for name, value in entry.facts.items()}},
    }


def entry_of(item: Item) -> Entry:
    """Read an entry."""
    account_id, _, _ = item["pk"]["S"].removeprefix("E#").rsplit("#", 2)
    return Entry(
        account_id=account_id,
        rid=item["sk"]["S"],
        kind=EntryKind(item["kind"]["S"]),
        amount_nanousd=int(item["amount"]["N"]),
        debit=item["debit"]["S"],
        credit=item["credit"]["S"],
        at_ms=int(item["at"]["N"]),
        nonce=item["nonce"]["S"],
        hold_nanousd=int(item["hold"]["N"]),
        facts={name: _fact_of(value) for name, value in item["facts"]["M"].items()},
    )


def _month(time_ms: int) -> str:
    return time.strftime("%Y%m", time.gmtime(time_ms // 1000))


def _fact(value: Fact) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    return number(value) if isinstance(value, int) else text(value)


def _fact_of(value: Mapping[str, Any]) -> Fact:
    if "BOOL" in value:
        return bool(value["BOOL"])
    return int(value["N"]) if "N" in value else str(value["S"])
