"""The JSON shapes of balances, receipts and credentials.

Amounts in credits are JSON numbers in the deployment's unit; beside each stands the exact integer,
in nano-dollars.
"""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from farebox.domain.identity import Principal
from farebox.domain.ledger import Account
from farebox.domain.money import CreditUnit
from farebox.domain.quotas import QuotaStatus
from farebox.services.receipts import Receipt


class Wire(BaseModel):
    """The base of all shapes: built from our own values only."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Balance(Wire):
    """What an account has."""

    balance: float = Field(description="The same as `available`, in credits.")
    available: float = Field(description="What a request may be admitted with, in credits.")
    held: float = Field(description="Set aside for requests in flight, in credits.")
    spent: float = Field(description="Charged so far, in credits.")
    currency: str = "credits"
    credit_usd: float = Field(description="What a credit is worth, in dollars.")
    available_nanousd: int
    held_nanousd: int
    spent_nanousd: int

    @classmethod
    def of(cls, account: Account, unit: CreditUnit) -> "Balance":
        """Show an account."""
        available = unit.to_credits(account.available_nanousd)
        return cls(
            balance=available,
            available=available,
            held=unit.to_credits(account.held_nanousd),
            spent=unit.to_credits(account.spent_nanousd),
            credit_usd=unit.credit_usd,
            available_nanousd=account.available_nanousd,
            held_nanousd=account.held_nanousd,
            spent_nanousd=account.spent_nanousd,
        )


class Credits(Wire):
    """The balance in the shape of Ops-Center's clients."""

    user_id: str
    credits_remaining: float
    tier: str
    monthly_cap: float | None = None
    available: float
    held: float
    available_nanousd: int
    held_nanousd: int

    @classmethod
    def of(cls, account: Account, principal: Principal, unit: CreditUnit) -> "Credits":
        """Show an account to its caller."""
        available = unit.to_credits(account.available_nanousd)
        return cls(
            user_id=principal.user_id,
            credits_remaining=available,
            tier=account.tier.value,
            available=available,
            held=unit.to_credits(account.held_nanousd),
            available_nanousd=account.available_nanousd,
            held_nanousd=account.held_nanousd,
        )


class Generation(Wire):
    """The receipt of one request."""

    id: str
    state: str = Field(description="`pending`, `settled`, `voided` or `expired`.")
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None = Field(description="When a pending hold gives itself back.")
    hold_credits: float
    hold_nanousd: int
    cost_credits: float
    cost_nanousd: int
    details: dict[str, str | int | bool] = Field(
        description="Model, provider, price version, tokens, how it finished and how long it took."
    )

    @classmethod
    def of(cls, receipt: Receipt, unit: CreditUnit) -> "Generation":
        """Show a receipt."""
        return cls(
            id=receipt.rid,
            state=receipt.state,
            created_at=_moment(receipt.started_ms / 1000),
            ended_at=None if receipt.ended_ms is None else _moment(receipt.ended_ms / 1000),
            expires_at=None if receipt.expires_at is None else _moment(receipt.expires_at),
            hold_credits=unit.to_credits(receipt.held_nanousd),
            hold_nanousd=receipt.held_nanousd,
            cost_credits=unit.to_credits(receipt.cost_nanousd),
            cost_nanousd=receipt.cost_nanousd,
            details=dict(receipt.facts),
        )


class Budget(Wire):
    """What a key may spend in all."""

    limit: float
    used: float
    remaining: float
    limit_nanousd: int
    used_nanousd: int


class Quota(Wire):
    """The calls of the window that is told about."""

    window: str = Field(description="`Monthly`, `Daily` or `Trial`.")
    limit: int
    used: int
    remaining: int
    resets_at: datetime

    @classmethod
    def of(cls, status: QuotaStatus | None) -> "Quota | None":
        """Show a window; `None` where calls are not limited."""
        if status is None:
            return None
        return cls(
            window=status.name,
            limit=status.limit,
            used=status.used,
            remaining=status.remaining,
            resets_at=_moment(status.reset_seconds),
        )


class KeyDescription(Wire):
    """What a credential is, and what it may still do."""

    user_id: str
    account: str
    organisation: str | None
    kind: str
    key_id: str
    name: str
    tier: str
    scopes: list[str]
    models: list[str] | None = Field(description="The only models it may use; null for no limit.")
    budget: Budget | None
    quota: Quota | None = Field(description="Null where calls are not limited.")
    expires_at: datetime | None

    @classmethod
    def of(
        cls, principal: Principal, account: Account, status: QuotaStatus | None, unit: CreditUnit
    ) -> "KeyDescription":
        """Show a credential to whoever holds it."""
        return cls(
            user_id=principal.user_id,
            account=principal.account_id,
            organisation=principal.organisation,
            kind=principal.kind.value,
            key_id=principal.key_id,
            name=principal.key_name,
            tier=account.tier.value,
            scopes=sorted(principal.scopes),
            models=None if principal.models is None else sorted(principal.models),
            budget=_budget(principal, account, unit),
            quota=Quota.of(status),
            expires_at=None if principal.expires_at is None else _moment(principal.expires_at),
        )


class Health(Wire):
    """Whether the stores answer."""

    status: str = Field(description="`healthy` or `degraded`.")
    ledger: str = Field(description="`up` or `down`.")
    timestamp: datetime


def _budget(principal: Principal, account: Account, unit: CreditUnit) -> Budget | None:
    limit = principal.budget_nanousd
    if limit is None:
        return None
    used = account.counters.get(f"k{principal.keyslot}", 0)
    return Budget(
        limit=unit.to_credits(limit),
        used=unit.to_credits(used),
        remaining=unit.to_credits(max(0, limit - used)),
        limit_nanousd=limit,
        used_nanousd=used,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
