"""The documented errors are the real ones: every family, every code, where it can happen."""

import ast
from pathlib import Path

import pytest

from farebox.api.problems import TABLE
from farebox.api.refusals import THROTTLED, Refusal, refusals
from farebox.domain import errors
from local.gateway import Gateway
from local.template_routes import read_template
from tests.unit.api.documents import DOCUMENT, faults, operation

ROOT = Path(__file__).parents[3]
CHAT = "/v1/chat/completions"


def codes(method: str, path: str) -> dict[str, set[str]]:
    """Give the codes an operation is documented to answer with, by status."""
    return {
        status: {
            refusals()[name].problem.code
            for name in response["content"]["application/json"]["examples"]
        }
        for status, response in operation(method, path)["responses"].items()
        if "examples" in response["content"].get("application/json", {})
    }


def test_every_row_of_the_table_of_problems_is_shown() -> None:
    shown = {(each.family, each.problem.type) for each in refusals().values()}

    assert {(row.kind.__name__, row.type) for row in TABLE} <= shown


def test_every_code_an_error_bears_is_shown() -> None:
    borne = {getattr(kind, "code", None) for kind in vars(errors).values()} - {None}

    assert "model_not_found" in borne
    assert borne <= {each.problem.code for each in refusals().values()}


def test_every_code_of_a_conflict_is_shown() -> None:
    sources = (ROOT / "shared/farebox/services").rglob("*.py")
    raised = {
        argument.value
        for source in sources
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Conflict"
        for argument in node.args[1:2]
        if isinstance(argument, ast.Constant)
    }

    shown = {each.problem.code for each in refusals().values() if each.family == "Conflict"}

    assert shown == raised == {"idempotency_in_progress", "idempotency_no_answer"}


@pytest.mark.parametrize("refusal", refusals().values(), ids=lambda refusal: refusal.name)
def test_an_error_has_the_shape_it_is_documented_with(refusal: Refusal) -> None:
    example = DOCUMENT["components"]["examples"][refusal.name]

    assert example["value"] == refusal.problem.envelope()
    assert faults(refusal.family, example["value"]) == []
    assert faults("Error", example["value"]["error"]) == []


def test_an_envelope_without_one_of_its_keys_is_a_fault() -> None:
    error = {"message": "No.", "type": "permission_error", "code": "trial_ended"}

    assert faults("Forbidden", {"error": {**error, "param": None}}) == []
    assert faults("Forbidden", {"error": error}) != []
    assert faults("Forbidden", {"detail": "No."}) != []


def test_a_family_knows_its_own_codes_only() -> None:
    error = {"message": "No.", "type": "permission_error", "param": None}

    assert faults("Forbidden", {"error": {**error, "code": "model_not_available"}}) == []
    assert faults("Forbidden", {"error": {**error, "code": "quota_exceeded"}}) != []


def test_a_providers_own_code_passes() -> None:
    error = {"message": "No.", "type": "invalid_request_error", "param": None, "code": "odd_one"}

    assert faults("ProviderRefused", {"error": error}) == []


def test_a_chat_request_can_be_refused_in_all_these_ways() -> None:
    assert codes("POST", CHAT) == {
        "400": {
            "invalid_value",
            "missing_field",
            "unsupported_parameter",
            "idempotency_key_reused",
            "context_length_exceeded",
        },
        "401": {"invalid_api_key"},
        "402": {"payment_required"},
        "403": {
            "insufficient_permissions",
            "account_suspended",
            "model_not_available",
            "trial_ended",
        },
        "404": {"model_not_found"},
        "409": {"idempotency_in_progress", "idempotency_no_answer"},
        "413": {"request_too_large"},
        "415": {"unsupported_media_type"},
        "429": {"quota_exceeded", "too_many_in_flight", "rate_limit_exceeded"},
        "500": {"internal_error"},
        "502": {"upstream_error"},
        "503": {"service_unavailable"},
        "504": {"upstream_timeout"},
    }


def test_a_receipt_can_be_refused_in_these_ways() -> None:
    assert codes("GET", "/v1/generation") == {
        "400": {"missing_field"},
        "401": {"invalid_api_key"},
        "403": {"insufficient_permissions", "account_suspended"},
        "404": {"not_found"},
        "429": {"rate_limit_exceeded"},
        "500": {"internal_error"},
        "503": {"service_unavailable"},
    }


def test_a_route_without_a_scope_lacks_no_scope() -> None:
    assert codes("GET", "/v1/key")["403"] == {"account_suspended"}


def test_open_routes_never_ask_for_a_key() -> None:
    assert codes("GET", "/docs") == {"429": {"rate_limit_exceeded"}, "500": {"internal_error"}}


def test_health_says_what_is_wrong_in_its_own_shape() -> None:
    unhealthy = operation("GET", "/health")["responses"]["503"]

    assert unhealthy["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Health"
    }


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("401", {"x-request-id", "WWW-Authenticate"}),
        (
            "402",
            {
                "x-request-id",
                "x-should-retry",
                "X-RateLimit-Limit",
                "X-RateLimit-Remaining",
                "X-RateLimit-Reset",
            },
        ),
        ("409", {"x-request-id", "x-should-retry", "X-Generation-Id"}),
        (
            "429",
            {
                "x-request-id",
                "x-should-retry",
                "Retry-After",
                "X-RateLimit-Limit",
                "X-RateLimit-Remaining",
                "X-RateLimit-Reset",
            },
        ),
        ("503", {"x-request-id", "Retry-After"}),
    ],
)
def test_the_headers_of_a_refusal_are_listed(status: str, headers: set[str]) -> None:
    assert set(operation("POST", CHAT)["responses"][status]["headers"]) == headers


def test_a_flood_is_refused_in_the_words_of_the_template() -> None:
    answer = Gateway(read_template(ROOT / "template.yaml")).response("THROTTLED")

    assert answer.status == THROTTLED.status
    assert answer.headers["Retry-After"] == THROTTLED.headers["Retry-After"] == "1"
    assert THROTTLED.message.encode() in answer.body
    assert THROTTLED.code.encode() in answer.body


def test_meanings_are_sentences_for_clients() -> None:
    quota = refusals()["quota_exceeded"]

    assert quota.meaning == "A window's calls are used up."
