"""Which tools are called, and with which arguments."""

import json
from typing import Any

import pytest

from tests.unit.local.test_simulator_chat import ask

type Document = dict[str, Any]

WEATHER: Document = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a place",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 5},
            },
            "required": ["location", "unit"],
            "additionalProperties": False,
        },
    },
}
LOOKUP: Document = {"type": "function", "function": {"name": "find_person", "parameters": {}}}
RAIN = "What is the weather in Oslo?"


def choose(text: str, **fields: object) -> Document:
    """Return the choice that answers a message, given both tools."""
    messages = [{"role": "user", "content": text}]
    asked: Document = {"messages": messages, "tools": [LOOKUP, WEATHER], **fields}
    choice: Document = ask(**asked)["choices"][0]
    return choice


def called(choice: Document) -> list[str]:
    """Return the names of the tools a choice calls."""
    return [call["function"]["name"] for call in choice["message"].get("tool_calls", [])]


def arguments(choice: Document) -> list[Document]:
    """Return the decoded arguments of each call."""
    return [json.loads(c["function"]["arguments"]) for c in choice["message"]["tool_calls"]]


class TestAuto:
    @pytest.mark.parametrize(
        "text", [RAIN, "Run get_weather now.", "Please use the tool on weather", "get weather, go"]
    )
    def test_a_tool_is_called_when_the_message_wants_one(self, text: str) -> None:
        choice = choose(text)

        assert called(choice) == ["get_weather"]
        assert choice["finish_reason"] == "tool_calls"
        assert choice["message"]["content"] is None

    def test_words_answer_a_message_that_wants_none(self) -> None:
        choice = choose("Write a poem.")

        assert called(choice) == []
        assert choice["finish_reason"] == "stop"

    def test_every_tool_named_is_called(self) -> None:
        assert called(choose("Use get_weather and find_person.")) == ["find_person", "get_weather"]

    def test_two_places_are_worth_a_call_each(self) -> None:
        choice = choose("What is the weather in Oslo and New York?")

        assert [found["location"] for found in arguments(choice)] == ["Oslo", "New York"]
        assert len({call["id"] for call in choice["message"]["tool_calls"]}) == 2

    @pytest.mark.parametrize(
        "text", ["Weather in Oslo for Monday?", "I'm in Oslo, is Bob? Weather?"]
    )
    def test_other_names_are_not_places(self, text: str) -> None:
        assert [found["location"] for found in arguments(choose(text))] == ["Oslo"]

    @pytest.mark.parametrize(
        "text", ["Use get_weather and find_person.", "What is the weather in Oslo and New York?"]
    )
    def test_one_call_is_made_when_parallel_calls_are_off(self, text: str) -> None:
        assert len(called(choose(text, parallel_tool_calls=False))) == 1


class TestToolChoice:
    def test_required_calls_a_tool_whatever_was_said(self) -> None:
        assert called(choose("Write a poem.", tool_choice="required")) == ["find_person"]

    def test_a_named_function_is_the_one_called(self) -> None:
        choice = {"type": "function", "function": {"name": "get_weather"}}

        assert called(choose("Write a poem.", tool_choice=choice)) == ["get_weather"]

    def test_none_calls_nothing(self) -> None:
        assert called(choose(RAIN, tool_choice="none")) == []


class TestArguments:
    def test_they_follow_the_schema_and_the_message(self) -> None:
        (found,) = arguments(choose("What is the weather in Oslo for 3 days?"))

        assert found["location"] == "Oslo"
        assert found["unit"] in {"celsius", "fahrenheit"}
        assert found["days"] == 3

    def test_a_tool_without_parameters_gets_an_empty_object(self) -> None:
        assert arguments(choose("Call find_person.")) == [{}]

    def test_a_schema_that_is_none_is_filled_with_an_empty_object(self) -> None:
        odd = {"type": "function", "function": {"name": "odd", "parameters": {"foo": "bar"}}}

        assert arguments(choose("Go.", tools=[odd], tool_choice="required")) == [{}]

    @pytest.mark.parametrize("cap", [1, 3, 4, 6])
    def test_calls_stay_inside_the_cap(self, cap: int) -> None:
        answer = ask(messages=[{"role": "user", "content": RAIN}], tools=[WEATHER], max_tokens=cap)

        assert answer["usage"]["completion_tokens"] <= cap
        assert answer["choices"][0]["finish_reason"] == "length"


def test_tool_results_are_answered_in_words_that_mention_them() -> None:
    call = {"name": "get_weather", "arguments": '{"location": "Oslo"}'}
    messages = [
        {"role": "user", "content": RAIN},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "7 degrees, snow"},
    ]

    choice = ask(messages=messages, tools=[WEATHER])["choices"][0]

    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"].startswith(
        "The tool get_weather answered: 7 degrees, snow."
    )
