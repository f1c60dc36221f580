"""Every error of the API by example, for `/openapi.json` and `/docs`.

Each example is a real error that goes through `farebox.api.problems`, so what is documented of its
status, type, code and headers is what a client gets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from farebox.api.problems import TABLE, Problem, problem_of
from farebox.api.schemas import Json
from farebox.domain import errors
from farebox.domain.quotas import QuotaStatus
from farebox.services.metered import quota_headers

_MONTH: Final = quota_headers(QuotaStatus("Monthly", 10_000, 10_000, 1_796_083_200))
_RID: Final = "01KAGQ5WVJ5J2D8H7Z3N4X6R9T"

ERRORS: Final[Mapping[str, errors.FareboxError]] = {
    "invalid_value": errors.InvalidValue("'temperature' must be between 0 and 2.", "temperature"),
    "missing_field": errors.MissingField("Missing required parameter: 'messages'.", "messages"),
    "unsupported_parameter": errors.UnsupportedParameter(
        "Unsupported parameter: 'store'. Would keep the answer in our account.", "store"
    ),
    "idempotency_key_reused": errors.IdempotencyKeyReused(
        "This Idempotency-Key was used with another body.", "Idempotency-Key"
    ),
    "provider_refused": errors.ProviderRefused(
        "This model's maximum context length is 128000 tokens.",
        status=400,
        code="context_length_exceeded",
        param="messages",
    ),
    "invalid_api_key": errors.InvalidCredential("Invalid or expired API key."),
    "payment_required": errors.InsufficientCredits(
        "Insufficient credits. Balance: 0.120, Estimated cost: 3.400", _MONTH
    ),
    "insufficient_permissions": errors.InsufficientPermissions(
        "This key lacks the scope 'llm:inference'."
    ),
    "account_suspended": errors.AccountSuspended("This account is suspended."),
    "model_not_available": errors.ModelNotAvailable(
        "The model 'gpt-4o' is not available to your tier or key. "
        "GET /v1/models lists those that are."
    ),
    "trial_ended": errors.TrialEnded("Your trial of 7 days is over."),
    "not_found": errors.NotFound(f"There is no generation '{_RID}'.", "id"),
    "model_not_found": errors.ModelNotFound("The model 'gpt-5o' does not exist.", "model"),
    "method_not_allowed": errors.MethodNotAllowed(
        "GET is not allowed on /v1/chat/completions.", ("POST",)
    ),
    "idempotency_in_progress": errors.Conflict(
        "A request with this Idempotency-Key is in progress.", "idempotency_in_progress", _RID
    ),
    "idempotency_no_answer": errors.Conflict(
        "A request with this Idempotency-Key ended without an answer that could be kept. "
        "See GET /v1/generation.",
        "idempotency_no_answer",
        _RID,
    ),
    "request_too_large": errors.BodyTooLarge("The body is larger than 6291456 bytes."),
    "provider_refused_size": errors.ProviderRefused(
        "The images of this request are too large.", status=413, code="request_too_large"
    ),
    "unsupported_media_type": errors.UnsupportedMediaType(
        "Send the body as JSON, with Content-Type: application/json."
    ),
    "quota_exceeded": errors.QuotaExceeded(
        "Rate limit exceeded. Monthly limit: 10,000 calls. Used: 10,001. Resets on 2026-12-01.",
        retry_after_seconds=864_000,
        headers=_MONTH,
    ),
    "too_many_in_flight": errors.TooManyInFlight(
        "Too many requests in flight: at most 64 may be open at once."
    ),
    "upstream_error": errors.ProviderFailed("The provider answered with status 500."),
    "no_route": errors.NoRoute("The provider is busy. Try again shortly.", 5),
    "store_unavailable": errors.StoreUnavailable("The ledger did not answer."),
    "upstream_timeout": errors.ProviderTimedOut("The provider did not answer in time."),
}
"""By the name the documentation refers to them with; the first of a code bears the code's name."""

THROTTLED: Final = Problem(
    429,
    "rate_limit_error",
    "rate_limit_exceeded",
    "Too many requests at once. Try again in a second.",
    headers={"Retry-After": "1"},
)
"""What API Gateway says to a flood, before a function is asked; as in template.yaml."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error as it is documented."""

    name: str
    problem: Problem
    meaning: str
    family: str
    """The name of the schema it follows."""
    open_code: bool = False
    """Whether the code may be another: a provider's own is passed on."""


@cache
def refusals() -> Mapping[str, Refusal]:
    """Give every error by its name, in the order of their status."""
    known = [_of_error(name, error) for name, error in ERRORS.items()]
    known += [
        Refusal("throttled", THROTTLED, "Too many requests at the door.", "Throttled"),
        Refusal(
            "internal_error", problem_of(RuntimeError()), "A fault of our own.", "InternalError"
        ),
    ]
    return {each.name: each for each in sorted(known, key=lambda each: each.problem.status)}


def _of_error(name: str, error: errors.FareboxError) -> Refusal:
    row = next(row for row in TABLE if isinstance(error, row.kind))
    return Refusal(
        name=name,
        problem=problem_of(error),
        meaning=_first_clause(type(error).__doc__ or ""),
        family=row.kind.__name__,
        open_code=row.kind is errors.ProviderRefused,
    )


def _first_clause(sentence: str) -> str:
    """Leave out what a docstring says for programmers, behind a semicolon."""
    return sentence.partition(";")[0].rstrip(".") + "."


def error_schemas() -> Json:
    """Describe the envelope of every family of errors, by the family's name."""
    families: dict[str, list[Refusal]] = {}
    for refusal in refusals().values():
        families.setdefault(refusal.family, []).append(refusal)
    return {family: _envelope(members) for family, members in families.items()}


def _envelope(members: list[Refusal]) -> Json:
    codes = list(dict.fromkeys(member.problem.code for member in members))
    code = {} if members[0].open_code else {"code": {"enum": codes}}
    own = {"properties": {"type": {"const": members[0].problem.type}, **code}}
    return {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"allOf": [{"$ref": "#/components/schemas/Error"}, own]}},
        "additionalProperties": False,
    }


def error_examples() -> Json:
    """Show every error, by name."""
    return {
        name: {"summary": refusal.meaning, "value": refusal.problem.envelope()}
        for name, refusal in refusals().items()
    }


def error_responses(names: Iterable[str]) -> Json:
    """Describe the responses that some errors make, by status."""
    wanted = set(names)
    by_status: dict[str, list[Refusal]] = {}
    for name, refusal in refusals().items():
        if name in wanted:
            by_status.setdefault(str(refusal.problem.status), []).append(refusal)
    return {status: _response(members) for status, members in by_status.items()}


def _response(members: list[Refusal]) -> Json:
    families = list(dict.fromkeys(member.family for member in members))
    schemas = [{"$ref": f"#/components/schemas/{family}"} for family in families]
    headers = dict.fromkeys(name for member in members for name in member.problem.headers)
    return {
        "description": " · ".join(dict.fromkeys(member.problem.code for member in members)),
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in ("x-request-id", *headers)
        },
        "content": {
            "application/json": {
                "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
                "examples": {
                    member.name: {"$ref": f"#/components/examples/{member.name}"}
                    for member in members
                },
            }
        },
    }
