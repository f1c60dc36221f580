"""The quota's figures of an account, as a caller is told them."""

from farebox.domain.ledger import Account
from farebox.domain.quotas import QuotaStatus, limits_for, quota_status


def quota_of(
    account: Account, *, exempt: bool, now_ms: int, refused: str | None = None
) -> QuotaStatus | None:
    """Give the figures of the window a caller is told about; `None` when none is limited."""
    return quota_status(
        limits_for(account.tier, exempt=exempt),
        account.counters,
        time_ms=now_ms,
        created_ms=account.created_ms,
        refused=refused,
    )
