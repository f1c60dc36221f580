"""Domain objects with obvious defaults: a test says only what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from farebox.domain.ids import make_ulid, time_of
from farebox.domain.ledger import (
    HOUSE,
    LEASE_SECONDS,
    Account,
    AccountStatus,
    Entry,
    EntryKind,
    Hold,
)
from farebox.domain.protocol import Admission, Held, WindowLimit
from farebox.domain.quotas import QuotaLimits, windows_of
from farebox.domain.tiers import Tier
from farebox.services.ledger import Ledger
from farebox.services.ports.ledger_store import LedgerStore
from tests.fakes.clock import NOON_MS, FakeClock
from tests.fakes.ledger_store import FakeLedgerStore
from tests.fakes.randomness import FakeRandomness
from tests.fakes.settlement_queue import FakeSettlementQueue

ACCOUNT = "usr_ada"


def make_rid(number: int = 1, *, time_ms: int = NOON_MS) -> str:
    """Make the id of a request of that moment."""
    return make_ulid(time_ms, number)


def make_hold(
    amount_nanousd: int = 100,
    *,
    expires_at: int = NOON_MS // 1000 + LEASE_SECONDS,
    nonce: str = "N1",
    keyslot: str = "",
) -> Hold:
    """Make a hold as a reserve at noon leaves it."""
    return Hold(amount_nanousd, expires_at, nonce, keyslot)


def make_account(
    account_id: str = ACCOUNT,
    *,
    available_nanousd: int = 1_000,
    spent_nanousd: int = 0,
    debt_nanousd: int = 0,
    tier: Tier = Tier.PROFESSIONAL,
    status: AccountStatus = AccountStatus.ACTIVE,
    holds: Mapping[str, Hold] | None = None,
    counters: Mapping[str, int] | None = None,
    created_ms: int = NOON_MS,
) -> Account:
    """Make an account whose grant is what its other figures add up to."""
    open_holds = dict(holds or {})
    held_nanousd = sum(hold.amount_nanousd for hold in open_holds.values())
    return Account(
        account_id=account_id,
        tier=tier,
        status=status,
        available_nanousd=available_nanousd,
        spent_nanousd=spent_nanousd,
        granted_nanousd=available_nanousd + held_nanousd + spent_nanousd - debt_nanousd,
        debt_nanousd=debt_nanousd,
        holds={rid: str(hold) for rid, hold in open_holds.items()},
        counters=dict(counters or {}),
        created_ms=created_ms,
        next_expiry=min((hold.expires_at for hold in open_holds.values()), default=None),
    )


def make_admission(
    rid: str = "",
    *,
    account_id: str = ACCOUNT,
    quote_nanousd: int = 100,
    tier: Tier = Tier.PROFESSIONAL,
    limits: QuotaLimits | None = None,
    keyslot: str = "",
    key_budget_nanousd: int | None = None,
) -> Admission:
    """Make a request's admission; its windows are those of its id's time, unlimited by default."""
    rid = rid or make_rid()
    by_window = (limits or QuotaLimits()).by_window(windows_of(time_of(rid)))
    return Admission(
        account_id=account_id,
        rid=rid,
        quote_nanousd=quote_nanousd,
        tier=tier,
        windows=tuple(WindowLimit(window, limit) for window, limit in by_window),
        keyslot=keyslot,
        key_budget_nanousd=key_budget_nanousd,
    )


def make_entry(
    rid: str = "",
    *,
    account_id: str = ACCOUNT,
    kind: EntryKind = EntryKind.SETTLEMENT,
    amount_nanousd: int = 0,
    nonce: str = "N1",
    hold_nanousd: int = 100,
    at_ms: int = NOON_MS,
) -> Entry:
    """Make the entry that resolves the hold `make_hold` makes."""
    return Entry(
        account_id=account_id,
        rid=rid or make_rid(),
        kind=kind,
        amount_nanousd=amount_nanousd,
        debit=account_id,
        credit=HOUSE,
        at_ms=at_ms,
        nonce=nonce,
        hold_nanousd=hold_nanousd,
    )


def make_grant(
    amount_nanousd: int, *, account_id: str = ACCOUNT, number: int = 1, at_ms: int = NOON_MS
) -> Entry:
    """Make the entry of a grant; its number makes its id, so the same one is the same grant."""
    return Entry(
        account_id=account_id,
        rid=make_ulid(at_ms, (1 << 79) + number),
        kind=EntryKind.GRANT,
        amount_nanousd=amount_nanousd,
        debit=HOUSE,
        credit=account_id,
        at_ms=at_ms,
    )


def open_with_credits(
    store: LedgerStore, amount_nanousd: int, *, account_id: str = ACCOUNT
) -> Account:
    """Open an account on any store and grant it credits, through the port alone."""
    store.open_account(make_account(account_id, available_nanousd=0))
    store.grant(make_grant(amount_nanousd, account_id=account_id))
    account = store.account(account_id)
    if account is None:
        raise LookupError(account_id)
    return account


@dataclass(slots=True)
class LedgerWorld:
    """A real ledger service among fakes, and handles on all of them."""

    store: FakeLedgerStore
    clock: FakeClock = field(default_factory=FakeClock)
    queue: FakeSettlementQueue = field(default_factory=FakeSettlementQueue)
    randomness: FakeRandomness = field(default_factory=FakeRandomness)
    queued: bool = True

    @property
    def ledger(self) -> Ledger:
        """A fresh ledger over the same world: services keep nothing between requests."""
        queue = self.queue if self.queued else None
        return Ledger(self.store, self.clock, self.randomness, queue)

    @property
    def account(self) -> Account:
        """The default account as it is now."""
        return self.store.look(ACCOUNT)

    def hold(self, admission: Admission | None = None) -> Held:
        """Reserve, which must succeed."""
        outcome = self.ledger.reserve(admission or make_admission())
        assert isinstance(outcome, Held), f"turned down: {outcome.reason}"
        return outcome


def make_ledger(*accounts: Account, queued: bool = True, now_ms: int = NOON_MS) -> LedgerWorld:
    """Make a ledger over a fake store that holds these accounts, or one default account."""
    store = FakeLedgerStore(accounts or (make_account(),))
    return LedgerWorld(store, FakeClock(now_ms), queued=queued)
