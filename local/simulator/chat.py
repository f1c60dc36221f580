"""Decide what the model answers; how it is put on the wire is `chat_documents`' business.

Everything follows from a seed made of the request without the fields that only say how to deliver
it. A request therefore gets the same words streamed or whole, and a lower cap gets a prefix.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from local.simulator.chat_request import ChatRequest
from local.simulator.dice import Dice
from local.simulator.hints import read_hints
from local.simulator.image_usage import CHAT_PICTURE_TOKENS, with_picture_tokens
from local.simulator.models import reasons
from local.simulator.prose import write_text
from local.simulator.schemas import SchemaFiller
from local.simulator.tokens import cached_prompt_tokens, clip, count, pieces, prompt_tokens
from local.simulator.tools import ToolCall, plan_calls
from local.simulator.usage import Usage, chat_usage

_UNSEEDED = """
    stream stream_options max_tokens max_completion_tokens n logprobs top_logprobs stop user
    metadata store service_tier safety_identifier prompt_cache_key prompt_cache_retention
"""
_EFFORT_PERCENT = {"none": 0, "minimal": 0, "low": 50, "medium": 100, "high": 200, "xhigh": 300}


@dataclass(frozen=True)
class Choice:
    """One of the answers to a request.

    Args:
        index: Position among the choices, from 0.
        text: The content; empty when tools are called.
        calls: The tools called, in order.
        finish_reason: `stop`, `length` or `tool_calls`.
        reasoning: Hidden tokens spent before the answer.
        dice: Dice for what decorates the answer (log probabilities, sizes of chunks).
    """

    index: int
    text: str
    calls: tuple[ToolCall, ...]
    finish_reason: str
    reasoning: int
    dice: Dice

    @property
    def tokens(self) -> int:
        """Count what is charged for the choice, hidden tokens included."""
        visible = sum(call.tokens for call in self.calls) + len(pieces(self.text))
        return self.reasoning + visible


@dataclass(frozen=True)
class Answer:
    """A whole answer: its id, its choices in order, its usage, and when it was made (Unix)."""

    id: str
    model: str
    choices: tuple[Choice, ...]
    usage: Usage
    created_at: int


def answer_chat(
    request: ChatRequest,
    document: Mapping[str, object],
    *,
    created_at: int,
    tokens: int | None = None,
) -> Answer:
    """Answer a chat request.

    Args:
        request: The validated request.
        document: The same as it arrived; its content is the seed.
        created_at: Unix time stated in the answer.
        tokens: Exact length of the text before cap and stop, `None` for a natural one.
    """
    dice = Dice(_seed(document))
    choices = tuple(
        _choice(request, index, dice.fork(index), tokens) for index in range(request.n or 1)
    )
    pictures = CHAT_PICTURE_TOKENS * request.pictures
    usage = chat_usage(
        prompt=prompt_tokens(request),
        cached=cached_prompt_tokens(request),
        completion=sum(choice.tokens for choice in choices) + pictures,
        reasoning=sum(choice.reasoning for choice in choices),
    )
    usage = with_picture_tokens(usage, pictures)
    name = f"chatcmpl-{dice.fork('id').hexadecimal(29)}"
    return Answer(name, request.model, choices, usage, created_at)


def _seed(document: Mapping[str, object]) -> bytes:
    ignored = frozenset(_UNSEEDED.split())
    said = {name: value for name, value in document.items() if name not in ignored}
    return hashlib.blake2b(json.dumps(said, sort_keys=True).encode()).digest()


def _choice(request: ChatRequest, index: int, dice: Dice, tokens: int | None) -> Choice:
    reasoning = _reasoning_tokens(request, dice.fork("reasoning"))
    cap = None if request.cap is None else max(0, request.cap - reasoning)
    calls = plan_calls(request, dice.fork("tools"))
    if calls:
        kept, finish = _cap_calls(calls, cap)
        return Choice(index, "", kept, finish, reasoning, dice)
    text = _until_stop(_content(request, index, dice.fork("text"), tokens), request.stop)
    kept_text = text if cap is None else clip(text, cap)
    finish = "stop" if kept_text == text else "length"
    return Choice(index, kept_text, (), finish, reasoning, dice)


def _reasoning_tokens(request: ChatRequest, dice: Dice) -> int:
    """Draw the hidden tokens: 16 to 64 at medium effort, at most half of the cap."""
    if not reasons(request.model):
        return 0
    percent = _EFFORT_PERCENT.get(request.reasoning_effort or "medium", 100)
    drawn = dice.between(16, 64) * percent // 100
    return drawn if request.cap is None else min(drawn, max(0, request.cap) // 2)


def _content(request: ChatRequest, index: int, dice: Dice, tokens: int | None) -> str:
    wanted = request.response_format
    if wanted is None or wanted.type == "text":
        return write_text(request, index, dice, tokens)
    if wanted.type == "json_object" or wanted.json_schema is None:
        value: object = {"answer": write_text(request, index, dice, tokens), "choice": index}
    else:
        hints = read_hints(request.last_user_text)
        value = SchemaFiller(wanted.json_schema.document, hints, dice).fill()
    return json.dumps(value, ensure_ascii=False)


def _until_stop(text: str, stop: str | list[str] | None) -> str:
    """Cut the text before the first of the stop sequences; an empty one stops nothing."""
    sequences = [stop] if isinstance(stop, str) else stop or []
    found = [text.find(sequence) for sequence in sequences if sequence]
    return text[: min((place for place in found if place >= 0), default=len(text))]


def _cap_calls(calls: list[ToolCall], cap: int | None) -> tuple[tuple[ToolCall, ...], str]:
    """Keep what fits: a call that reaches the cap loses the end of its arguments."""
    if cap is None or sum(call.tokens for call in calls) <= cap:
        return tuple(calls), "tool_calls"
    kept: list[ToolCall] = []
    for call in calls:
        if count(call.name) <= cap:
            kept.append(call.capped(cap))
        cap -= call.tokens
    return tuple(kept), "length"
