"""What a metered answer tells about itself, as figures; and the headers they make."""

from dataclasses import dataclass

from farebox.domain.ledger import Account
from farebox.domain.money import CreditUnit
from farebox.domain.quotas import QuotaStatus
from farebox.domain.quotes import Quote


@dataclass(frozen=True, slots=True)
class Metered:
    """The figures of one metered request, at the moment its headers go out."""

    rid: str
    provider: str
    quote: Quote
    account: Account | None
    """As last seen; `None` when the settlement waits in the queue."""
    quota: QuotaStatus | None
    processing_ms: int
    cost_nanousd: int | None = None
    """`None` while it is not known: in front of a stream."""

    def headers(self, unit: CreditUnit) -> dict[str, str]:
        """Write the figures as response headers; credits in the deployment's unit."""
        headers = {
            "x-request-id": self.rid,
            "X-Generation-Id": self.rid,
            "X-Provider-Used": self.provider,
            "openai-processing-ms": str(self.processing_ms),
            **quota_headers(self.quota),
        }
        if self.cost_nanousd is None:
            headers["X-Credits-Held"] = unit.to_text(self.quote.hold_nanousd)
        else:
            headers["X-Cost-Incurred"] = unit.to_text(self.cost_nanousd)
        if self.account is not None:
            headers["X-Credits-Remaining"] = unit.to_text(self.account.available_nanousd)
            if self.cost_nanousd is not None:
                headers["X-Credits-Held"] = unit.to_text(self.account.held_nanousd)
        if self.quote.clamped_by is not None:
            headers["X-Output-Cap"] = f"{self.quote.output_cap_tokens}; by={self.quote.clamped_by}"
        return headers


def quota_headers(status: QuotaStatus | None) -> dict[str, str]:
    """Write the quota's figures; nothing when no window is limited."""
    if status is None:
        return {}
    return {
        "X-RateLimit-Limit": str(status.limit),
        "X-RateLimit-Remaining": str(status.remaining),
        "X-RateLimit-Reset": str(status.reset_seconds),
    }
