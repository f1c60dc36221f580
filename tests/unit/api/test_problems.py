import json

import pytest

from farebox.api.problems import TABLE, error_event, problem_of
from farebox.domain import errors
from farebox.domain.errors import FareboxError

NO_RETRY = {"x-should-retry": "false"}
QUOTA = {"X-RateLimit-Limit": "10000"}

CASES = [
    (errors.InvalidValue("x"), 400, "invalid_request_error", "invalid_value", {}),
    (errors.MissingField("x"), 400, "invalid_request_error", "missing_field", {}),
    (errors.UnsupportedParameter("x"), 400, "invalid_request_error", "unsupported_parameter", {}),
    (errors.IdempotencyKeyReused("x"), 400, "invalid_request_error", "idempotency_key_reused", {}),
    (
        errors.InvalidCredential("x"),
        401,
        "invalid_request_error",
        "invalid_api_key",
        {"WWW-Authenticate": "Bearer"},
    ),
    (errors.InsufficientCredits("x"), 402, "insufficient_credits", "payment_required", NO_RETRY),
    (
        errors.InsufficientCredits("x", QUOTA),
        402,
        "insufficient_credits",
        "payment_required",
        NO_RETRY | QUOTA,
    ),
    (errors.ModelNotAvailable("x"), 403, "permission_error", "model_not_available", {}),
    (errors.TrialEnded("x"), 403, "permission_error", "trial_ended", {}),
    (errors.InsufficientPermissions("x"), 403, "permission_error", "insufficient_permissions", {}),
    (errors.AccountSuspended("x"), 403, "permission_error", "account_suspended", {}),
    (errors.NotFound("x"), 404, "not_found_error", "not_found", {}),
    (errors.ModelNotFound("x"), 404, "not_found_error", "model_not_found", {}),
    (
        errors.MethodNotAllowed("x", ("GET", "POST")),
        405,
        "invalid_request_error",
        "method_not_allowed",
        {"Allow": "GET, POST"},
    ),
    (
        errors.Conflict("x", "idempotency_in_progress"),
        409,
        "invalid_request_error",
        "idempotency_in_progress",
        NO_RETRY,
    ),
    (
        errors.Conflict("x", "idempotency_no_answer", "rid"),
        409,
        "invalid_request_error",
        "idempotency_no_answer",
        NO_RETRY | {"X-Generation-Id": "rid"},
    ),
    (errors.BodyTooLarge("x"), 413, "invalid_request_error", "request_too_large", {}),
    (errors.UnsupportedMediaType("x"), 415, "invalid_request_error", "unsupported_media_type", {}),
    (
        errors.QuotaExceeded("x", retry_after_seconds=60, headers=QUOTA),
        429,
        "rate_limit_error",
        "quota_exceeded",
        NO_RETRY | QUOTA | {"Retry-After": "60"},
    ),
    (
        errors.QuotaExceeded("x", retry_after_seconds=None, headers={}),
        429,
        "rate_limit_error",
        "quota_exceeded",
        NO_RETRY,
    ),
    (
        errors.TooManyInFlight("x"),
        429,
        "rate_limit_error",
        "too_many_in_flight",
        {"Retry-After": "1"},
    ),
    (errors.ProviderRefused("x", status=413), 413, "invalid_request_error", "invalid_value", {}),
    (
        errors.ProviderRefused("x", status=400, code="too_long"),
        400,
        "invalid_request_error",
        "too_long",
        {},
    ),
    (errors.ProviderFailed("x"), 502, "api_error", "upstream_error", {}),
    (errors.ProviderTimedOut("x"), 504, "api_error", "upstream_timeout", {}),
    (errors.NoRoute("x"), 503, "api_error", "service_unavailable", {"Retry-After": "5"}),
    (errors.NoRoute("x", 0), 503, "api_error", "service_unavailable", {"Retry-After": "0"}),
]


@pytest.mark.parametrize(
    ("error", "status", "kind", "code", "headers"), CASES, ids=lambda value: type(value).__name__
)
def test_an_error_goes_out_as_its_row_says(
    error: FareboxError, status: int, kind: str, code: str, headers: dict[str, str]
) -> None:
    problem = problem_of(error)

    assert problem.status == status
    assert problem.type == kind
    assert problem.code == code
    assert problem.message == "x"
    assert problem.headers == headers


@pytest.mark.parametrize("error", [errors.StoreUnavailable("PutItem"), errors.StoreConflict("x")])
def test_a_store_that_fails_is_503_and_says_nothing_of_itself(error: FareboxError) -> None:
    problem = problem_of(error)

    assert problem.status == 503
    assert problem.code == "service_unavailable"
    assert problem.message == "The service is unavailable for a moment. Try again."
    assert problem.headers == {"Retry-After": "1"}


@pytest.mark.parametrize(
    "error", [ValueError("secret"), KeyError(), errors.ConfigurationError("secret")]
)
def test_any_other_fault_is_500_and_says_nothing(error: Exception) -> None:
    problem = problem_of(error)

    assert problem.status == 500
    assert problem.envelope() == {
        "error": {
            "message": "Something went wrong on our side. Nothing was charged for this request.",
            "type": "api_error",
            "param": None,
            "code": "internal_error",
        }
    }


def test_every_refusal_and_every_failure_has_a_row() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, FareboxError)
    ]
    abstract = {FareboxError, errors.Refusal, errors.ConfigurationError}

    assert [
        kind
        for kind in kinds
        if not kind.__subclasses__()
        and kind not in abstract
        and not any(issubclass(kind, row.kind) for row in TABLE)
    ] == []


def test_the_envelope_has_all_four_keys_and_the_field() -> None:
    body = problem_of(errors.InvalidValue("Bad 'ü'.", "messages[0]")).body()

    assert body.decode() == (
        '{"error":{"message":"Bad \'ü\'.","type":"invalid_request_error",'
        '"param":"messages[0]","code":"invalid_value"}}'
    )


def test_in_a_stream_it_is_an_event() -> None:
    event = error_event(errors.ProviderFailed("Cut."))

    assert event.startswith(b"data: {")
    assert event.endswith(b"}\n\n")
    assert event.count(b"\n") == 2
    assert json.loads(event[6:])["error"]["code"] == "upstream_error"
