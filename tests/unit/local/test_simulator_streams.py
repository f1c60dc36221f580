"""The chunks of a stream, without their timing."""

import json
from typing import Any

from local.simulator.app import create_app
from tests.unit.local.test_simulator_app import CHAT, QUESTION, call
from tests.unit.local.test_simulator_chat import ask
from tests.unit.local.test_simulator_tools import RAIN, WEATHER

type Document = dict[str, Any]


def events(**fields: object) -> list[str]:
    """Return the data of every event of a stream."""
    app = create_app(pace_seconds=0, clock=lambda: 1_800_000_000)
    answer = call(app, "POST", CHAT, {**QUESTION, "stream": True, **fields})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    blocks = answer.text.removesuffix("\n\n").split("\n\n")
    assert all(block.startswith("data: ") for block in blocks)
    return [block.removeprefix("data: ") for block in blocks]


def chunks(**fields: object) -> list[Document]:
    """Return every chunk of a stream, checking that it is closed properly."""
    *documents, done = events(**fields)
    assert done == "[DONE]"
    return [json.loads(document) for document in documents]


def test_the_role_comes_first_and_the_finish_reason_last() -> None:
    choices = [chunk["choices"][0] for chunk in chunks()]

    assert choices[0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert choices[-1]["delta"] == {}
    assert [c["finish_reason"] for c in choices] == [None] * (len(choices) - 1) + ["stop"]


def test_several_chunks_of_a_few_tokens_carry_the_text_of_the_whole_answer() -> None:
    whole = ask()

    streamed = chunks()

    parts = [chunk["choices"][0]["delta"].get("content", "") for chunk in streamed]
    assert "".join(parts) == whole["choices"][0]["message"]["content"]
    assert len(parts) > 10
    assert max(map(len, parts)) <= 20
    assert {chunk["id"] for chunk in streamed} == {whole["id"]}


def test_usage_is_left_out_unless_asked_for() -> None:
    assert all("usage" not in chunk for chunk in chunks())


def test_usage_comes_last_without_choices_and_is_null_before() -> None:
    *before, last = chunks(stream_options={"include_usage": True})

    assert {chunk["usage"] for chunk in before} == {None}
    assert last["choices"] == []
    assert last["usage"] == ask()["usage"]


def test_the_chunks_of_several_choices_take_turns() -> None:
    whole = ask(n=2)["choices"]

    choices = [chunk["choices"][0] for chunk in chunks(n=2)]

    assert [choice["index"] for choice in choices[:6]] == [0, 1, 0, 1, 0, 1]
    for index in (0, 1):
        parts = [c["delta"].get("content", "") for c in choices if c["index"] == index]
        assert "".join(parts) == whole[index]["message"]["content"]


def test_a_tool_call_opens_with_its_name_and_goes_on_with_its_arguments() -> None:
    asked: Document = {"messages": [{"role": "user", "content": RAIN}], "tools": [WEATHER]}
    (whole,) = ask(**asked)["choices"][0]["message"]["tool_calls"]

    first, *rest, finish = chunks(**asked)

    parts = [chunk["choices"][0]["delta"]["tool_calls"][0] for chunk in rest]
    assert first["choices"][0]["delta"]["content"] is None
    assert parts[0] == {
        "index": 0,
        "id": whole["id"],
        "type": "function",
        "function": {"name": "get_weather", "arguments": ""},
    }
    assert len(parts) > 2
    assert (
        "".join(part["function"]["arguments"] for part in parts) == (whole["function"]["arguments"])
    )
    assert finish["choices"][0]["finish_reason"] == "tool_calls"


def test_log_probabilities_travel_with_their_tokens() -> None:
    choices = [chunk["choices"][0] for chunk in chunks(logprobs=True, max_tokens=6)]

    for choice in choices[1:-1]:
        tokens = [entry["token"] for entry in choice["logprobs"]["content"]]
        assert "".join(tokens) == choice["delta"]["content"]
