"""The documented chat request and the parser agree, in both directions."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from farebox.api.chat_schema import chat_request_schema
from farebox.api.request_examples import CHAT_REQUESTS
from farebox.api.schemas import Json
from farebox.domain.catalogue import load_catalogue
from farebox.domain.chat_fields import CREDENTIAL_FIELDS, FIELDS, Field, Handling
from farebox.domain.chat_request import ChatRequest, parse_chat_request, refuse_unknown
from farebox.domain.errors import InvalidRequest
from tests.unit.api.documents import DOCUMENT, faults

ASK: Json = {"messages": [{"role": "user", "content": "Hello"}]}
CHAT = schemathesis.openapi.from_dict(DOCUMENT)["/v1/chat/completions"]["POST"]


def message(**fields: object) -> Json:
    return {"messages": [fields]}


def parsed(body: object) -> ChatRequest:
    """Parse a body as a model over the platform's keys does."""
    request = parse_chat_request(body)
    refuse_unknown(request)
    return request


def as_clients_write(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Write whole numbers without a point: to a schema, 1.0 is an integer."""
    if isinstance(value, dict):
        return {name: as_clients_write(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_clients_write(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def test_every_field_is_documented_and_no_other() -> None:
    properties = chat_request_schema()["properties"]

    assert list(properties) == [field.name for field in FIELDS]
    assert CREDENTIAL_FIELDS.isdisjoint(properties)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_field_is_documented_with_its_rule_its_note_and_what_becomes_of_it(field: Field) -> None:
    described = chat_request_schema()["properties"][field.name]

    assert field.note in described["description"]
    assert described["x-handling"] == field.handling
    for keyword in ("maximum", "minimum", "maxLength", "maxItems", "minItems"):
        assert described.get(keyword) == field.check.schema().get(keyword)


@pytest.mark.parametrize(
    ("handling", "words"),
    [
        (Handling.OURS, "Read by Farebox."),
        (Handling.FORWARD, "Passed on to the provider."),
        (Handling.DROP, "Accepted, and not passed on."),
        (Handling.REFUSE, "Refused with `unsupported_parameter`"),
    ],
)
def test_what_becomes_of_a_field_is_said_in_words(handling: Handling, words: str) -> None:
    properties = chat_request_schema()["properties"]
    such = [each for each in properties.values() if each["x-handling"] == handling]

    assert such
    assert all(words in each["description"] for each in such)


def test_harmless_values_of_a_refused_field_are_named() -> None:
    properties = chat_request_schema()["properties"]

    assert properties["store"]["enum"] == [False, None]
    assert properties["service_tier"]["description"] == (
        "Has prices of its own. Refused with `unsupported_parameter`, "
        'unless it is `"auto"` or `"default"`.'
    )
    assert properties["audio"]["enum"] == [None]


@pytest.mark.parametrize("name", CHAT_REQUESTS)
def test_an_example_is_a_request_for_a_model_that_can_serve_it(name: str) -> None:
    body = CHAT_REQUESTS[name]["value"]

    request = parsed(body)

    assert faults("ChatRequest", body) == []
    model = load_catalogue().model(request.model)
    assert request.model == "auto" or (model is not None and request.needs <= model.capabilities)


@pytest.mark.parametrize(
    "body",
    [
        ASK,
        ASK | {"temperature": None, "stop": None, "web_search_options": None},
        ASK | {"store": False, "service_tier": "auto", "modalities": ["text"]},
        ASK | {"stop": "\n"} | {"n": 128, "seed": -1},
        ASK | {"stop": ["a", "b", "c", "d"]},
        message(role="system", content=""),
        message(role="developer", content=[]),
        message(role="assistant"),
        message(role="assistant", content=None),
        message(role="tool", content="21", tool_call_id="call_1"),
        message(role="function", content="21", name="temperature_in"),
        message(role="assistant", content=[{"type": "refusal", "refusal": "No."}]),
        message(role="user", content=[{"type": "image_url", "image_url": {"url": "data:,"}}]),
        ASK | {"tools": [{"type": "function", "function": {"name": "f", "strict": True}}]},
        ASK | {"tools": []},
    ],
    ids=lambda body: json.dumps(body)[:70],
)
def test_both_take_what_is_right(body: Json) -> None:
    parsed(body)

    assert faults("ChatRequest", body) == []


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"messages": []},
        {"messages": "Hello"},
        {"messages": None},
        ASK | {"temperature": 2.1},
        ASK | {"temperature": "1"},
        ASK | {"max_tokens": 0},
        ASK | {"n": 1.5},
        ASK | {"stream": "true"},
        ASK | {"stream_options": {"include_usage": 1}},
        ASK | {"power_level": "turbo"},
        ASK | {"stop": ["a", "b", "c", "d", "e"]},
        ASK | {"store": True},
        ASK | {"service_tier": "flex"},
        ASK | {"modalities": ["text", "audio"]},
        ASK | {"web_search_options": {}},
        ASK | {"best_of": 2},
        ASK | {"api_key": "x"},
        message(content="Hello"),
        message(role="wizard", content="Hello"),
        message(role=[], content="Hello"),
        message(role="user"),
        message(role="user", content=None),
        message(role="user", content=1),
        message(role="user", content=[{"type": "text"}]),
        message(role="user", content=[{"type": "text", "text": 1}]),
        message(role="user", content=["Hello"]),
        message(role="user", content=[{"type": "image_url", "image_url": "https://x.example"}]),
        message(role="user", content=[{"type": "input_audio", "input_audio": {}}]),
        message(role="user", content=[{"type": "file", "file": {}}]),
        ASK | {"tools": [{"type": "web_search"}]},
        ASK | {"tools": [{"type": "function"}]},
        ASK | {"tools": [{"type": "function", "function": {}}]},
        ASK | {"tools": ["f"]},
    ],
    ids=lambda body: json.dumps(body)[:70],
)
def test_both_refuse_what_is_wrong(body: Json) -> None:
    with pytest.raises(InvalidRequest):
        parsed(body)

    assert faults("ChatRequest", body) != []


@given(case=CHAT.as_strategy())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_document_allows_the_parser_takes(case: "schemathesis.Case[Any]") -> None:
    body = as_clients_write(case.body)
    body.pop("max_tokens", None)  # that it must agree with its successor is beyond a schema

    parsed(body)
