"""The API of template.yaml: what it streams, and what it answers without asking a function."""

import json
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from farebox.api.problems import problem_of
from farebox.domain import errors
from local.template_routes import functions, read_template

ROOT = Path(__file__).parents[2]
TEMPLATE = read_template(ROOT / "template.yaml")
API = TEMPLATE["Resources"]["Api"]["Properties"]
RESPONSES = API["GatewayResponses"]
SAFE_HEADERS = {"accept", "user-agent"}
"""Browsers ask for no leave to send the one, and let no page change the other."""


def envelope_of(response: str) -> dict[str, Any]:
    body = RESPONSES[response]["ResponseTemplates"]["application/json"]
    envelope: dict[str, Any] = json.loads(body)
    return envelope


def events_of(function: str) -> list[dict[str, Any]]:
    return [
        event["Properties"]
        for event in functions(TEMPLATE)[function]["Events"].values()
        if event["Type"] == "Api"
    ]


class TestStreaming:
    def test_the_api_is_regional_for_only_those_stream_in_silence_for_minutes(self) -> None:
        assert API["EndpointConfiguration"] == {"Type": "REGIONAL"}

    def test_every_route_of_chat_streams_for_up_to_15_minutes(self) -> None:
        events = events_of("chat")

        assert len(events) == 6
        assert {event["ResponseTransferMode"] for event in events} == {"RESPONSE_STREAM"}
        assert {event["TimeoutInMillis"] for event in events} == {900_000}

    @pytest.mark.parametrize("function", ["credits", "account", "system"])
    def test_no_route_of_a_buffered_function_streams(self, function: str) -> None:
        for event in events_of(function):
            assert set(event) == {"RestApiId", "Method", "Path"}

    def test_json_reaches_a_function_as_text_and_uploads_as_bytes(self) -> None:
        assert API["BinaryMediaTypes"] == ["multipart~1form-data", "application~1octet-stream"]


class TestCors:
    def test_any_page_may_call_but_without_credentials(self) -> None:
        assert API["Cors"]["AllowOrigin"] == "'*'"
        assert "AllowCredentials" not in API["Cors"]

    def test_every_header_openais_client_sends_is_allowed(self) -> None:
        allowed = API["Cors"]["AllowHeaders"].strip("'").split(",")
        client = OpenAI(api_key="x", organization="org", project="proj")

        sent = {name.lower() for name in client.default_headers}

        assert sent - SAFE_HEADERS <= set(allowed)
        assert {"x-stainless-retry-count", "x-stainless-read-timeout"} <= set(allowed)

    @pytest.mark.parametrize(
        "header", ["idempotency-key", "x-power-level", "x-max-cost", "x-store-answer"]
    )
    def test_every_header_of_our_own_is_allowed(self, header: str) -> None:
        assert header in API["Cors"]["AllowHeaders"].strip("'").split(",")


class TestGatewayResponses:
    @pytest.mark.parametrize("response", sorted(RESPONSES))
    def test_each_is_the_envelope_with_all_four_keys(self, response: str) -> None:
        envelope = envelope_of(response)

        assert set(envelope) == {"error"}
        assert set(envelope["error"]) == {"message", "type", "param", "code"}
        assert envelope["error"]["param"] is None

    @pytest.mark.parametrize("response", sorted(RESPONSES))
    def test_each_can_be_read_by_any_page(self, response: str) -> None:
        headers = RESPONSES[response]["ResponseParameters"]["Headers"]

        assert headers["Access-Control-Allow-Origin"] == "'*'"

    @pytest.mark.parametrize(
        ("response", "error"),
        [
            ("DEFAULT_4XX", errors.NotFound("")),
            ("MISSING_AUTHENTICATION_TOKEN", errors.NotFound("")),
            ("INVALID_SIGNATURE", errors.NotFound("")),
            ("UNAUTHORIZED", errors.InvalidCredential("")),
            ("BAD_REQUEST_BODY", errors.InvalidValue("")),
            ("REQUEST_TOO_LARGE", errors.BodyTooLarge("")),
            ("UNSUPPORTED_MEDIA_TYPE", errors.UnsupportedMediaType("")),
            ("INTEGRATION_TIMEOUT", errors.ProviderTimedOut("")),
        ],
    )
    def test_each_says_what_a_function_would(
        self, response: str, error: errors.FareboxError
    ) -> None:
        problem = problem_of(error)
        said = envelope_of(response)["error"]

        assert RESPONSES[response]["StatusCode"] == problem.status
        assert (said["type"], said["code"]) == (problem.type, problem.code)

    def test_a_flood_is_told_to_come_back_in_a_second(self) -> None:
        throttled = RESPONSES["THROTTLED"]

        assert throttled["StatusCode"] == 429
        assert throttled["ResponseParameters"]["Headers"]["Retry-After"] == "'1'"
        assert envelope_of("THROTTLED")["error"]["type"] == "rate_limit_error"

    def test_a_function_that_broke_is_an_error_of_ours(self) -> None:
        broken = problem_of(RuntimeError())

        assert "StatusCode" not in RESPONSES["DEFAULT_5XX"]
        assert RESPONSES["INTEGRATION_FAILURE"]["StatusCode"] == 502
        assert envelope_of("DEFAULT_5XX")["error"]["code"] == broken.code
        assert envelope_of("INTEGRATION_FAILURE")["error"]["code"] == broken.code
