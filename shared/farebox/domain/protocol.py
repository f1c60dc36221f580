"""The ledger's verbs: which single-item write comes next, given what the last one answered.

Everything here is pure. A service sends the commands to a store and feeds the replies back; the
model checker does the same in every order, with crashes and late deliveries in between.

    reserve   Reserving ── Reserve ──▶ Held · Turned down
    resolve   Deciding ─── Decide ──▶ Releasing ── Release ──▶ Resolved   (settle, void, expire)
    renew     Renewing ─── Renew ───▶ hold string · None once it was swept
    enlarge   Enlarging ── Enlarge ─▶ hold string · None when it cannot be

The entry is written first and is the decision: whoever writes it first decides. The account
follows from it, and only if it still carries the whole hold string the release was computed from.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from farebox.domain.ids import time_of
from farebox.domain.ledger import (
    IN_FLIGHT_CAP,
    LEASE_SECONDS,
    Account,
    AccountStatus,
    Entry,
    EntryKind,
    Hold,
)
from farebox.domain.quotas import windows_of
from farebox.domain.tiers import Tier


@dataclass(frozen=True, slots=True)
class WindowLimit:
    """A quota window a request counts in, and how many calls it admits; `None` admits any."""

    window: str
    limit: int | None


@dataclass(frozen=True, slots=True)
class Admission:
    """What one request asks of its account: the quote, and every limit checked with it."""

    account_id: str
    rid: str
    quote_nanousd: int
    tier: Tier
    """The tier the quote was computed for; a stale one is caught by a condition."""
    windows: tuple[WindowLimit, ...]
    keyslot: str = ""
    key_budget_nanousd: int | None = None
    """What the key may spend in all; only with a keyslot."""

    def __post_init__(self) -> None:
        if self.quote_nanousd < 0 or ":" in self.keyslot:
            raise ValueError(f"no quote {self.quote_nanousd}, no keyslot {self.keyslot!r}")


# ── Commands: each is one conditional write of one item ──────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reserve:
    """Take the quote from what is available, if every limit allows it."""

    admission: Admission
    hold: Hold

    @property
    def account_id(self) -> str:
        """The account the write goes to."""
        return self.admission.account_id


@dataclass(frozen=True, slots=True)
class Decide:
    """Write the entry, unless its rid has one."""

    entry: Entry

    @property
    def account_id(self) -> str:
        """The account whose entry is written."""
        return self.entry.account_id


@dataclass(frozen=True, slots=True)
class Release:
    """Remove a hold, if its whole string is there, and book what its entry says."""

    account_id: str
    rid: str
    hold: str
    cost_nanousd: int
    refund_nanousd: int
    keyslot: str
    windows: tuple[str, ...]
    """The quota windows that get their call back; none after a settlement."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Exchange a hold string for one that expires later."""

    account_id: str
    rid: str
    hold: str
    renewed: str


@dataclass(frozen=True, slots=True)
class Enlarge:
    """Exchange a hold string for a larger one, if what is available carries the difference."""

    account_id: str
    rid: str
    hold: str
    enlarged: str
    extra_nanousd: int
    keyslot: str


type Command = Reserve | Decide | Release | Renew | Enlarge


# ── Replies ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Applied:
    """The write was made; the account as it is now."""

    account: Account


@dataclass(frozen=True, slots=True)
class Declined:
    """A condition failed; the account as it was, `None` if there is none."""

    account: Account | None


@dataclass(frozen=True, slots=True)
class Stands:
    """The entry of this rid, ours or the one that was there first."""

    entry: Entry


type Reply = Applied | Declined | Stands


class ProtocolError(RuntimeError):
    """A store answered what it cannot: a fault in an adapter, never in a request."""


# ── Reserve ──────────────────────────────────────────────────────────────────────────────────────


class Reason(StrEnum):
    """Why a reserve was turned down, in the order they are looked for."""

    NO_ACCOUNT = "no_account"
    SUSPENDED = "suspended"
    STALE_TIER = "stale_tier"
    IN_DEBT = "in_debt"
    QUOTA = "quota"
    IN_FLIGHT = "in_flight"
    KEY_BUDGET = "key_budget"
    CREDITS = "credits"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Held:
    """A hold is ours."""

    rid: str
    hold: str
    account: Account


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """No hold was made; `window` names the one that is full."""

    reason: Reason
    account: Account | None
    window: str | None = None


@dataclass(frozen=True, slots=True)
class Reserving:
    """A reserve under way, knowing every nonce it has sent."""

    admission: Admission
    nonces: tuple[str, ...] = ()

    def send(self, nonce: str, now_seconds: int) -> tuple["Reserving", Reserve]:
        """Make the next command; `nonce` must be fresh, for an earlier send may yet land."""
        admission = self.admission
        expires_at = now_seconds + LEASE_SECONDS
        hold = Hold(admission.quote_nanousd, expires_at, nonce, admission.keyslot)
        return replace(self, nonces=(*self.nonces, nonce)), Reserve(admission, hold)

    def after(self, reply: Reply) -> Held | TurnedDown:
        """Read the reply: a hold with any of our own nonces is ours, whichever send made it."""
        rid = self.admission.rid
        if isinstance(reply, Stands):
            raise ProtocolError("an entry in reply to a reserve")
        account = reply.account
        if account is not None and rid in account.holds:
            hold = account.holds[rid]
            if Hold.parse(hold).nonce in self.nonces:
                return Held(rid, hold, account)
        if isinstance(reply, Applied):
            raise ProtocolError("a reserve was applied and left no hold")
        return why_declined(self.admission, account)


def why_declined(admission: Admission, account: Account | None) -> TurnedDown:
    """Find the condition of a reserve that an account does not meet.

    Mirrors the condition a store evaluates, clause by clause, in the order of `Reason`.
    """
    if account is None:
        return TurnedDown(Reason.NO_ACCOUNT, None)
    window = _full_window(admission, account)
    spent_by_key = account.counters.get(f"k{admission.keyslot}", 0)
    budget = admission.key_budget_nanousd
    checks = (
        (account.status is not AccountStatus.ACTIVE, Reason.SUSPENDED),
        (account.tier is not admission.tier, Reason.STALE_TIER),
        (account.debt_nanousd > 0, Reason.IN_DEBT),
        (window is not None, Reason.QUOTA),
        (len(account.holds) >= IN_FLIGHT_CAP, Reason.IN_FLIGHT),
        (
            budget is not None and spent_by_key + admission.quote_nanousd > budget,
            Reason.KEY_BUDGET,
        ),
        (account.available_nanousd < admission.quote_nanousd, Reason.CREDITS),
        (admission.rid in account.holds, Reason.DUPLICATE),
    )
    for failed, reason in checks:
        if failed:
            return TurnedDown(reason, account, window if reason is Reason.QUOTA else None)
    raise ProtocolError(f"reserve of {admission.rid} declined, yet every condition holds")


def _full_window(admission: Admission, account: Account) -> str | None:
    for each in admission.windows:
        if each.limit is not None and account.counters.get(each.window, 0) >= each.limit:
            return each.window
    return None


# ── Settle, void, expire ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Resolved:
    """The hold is gone; `entry` is the decision that stands, `account` the last sight of it."""

    entry: Entry
    account: Account | None


@dataclass(frozen=True, slots=True)
class Releasing:
    """The decision stands; the account has yet to follow it."""

    entry: Entry
    rid: str
    hold: str

    @property
    def command(self) -> Release:
        """Book the entry. A hold whose nonce is not the entry's is a late duplicate: all back."""
        hold = Hold.parse(self.hold)
        resolves = hold.nonce == self.entry.nonce
        cost_nanousd = self.entry.amount_nanousd if resolves else 0
        charged = resolves and self.entry.kind is EntryKind.SETTLEMENT
        return Release(
            account_id=self.entry.account_id,
            rid=self.rid,
            hold=self.hold,
            cost_nanousd=cost_nanousd,
            refund_nanousd=hold.amount_nanousd - cost_nanousd,
            keyslot=hold.keyslot,
            windows=() if charged else windows_of(time_of(self.rid)).names,
        )

    def after(self, reply: Reply) -> "Releasing | Resolved":
        """Go again with the string that is there, if a renewal changed it; else it is done."""
        if isinstance(reply, Stands):
            raise ProtocolError("an entry in reply to a release")
        account = reply.account
        if isinstance(reply, Declined) and account is not None and self.rid in account.holds:
            there = account.holds[self.rid]
            if there == self.hold:
                raise ProtocolError(f"release of {self.rid} declined, yet its hold is there")
            if Hold.parse(there).nonce == Hold.parse(self.hold).nonce:
                return replace(self, hold=there)
        return Resolved(self.entry, account)


@dataclass(frozen=True, slots=True)
class Deciding:
    """An entry proposed for a hold; whichever entry stands afterwards is the decision."""

    entry: Entry
    hold: str

    @property
    def command(self) -> Decide:
        """Write the proposed entry."""
        return Decide(self.entry)

    def after(self, reply: Reply) -> Releasing:
        """Follow the entry that stands."""
        if not isinstance(reply, Stands):
            raise ProtocolError("no entry in reply to a decision")
        return Releasing(reply.entry, self.entry.rid, self.hold)


# ── Keep alive, make larger ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Renewing:
    """A lease about to be prolonged."""

    account_id: str
    rid: str
    hold: str
    now_seconds: int

    @property
    def command(self) -> Renew:
        """Let the hold expire a lease from now."""
        renewed = replace(Hold.parse(self.hold), expires_at=self.now_seconds + LEASE_SECONDS)
        return Renew(self.account_id, self.rid, self.hold, str(renewed))

    def after(self, reply: Reply) -> str | None:
        """Give the hold string that is there, if it is still our hold; else it was swept."""
        return _still_ours(reply, self.rid, self.hold)


@dataclass(frozen=True, slots=True)
class Enlarging:
    """A hold about to be replaced by a larger one, before its entry is written."""

    account_id: str
    rid: str
    hold: str
    extra_nanousd: int

    @property
    def command(self) -> Enlarge:
        """Add the difference to the hold."""
        hold = Hold.parse(self.hold)
        enlarged = replace(hold, amount_nanousd=hold.amount_nanousd + self.extra_nanousd)
        return Enlarge(
            self.account_id, self.rid, self.hold, str(enlarged), self.extra_nanousd, hold.keyslot
        )

    def after(self, reply: Reply) -> "Enlarging | str | None":
        """Give the enlarged string, `None` if it was refused or the hold is gone.

        Goes again with the string that is there, if a renewal nobody heard of changed it.
        """
        there = _still_ours(reply, self.rid, self.hold)
        if there is None:
            return None
        wanted_nanousd = Hold.parse(self.hold).amount_nanousd + self.extra_nanousd
        missing_nanousd = wanted_nanousd - Hold.parse(there).amount_nanousd
        if missing_nanousd <= 0:
            return there
        if there == self.hold:
            return None
        return replace(self, hold=there, extra_nanousd=missing_nanousd)


def _still_ours(reply: Reply, rid: str, hold: str) -> str | None:
    if isinstance(reply, Stands):
        raise ProtocolError("an entry in reply to a write of a hold")
    there = reply.account.holds.get(rid) if reply.account is not None else None
    if there is None or Hold.parse(there).nonce != Hold.parse(hold).nonce:
        return None
    return there
