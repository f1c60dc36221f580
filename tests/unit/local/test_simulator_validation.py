"""Refusals of malformed requests: status, code and param as api.openai.com has them."""

import pytest
from openai.types import EmbeddingCreateParams
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

from local.simulator.app import create_app
from local.simulator.chat_request import ChatRequest
from local.simulator.embedding_request import EmbeddingRequest
from tests.unit.local.test_simulator_app import CHAT, EMBEDDINGS, QUESTION, call

TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"model": 5}, "model", "invalid_type"),
        ({"messages": "hello"}, "messages", "invalid_type"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        ({"messages": [{"role": "boss", "content": "x"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0].image_url",
            "missing_required_parameter",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]},
            "messages[0].content[0].text",
            "invalid_type",
        ),
        (
            {"messages": [{"role": "tool", "content": "x", "tool_call_id": "call_1"}]},
            "messages[0].role",
            "invalid_value",
        ),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"temperature": 2.5}, "temperature", "invalid_value"),
        ({"n": 0}, "n", "invalid_value"),
        ({"n": 1.5}, "n", "invalid_type"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "invalid_value"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"max_completion_tokens": -1}, "max_completion_tokens", "integer_below_min_value"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens", "invalid_value"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "invalid_value"),
        ({"top_logprobs": 2}, "top_logprobs", "invalid_value"),
        ({"tool_choice": "auto"}, "tool_choice", "invalid_value"),
        ({"tool_choice": "perhaps"}, "tool_choice", "invalid_value"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
            "tool_choice",
            "invalid_value",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "a b"}}]},
            "tools[0].function.name",
            "invalid_value",
        ),
        ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
        ({"foo": 1}, None, None),
    ],
)
def test_a_malformed_chat_request_is_refused(
    fields: dict[str, object], param: str | None, code: str | None
) -> None:
    answer = call(create_app(), "POST", CHAT, {**QUESTION, **fields})

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["type"] == "invalid_request_error"
    assert (error["param"], error["code"]) == (param, code)


def test_every_field_the_official_client_can_send_is_known() -> None:
    sendable = set(CompletionCreateParamsStreaming.__annotations__)

    assert sendable - set(ChatRequest.model_fields) == set()
    assert set(EmbeddingCreateParams.__annotations__) == set(EmbeddingRequest.model_fields)


@pytest.mark.parametrize("missing", ["model", "messages"])
def test_a_required_field_is_missed_by_name(missing: str) -> None:
    body = {name: value for name, value in QUESTION.items() if name != missing}

    answer = call(create_app(), "POST", CHAT, body)

    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": f"Missing required parameter: '{missing}'.",
        "type": "invalid_request_error",
        "param": missing,
        "code": "missing_required_parameter",
    }


def test_unknown_fields_are_named() -> None:
    one = call(create_app(), "POST", CHAT, {**QUESTION, "foo": 1})
    two = call(create_app(), "POST", CHAT, {**QUESTION, "foo": 1, "bar": 2})

    assert one.json()["error"]["message"] == "Unrecognized request argument supplied: foo"
    assert two.json()["error"]["message"] == "Unrecognized request arguments supplied: foo, bar"


@pytest.mark.parametrize("body", ["", "{", "[1]", "[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(body: str) -> None:
    answer = call(create_app(), "POST", CHAT, body)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "We could not parse the JSON body of your request."
    )


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [1, "a"]}, "input[0]"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "dimensions": 1537}, "dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
    ],
)
def test_a_malformed_embedding_request_is_refused(fields: dict[str, object], param: str) -> None:
    answer = call(create_app(), "POST", EMBEDDINGS, {"model": "text-embedding-3-small", **fields})

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
