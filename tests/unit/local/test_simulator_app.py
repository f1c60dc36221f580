"""The simulator's routes, in process; `call` is shared by the simulator's other test modules."""

import asyncio
from collections.abc import Mapping

import httpx
import pytest
from starlette.types import ASGIApp

from local.simulator.app import create_app

CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"
QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Why is ice cold?"}]}

# Every field of the official client's chat request (openai-python 3.52, 2026-11), many at a limit.
EVERY_FIELD = {
    "messages": [{"content": "string", "role": "developer", "name": "name"}],
    "model": "gpt-5.4",
    "audio": {"format": "wav", "voice": "string"},
    "frequency_penalty": -2,
    "function_call": "none",
    "functions": [{"name": "name", "description": "text", "parameters": {"foo": "bar"}}],
    "logit_bias": {"foo": 0},
    "logprobs": True,
    "max_completion_tokens": 0,
    "max_tokens": 0,
    "metadata": {"foo": "string"},
    "modalities": ["text"],
    "n": 1,
    "parallel_tool_calls": True,
    "prediction": {"content": "string", "type": "content"},
    "presence_penalty": -2,
    "moderation": {"model": "string"},
    "prompt_cache_key": "prompt-cache-key-1234",
    "prompt_cache_options": {"mode": "implicit"},
    "prompt_cache_retention": "24h",
    "reasoning_effort": "none",
    "response_format": {"type": "text"},
    "safety_identifier": "safety-identifier-1234",
    "seed": -9007199254740991,
    "service_tier": "auto",
    "stop": "string",
    "store": True,
    "stream": False,
    "stream_options": {"include_obfuscation": True, "include_usage": True},
    "temperature": 1,
    "tool_choice": "none",
    "tools": [
        {
            "type": "function",
            "function": {"name": "name", "parameters": {"foo": "bar"}, "strict": True},
        }
    ],
    "top_logprobs": 0,
    "top_p": 1,
    "user": "user-1234",
    "verbosity": "low",
    "web_search_options": {"search_context_size": "low"},
}


def call(
    app: ASGIApp,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Send one request to the application with the key `sk-test-0001` unless `headers` say."""
    authorized = {"authorization": "Bearer sk-test-0001", **(headers or {})}

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
            content = body if isinstance(body, str) else None
            json = None if isinstance(body, str) else body
            return await client.request(
                method, path, content=content, json=json, headers=authorized
            )

    return asyncio.run(send())


class TestAuthentication:
    @pytest.mark.parametrize("header", ["", "Bearer ", "Basic abc", "sk-test-0001"])
    def test_a_request_without_a_bearer_key_is_refused(self, header: str) -> None:
        answer = call(create_app(), "POST", CHAT, QUESTION, {"authorization": header})

        assert answer.status_code == 401
        assert answer.json() == {
            "error": {
                "message": "You didn't provide an API key as a bearer token.",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        }

    def test_the_key_invalid_is_refused(self) -> None:
        answer = call(
            create_app(), "GET", "/v1/models", headers={"authorization": "Bearer invalid"}
        )

        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"

    def test_any_other_key_is_accepted(self) -> None:
        answer = call(create_app(), "GET", "/v1/models", headers={"authorization": "Bearer x"})

        assert answer.status_code == 200

    def test_health_needs_no_key(self) -> None:
        answer = call(create_app(), "GET", "/health", headers={"authorization": ""})

        assert answer.json() == {"status": "ok"}


class TestModels:
    def test_the_list_is_the_one_given_in_its_order(self) -> None:
        answer = call(create_app(["b/two", "one"]), "GET", "/v1/models")

        assert answer.json() == {
            "object": "list",
            "data": [
                {
                    "id": "b/two",
                    "object": "model",
                    "created": 1_767_225_600,
                    "owned_by": "simulator",
                },
                {"id": "one", "object": "model", "created": 1_767_225_600, "owned_by": "simulator"},
            ],
        }

    @pytest.mark.parametrize("path", ["/v1/models/openai/gpt-4o", "/v1/models/openai%2Fgpt-4o"])
    def test_a_model_is_found_by_an_id_with_a_slash(self, path: str) -> None:
        answer = call(create_app(["openai/gpt-4o"]), "GET", path)

        assert answer.json()["id"] == "openai/gpt-4o"

    def test_an_unknown_model_is_not_found(self) -> None:
        answer = call(create_app(["one"]), "GET", "/v1/models/two")

        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "model_not_found"

    def test_chat_refuses_a_model_that_is_not_listed(self) -> None:
        answer = call(create_app(["one"]), "POST", CHAT, QUESTION)

        assert answer.status_code == 404
        assert answer.json()["error"]["param"] == "model"

    def test_without_a_list_any_model_answers(self) -> None:
        answer = call(create_app(None), "POST", CHAT, {**QUESTION, "model": "made-up"})

        assert answer.json()["model"] == "made-up"

    def test_a_model_cannot_be_deleted(self) -> None:
        answer = call(create_app(["one"]), "DELETE", "/v1/models/one")

        assert answer.status_code == 405
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


class TestLenient:
    def test_any_model_any_field_and_a_cap_of_zero_are_accepted(self) -> None:
        app = create_app(["one"], lenient=True)

        answer = call(app, "POST", CHAT, {**QUESTION, "foo": "bar", "max_tokens": 0})

        choice = answer.json()["choices"][0]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("", "length")
        assert answer.json()["usage"]["completion_tokens"] == 0

    def test_every_field_the_official_client_knows_is_accepted_at_once(self) -> None:
        answer = call(create_app(lenient=True), "POST", CHAT, EVERY_FIELD)

        assert answer.status_code == 200
        assert answer.json()["choices"][0]["finish_reason"] == "length"

    def test_a_model_can_be_deleted(self) -> None:
        answer = call(create_app(["one"], lenient=True), "DELETE", "/v1/models/ft:one/x")

        assert answer.json() == {"id": "ft:one/x", "object": "model", "deleted": True}

    def test_a_field_of_the_wrong_type_is_still_refused(self) -> None:
        answer = call(create_app(lenient=True), "POST", CHAT, {**QUESTION, "messages": "hello"})

        assert answer.status_code == 400


def test_an_unknown_route_is_not_found_in_the_same_envelope() -> None:
    answer = call(create_app(), "GET", "/v1/assistants")

    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": "Not Found (GET /v1/assistants)",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


def test_every_answer_of_the_provider_carries_a_request_id_of_its_own() -> None:
    app = create_app()

    first, second = call(app, "POST", CHAT, QUESTION), call(app, "POST", CHAT, QUESTION)

    assert first.headers["x-request-id"].startswith("req_")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
