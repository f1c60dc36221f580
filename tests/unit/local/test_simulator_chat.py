"""What the simulator answers, whole; `test_simulator_streams.py` has the chunks."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from local.simulator.app import create_app
from tests.unit.local.test_simulator_app import CHAT, QUESTION, call

type Document = dict[str, Any]


def ask(**fields: object) -> Document:
    """Return the answer to the usual question with these fields added or replaced."""
    answer = call(create_app(clock=lambda: 1_800_000_000.5), "POST", CHAT, {**QUESTION, **fields})
    assert answer.status_code == 200
    document: Document = answer.json()
    return document


def said(text: str, **fields: object) -> str:
    """Return the text that answers a message."""
    content = ask(messages=[{"role": "user", "content": text}], **fields)["choices"][0]["message"]
    assert isinstance(content["content"], str)
    return content["content"]


class TestSeed:
    def test_the_same_request_gets_the_same_answer(self) -> None:
        assert ask() == ask()

    def test_another_question_gets_another_answer_and_id(self) -> None:
        other = ask(messages=[{"role": "user", "content": "Why is fire hot?"}])

        assert other["id"] != ask()["id"]
        assert other["choices"] != ask()["choices"]

    def test_choices_differ_even_under_a_low_cap(self) -> None:
        choices = ask(n=12, max_tokens=3)["choices"]

        assert [choice["index"] for choice in choices] == list(range(12))
        assert len({choice["message"]["content"] for choice in choices}) == 12

    def test_a_lower_cap_gets_the_beginning_of_the_same_text(self) -> None:
        whole = ask()["choices"][0]["message"]["content"]

        capped = ask(max_completion_tokens=10)["choices"][0]["message"]["content"]

        assert len(capped) == 40
        assert whole.startswith(capped)

    def test_only_the_creation_time_follows_the_clock(self) -> None:
        assert ask()["created"] == 1_800_000_000


class TestText:
    def test_it_quotes_the_last_user_message(self) -> None:
        messages = [
            {"role": "user", "content": "Tell me about rain."},
            {"role": "assistant", "content": "Rain is wet."},
            {"role": "user", "content": "And about snow?"},
        ]

        content = ask(messages=messages)["choices"][0]["message"]["content"]

        assert "And about snow?" in content
        assert "rain" not in content

    def test_it_ends_by_itself_as_a_sentence(self) -> None:
        choice = ask()["choices"][0]

        assert choice["finish_reason"] == "stop"
        assert choice["message"]["content"].endswith(".")

    @pytest.mark.parametrize("cap", [1, 7, 20])
    @pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
    def test_it_has_exactly_as_many_tokens_as_the_cap_allows(self, field: str, cap: int) -> None:
        answer = ask(**{field: cap})

        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["usage"]["completion_tokens"] == cap

    @pytest.mark.parametrize("stop", ["cold", ["zzz", "cold", "ice cold"]])
    def test_it_stops_before_the_first_stop_sequence(self, stop: object) -> None:
        choice = ask(stop=stop)["choices"][0]

        assert choice["finish_reason"] == "stop"
        assert choice["message"]["content"].endswith(
            "Why is " if isinstance(stop, list) else "ice "
        )

    def test_it_mentions_an_image_that_is_never_fetched(self) -> None:
        picture = {"type": "image_url", "image_url": {"url": "http://192.0.2.1/cat.png"}}
        content = [{"type": "text", "text": "Who is it?"}, picture]

        answer = ask(messages=[{"role": "user", "content": content}])

        assert "I was shown an image." in answer["choices"][0]["message"]["content"]
        assert answer["usage"]["prompt_tokens"] == 88

    def test_it_survives_emoji_and_half_a_surrogate_pair(self) -> None:
        body = '{"model": "m", "messages": [{"role": "user", "content": "Smile 🙂 \\ud83d"}]}'

        answer = call(create_app(), "POST", CHAT, body)

        assert "Smile 🙂 \ud83d" in json.loads(answer.content)["choices"][0]["message"]["content"]


class TestUsage:
    def test_it_adds_up_over_the_choices(self) -> None:
        single, double = ask()["usage"], ask(n=2)["usage"]

        assert single["prompt_tokens"] == double["prompt_tokens"] == 4
        assert double["completion_tokens"] > single["completion_tokens"]
        assert double["total_tokens"] == 4 + double["completion_tokens"]

    def test_an_ordinary_model_does_not_reason(self) -> None:
        assert ask()["usage"]["completion_tokens_details"]["reasoning_tokens"] == 0

    @pytest.mark.parametrize("model", ["o1", "o3-mini", "openai/o1-preview"])
    def test_a_reasoning_model_spends_hidden_tokens(self, model: str) -> None:
        usage = ask(model=model)["usage"]

        reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
        assert 16 <= reasoning <= 64
        assert usage["completion_tokens"] > reasoning

    @pytest.mark.parametrize("cap", [1, 2, 10])
    def test_reasoning_stays_inside_the_cap(self, cap: int) -> None:
        usage = ask(model="o1", max_completion_tokens=cap)["usage"]

        assert usage["completion_tokens"] == cap
        assert usage["completion_tokens_details"]["reasoning_tokens"] == cap // 2


class _Step(BaseModel):
    explanation: str
    seconds: int


class _Plan(BaseModel):
    title: str
    steps: list[_Step]
    note: str | None


class TestStructuredAnswers:
    def test_json_object_gets_an_object(self) -> None:
        value = json.loads(said("Answer in JSON.", response_format={"type": "json_object"}))

        assert "Answer in JSON." in value["answer"]

    def test_json_schema_gets_a_value_the_schema_accepts(self) -> None:
        schema = {"name": "plan", "schema": _Plan.model_json_schema(), "strict": True}

        text = said("Plan it.", response_format={"type": "json_schema", "json_schema": schema})

        assert len(_Plan.model_validate_json(text).steps) == 2

    def test_a_cap_cuts_the_json_short(self) -> None:
        answer = ask(response_format={"type": "json_object"}, max_tokens=5)

        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["choices"][0]["message"]["content"].startswith('{"answer": ')


class TestLogprobs:
    def test_each_token_has_one_entry_led_by_itself(self) -> None:
        choice = ask(logprobs=True, top_logprobs=3, max_tokens=5)["choices"][0]

        entries = choice["logprobs"]["content"]
        assert "".join(entry["token"] for entry in entries) == choice["message"]["content"]
        assert len(entries) == 5
        assert [len(entry["top_logprobs"]) for entry in entries] == [3] * 5
        assert all(entry["top_logprobs"][0]["token"] == entry["token"] for entry in entries)
        assert all(entry["logprob"] <= 0 for entry in entries)

    def test_they_are_null_unless_asked_for(self) -> None:
        assert ask()["choices"][0]["logprobs"] is None
