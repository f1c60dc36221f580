"""Headers every answer carries, whoever makes it."""

from typing import Final

EXPOSED_HEADERS: Final = (
    "X-Provider-Used",
    "X-Cost-Incurred",
    "X-Credits-Remaining",
    "X-Credits-Held",
    "X-Output-Cap",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "x-request-id",
    "X-Generation-Id",
    "openai-processing-ms",
    "Idempotent-Replayed",
    "Retry-After",
    "x-should-retry",
)
"""What a browser's client may read of an answer from another origin."""

COMMON_HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": ", ".join(EXPOSED_HEADERS),
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
"""Bearer routes are open to every origin, without credentials: there are no cookies to steal."""
