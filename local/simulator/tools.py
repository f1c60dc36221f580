"""Decide which tools the model calls, and with what arguments.

A call is wanted when the request requires one, or when the last user message names a tool, asks
for one, or looks like something to look up. After tool results the model answers in words unless
a call is required.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from local.simulator.chat_request import ChatRequest, FunctionTool, NamedToolChoice
from local.simulator.dice import Dice
from local.simulator.hints import Hints, read_hints
from local.simulator.schemas import SchemaFiller
from local.simulator.tokens import clip, count

_ASKS_FOR_A_TOOL = re.compile(r"\b(use|call|invoke|try) (the|a|an|your|any)? ?(tool|function)s?\b")
_LOOKS_UP = re.compile(
    r"\b(weather|temperature|forecast|look ?up|search|what time|price of|stock|population)\b"
)
_MOST_CALLS = 4


@dataclass(frozen=True)
class ToolCall:
    """One call of a function; `arguments` is JSON text, cut short only by a cap."""

    id: str
    name: str
    arguments: str

    @property
    def tokens(self) -> int:
        """Count the tokens of the name and the arguments."""
        return count(self.name) + (count(self.arguments) if self.arguments else 0)

    def capped(self, tokens: int) -> "ToolCall":
        """Return the call with its arguments cut to fit; the name must fit."""
        return replace(self, arguments=clip(self.arguments, tokens - count(self.name)))


def plan_calls(request: ChatRequest, dice: Dice) -> list[ToolCall]:
    """Return the calls the model makes, none when it answers in words."""
    hints = read_hints(request.last_user_text)
    chosen = _chosen(request)
    single = request.parallel_tool_calls is False
    if len(chosen) == 1 and not single:
        # "Paris and London" is worth a call each.
        readings = [replace(hints, names=(name,)) for name in hints.names] or [hints]
        return [_call(chosen[0], reading, dice) for reading in readings[:_MOST_CALLS]]
    return [_call(tool, hints, dice) for tool in chosen[: 1 if single else _MOST_CALLS]]


def _chosen(request: ChatRequest) -> list[FunctionTool]:
    tools = [tool.function for tool in request.tools or () if tool.function]
    choice = request.tool_choice or "auto"
    if isinstance(choice, NamedToolChoice):
        named = choice.function.name if choice.function else ""
        return [tool for tool in tools if tool.name == named]
    text = request.last_user_text.lower()
    if not tools or choice == "none":
        return []
    if choice == "required":
        return _named(tools, text) or [_closest(tools, text)]
    return [] if request.tool_results else _worth_calling(tools, text)


def _worth_calling(tools: Sequence[FunctionTool], text: str) -> list[FunctionTool]:
    asked = _ASKS_FOR_A_TOOL.search(text) or _LOOKS_UP.search(text)
    return _named(tools, text) or ([_closest(tools, text)] if asked else [])


def _named(tools: Sequence[FunctionTool], text: str) -> list[FunctionTool]:
    return [
        tool
        for tool in tools
        if tool.name.lower() in text or tool.name.lower().replace("_", " ") in text
    ]


def _closest(tools: Sequence[FunctionTool], text: str) -> FunctionTool:
    """Return the tool that shares most words with the text, the first among equals."""
    words = set(re.findall(r"[a-z]{3,}", text))

    def shared(tool: FunctionTool) -> int:
        described = f"{tool.name} {tool.description or ''}".lower()
        return len(words.intersection(re.findall(r"[a-z]{3,}", described)))

    return max(tools, key=shared)


def _call(tool: FunctionTool, hints: Hints, dice: Dice) -> ToolCall:
    arguments = SchemaFiller(tool.parameters or {}, hints, dice).fill_object()
    return ToolCall(
        id=f"call_{dice.hexadecimal(24)}",
        name=tool.name,
        arguments=json.dumps(arguments, ensure_ascii=False, separators=(",", ":")),
    )
