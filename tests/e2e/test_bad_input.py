"""Bad input against the whole stack: the right status, code and message, and not a cent moved."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.local_stack import LocalStack

CHAT = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "Hello."}]

pytestmark = pytest.mark.xdist_group("stack")


def body(**fields: object) -> dict[str, object]:
    return {"model": "gpt-4o-mini", "messages": HELLO, **fields}


@pytest.mark.parametrize(
    ("sent", "status", "code", "param"),
    [
        (body(model="no-such-model"), 404, "model_not_found", "model"),
        (body(model="gpt-4o"), 403, "model_not_available", None),
        (body(model=7), 400, "invalid_value", "model"),
        (body(messages=[]), 400, "invalid_value", "messages"),
        (body(messages="hello"), 400, "invalid_value", "messages"),
        (body(messages=[{"role": "user"}]), 400, "missing_field", "messages[0].content"),
        (
            body(messages=[{"role": "wizard", "content": "x"}]),
            400,
            "invalid_value",
            "messages[0].role",
        ),
        ({"model": "gpt-4o-mini"}, 400, "missing_field", "messages"),
        (body(max_tokens=-1), 400, "invalid_value", "max_tokens"),
        (body(max_tokens=0), 400, "invalid_value", "max_tokens"),
        (body(max_tokens=10**12), 400, "invalid_value", "max_tokens"),
        (body(max_tokens="many"), 400, "invalid_value", "max_tokens"),
        (body(temperature=3), 400, "invalid_value", "temperature"),
        (body(stream="yes"), 400, "invalid_value", "stream"),
        (body(n=0), 400, "invalid_value", "n"),
        (body(power_level="turbo"), 400, "invalid_value", "power_level"),
        (body(frobnicate=1), 400, "unsupported_parameter", "frobnicate"),
        (body(service_tier="priority"), 400, "unsupported_parameter", "service_tier"),
        (body(store=True), 400, "unsupported_parameter", "store"),
        (body(base_url="http://169.254.169.254"), 400, "unsupported_parameter", "base_url"),
        (body(tools=[{"type": "web_search"}]), 400, "unsupported_parameter", "tools[0].type"),
        ([], 400, "invalid_value", None),
    ],
)
def test_a_bad_body_is_refused_by_name(
    http: httpx.Client,
    available: Callable[[], int],
    sent: Any,  # noqa: ANN401 - any JSON
    status: int,
    code: str,
    param: str | None,
) -> None:
    before = available()

    answer = http.post(CHAT, json=sent)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert available() == before


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"{not json", "application/json", 400, "invalid_value"),
        (b"", "application/json", 400, "invalid_value"),
        (b"\xff\xfe", "application/json", 400, "invalid_value"),
        (b"[" * 100_000, "application/json", 400, "invalid_value"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"x" * (10 * 1024 * 1024), "application/json", 413, "request_too_large"),
    ],
)
def test_what_is_no_request_is_refused(
    http: httpx.Client,
    available: Callable[[], int],
    content: bytes,
    content_type: str,
    status: int,
    code: str,
) -> None:
    before = available()

    answer = http.post(CHAT, content=content, headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert available() == before


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "You didn't provide an API key"),
        ("Basic abc", "Invalid authorization format"),
        ("Bearer uc_short", "Invalid or expired API key"),
        ("Bearer uc_" + "0" * 64, "Invalid or expired API key"),
        ("Bearer sk-demo-" + "a" * 43, "Invalid service key"),
        ("Bearer " + "A" * 5000, "Invalid or expired API key"),
    ],
)
def test_a_bad_credential_is_401_before_the_body_is_looked_at(
    stack: LocalStack, authorization: str | None, message: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = httpx.post(stack.url + CHAT, content=b"{not json", headers=headers)

    error = answer.json()["error"]
    assert answer.status_code == 401
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")
    assert message in error["message"]


def test_wrong_paths_and_methods_have_the_envelope_too(http: httpx.Client) -> None:
    missing = http.get("/v1/nothing/here")
    wrong = http.get(CHAT)

    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


def test_a_browser_may_ask_from_anywhere_without_cookies(stack: LocalStack) -> None:
    preflight = httpx.options(
        stack.url + CHAT,
        headers={
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,x-stainless-retry-count",
        },
    )

    assert preflight.status_code in (200, 204)
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "x-stainless-retry-count" in preflight.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in preflight.headers


def test_a_number_that_is_none_is_refused(http: httpx.Client) -> None:
    sent = json.dumps(body(temperature=float("nan")))

    answer = http.post(CHAT, content=sent, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
