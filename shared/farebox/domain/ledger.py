"""The ledger's nouns: accounts, holds and entries, and the balance they must keep.

`farebox.domain.protocol` has the verbs. Amounts are integer nano-dollars.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from farebox.domain.tiers import Tier

LEASE_SECONDS: Final = 150
"""A hold expires this long after it was made or last renewed."""

RENEW_EVERY_SECONDS: Final = 60
"""A worker whose request lives renews its hold this often."""

IN_FLIGHT_CAP: Final = 64
"""Open holds an account may have: the account item stays small, so each write stays cheap."""

HOUSE: Final = "house"
"""The operator's own account: the other side of settlements, grants and losses."""

type Fact = str | int | bool
"""What an entry remembers of its request: counts, names, flags; never text of the caller's."""


class AccountStatus(StrEnum):
    """Whether an account may reserve."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Hold:
    """Credits set aside for one request.

    Kept in the account as one string, so that one condition can ask for all of it at once.
    """

    amount_nanousd: int
    expires_at: int
    """Unix seconds."""
    nonce: str
    """Made anew for every send of a reserve: tells a late duplicate from the hold we settle."""
    keyslot: str = ""
    """The slot of the key budget it was counted in; empty for none."""

    def __str__(self) -> str:
        return f"{self.amount_nanousd}:{self.expires_at}:{self.nonce}:{self.keyslot}"

    @classmethod
    def parse(cls, text: str) -> "Hold":
        """Read a hold back from its string."""
        amount, expires_at, nonce, keyslot = text.split(":")
        return cls(int(amount), int(expires_at), nonce, keyslot)


@dataclass(frozen=True, slots=True)
class Account:
    """One holder of credits, as read in one piece."""

    account_id: str
    tier: Tier
    status: AccountStatus = AccountStatus.ACTIVE
    available_nanousd: int = 0
    spent_nanousd: int = 0
    granted_nanousd: int = 0
    debt_nanousd: int = 0
    holds: Mapping[str, str] = field(default_factory=dict)
    """Open holds: rid to hold string."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """Quota windows and key budgets by attribute name."""
    created_ms: int = 0
    next_expiry: int | None = None
    """What the sweeper's index says: no hold expires before this second."""

    @property
    def held_nanousd(self) -> int:
        """The sum of the open holds."""
        return sum(Hold.parse(text).amount_nanousd for text in self.holds.values())

    @property
    def unexplained_nanousd(self) -> int:
        """What the books cannot account for: zero in every reachable state (invariant I2)."""
        there = self.available_nanousd + self.held_nanousd + self.spent_nanousd
        return there - self.debt_nanousd - self.granted_nanousd

    def expired_holds(self, now_seconds: int) -> tuple[str, ...]:
        """List the rids whose lease has run out, oldest first."""
        due = (
            (Hold.parse(text).expires_at, rid)
            for rid, text in self.holds.items()
            if Hold.parse(text).expires_at <= now_seconds
        )
        return tuple(rid for _, rid in sorted(due))


class EntryKind(StrEnum):
    """What an entry records; more kinds come with the moves that need them."""

    SETTLEMENT = "settlement"
    VOID = "void"
    EXPIRY = "expiry"
    GRANT = "grant"
    LOSS = "loss"


@dataclass(frozen=True, slots=True)
class Entry:
    """One immutable record of what was decided about a request, or of credits that came in."""

    account_id: str
    rid: str
    """The request's id, or for other kinds a ULID-shaped id of their own."""
    kind: EntryKind
    amount_nanousd: int
    """What moved from `debit` to `credit`: the cost, the grant, the loss; 0 for void and expiry."""
    debit: str
    credit: str
    at_ms: int
    nonce: str = ""
    """The nonce of the hold this entry resolves."""
    hold_nanousd: int = 0
    facts: Mapping[str, Fact] = field(default_factory=dict, hash=False)
