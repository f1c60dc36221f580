"""What every error looks like over HTTP: one ordered table, one envelope.

The envelope is OpenAI's, with all four keys, because that is what its clients read. Retries are
steered by it: what will not pass by itself says `x-should-retry: false`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from farebox.domain import errors
from farebox.domain.json_text import encode_json

_NO_RETRY: Final = {"x-should-retry": "false"}
_RETRY_SOON: Final = {"Retry-After": "1"}
_RETRY_LATER: Final = {"Retry-After": "5"}

STORE_ERROR: Final = "The service is unavailable for a moment. Try again."
"""Which store said what is for the logs."""

INTERNAL_ERROR: Final = "Something went wrong on our side. Nothing was charged for this request."


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it goes out."""

    status: int
    type: str
    code: str
    message: str
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def envelope(self) -> dict[str, object]:
        """Give the body's value."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }

    def body(self) -> bytes:
        """Give the body."""
        return encode_json(self.envelope())


@dataclass(frozen=True, slots=True)
class Row:
    """How one kind of error goes out; an error's own `code`, if it has one, wins."""

    kind: type[errors.FareboxError]
    status: int
    type: str
    code: str
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None
    """Said instead of the error's own sentence."""


TABLE: Final = (
    Row(errors.InvalidRequest, 400, "invalid_request_error", "invalid_value"),
    Row(errors.InvalidCredential, 401, "invalid_request_error", "invalid_api_key"),
    Row(errors.InsufficientCredits, 402, "insufficient_credits", "payment_required", _NO_RETRY),
    Row(errors.Forbidden, 403, "permission_error", "insufficient_permissions"),
    Row(errors.NotFound, 404, "not_found_error", "not_found"),
    Row(errors.MethodNotAllowed, 405, "invalid_request_error", "method_not_allowed"),
    Row(errors.Conflict, 409, "invalid_request_error", "conflict", _NO_RETRY),
    Row(errors.BodyTooLarge, 413, "invalid_request_error", "request_too_large"),
    Row(errors.UnsupportedMediaType, 415, "invalid_request_error", "unsupported_media_type"),
    Row(errors.QuotaExceeded, 429, "rate_limit_error", "quota_exceeded", _NO_RETRY),
    Row(errors.TooManyInFlight, 429, "rate_limit_error", "too_many_in_flight", _RETRY_SOON),
    Row(errors.ProviderRefused, 400, "invalid_request_error", "invalid_value"),
    Row(errors.ProviderTimedOut, 504, "api_error", "upstream_timeout"),
    Row(errors.NoRoute, 503, "api_error", "service_unavailable", _RETRY_LATER),
    Row(errors.ProviderError, 502, "api_error", "upstream_error"),
    Row(errors.StoreError, 503, "api_error", "service_unavailable", _RETRY_SOON, STORE_ERROR),
)
"""Ordered: the first row whose kind the error is decides."""


def problem_of(error: BaseException) -> Problem:
    """Say how an error goes out; whatever is not one of ours is a 500 that tells nothing."""
    for row in TABLE:
        if isinstance(error, row.kind):
            return Problem(
                status=getattr(error, "status", row.status),
                type=row.type,
                code=getattr(error, "code", None) or row.code,
                message=row.message or error.message,
                param=getattr(error, "param", None),
                headers={**row.headers, **_own_headers(error)},
            )
    return Problem(500, "api_error", "internal_error", INTERNAL_ERROR)


def _own_headers(error: errors.FareboxError) -> dict[str, str]:
    headers: dict[str, str] = {}
    match error:
        case errors.QuotaExceeded():
            headers |= error.headers
            if error.retry_after_seconds is not None:
                headers["Retry-After"] = str(error.retry_after_seconds)
        case errors.InsufficientCredits():
            headers |= error.headers
        case errors.MethodNotAllowed():
            headers["Allow"] = ", ".join(error.allowed)
        case errors.InvalidCredential():
            headers["WWW-Authenticate"] = "Bearer"
        case errors.NoRoute() if error.retry_after_seconds is not None:
            headers["Retry-After"] = str(error.retry_after_seconds)
        case errors.Conflict() if error.generation_id is not None:
            headers["X-Generation-Id"] = error.generation_id
        case _:
            pass
    return headers


def error_event(error: errors.FareboxError) -> bytes:
    """Make the server-sent event that ends a stream which cannot go on."""
    return b"data: " + problem_of(error).body() + b"\n\n"
