"""A chat answer as JSON documents: one whole, or the chunks of a stream.

The chunks of several choices take turns, as they do at OpenAI; usage comes once, last, and only
for those who asked, unless a fault says otherwise.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, zip_longest

from local.simulator.chat import Answer, Choice
from local.simulator.chat_request import ChatRequest
from local.simulator.dice import Dice
from local.simulator.faults import Fault
from local.simulator.logprobs import token_logprobs
from local.simulator.tokens import pieces
from local.simulator.tools import ToolCall
from local.simulator.usage import spoil, spoil_document

type Document = Mapping[str, object]

_FEWEST_TOKENS = 2
_MOST_TOKENS = 5


def whole_document(answer: Answer, request: ChatRequest, fault: Fault) -> Document:
    """Build the answer to a request that does not stream."""
    choices = [_whole_choice(choice, request) for choice in answer.choices]
    document = _frame(answer, "chat.completion") | {"choices": choices}
    return spoil_document(document, answer.usage, fault)


def chunk_documents(answer: Answer, request: ChatRequest, fault: Fault) -> Iterator[Document]:
    """Build the chunks of a stream, in order, without the closing `[DONE]`."""
    asked = request.stream_options is not None and bool(request.stream_options.include_usage)
    with_usage = fault.usage != "none" if asked else fault.usage not in (None, "none")
    frame = _frame(answer, "chat.completion.chunk")
    blank = {"usage": None} if asked and fault.usage != "none" else {}
    usage = {"usage": spoil(answer.usage, fault)}
    turns = chain.from_iterable(zip_longest(*(_deltas(c, request) for c in answer.choices)))
    deltas = [delta for delta in turns if delta is not None]
    inside = usage if fault.usage == "inside" else blank
    for number, delta in enumerate(deltas, start=1):
        yield frame | {"choices": [delta]} | (inside if number == len(deltas) else blank)
    if with_usage and fault.usage != "inside":
        for _ in range(2 if fault.usage == "twice" else 1):
            yield frame | {"choices": []} | usage


def _frame(answer: Answer, kind: str) -> dict[str, object]:
    return {
        "id": answer.id,
        "object": kind,
        "created": answer.created_at,
        "model": answer.model,
        "service_tier": "default",
        "system_fingerprint": f"fp_{Dice(answer.model.encode(errors='replace')).hexadecimal(10)}",
    }


def _whole_choice(choice: Choice, request: ChatRequest) -> Document:
    calls = [{"id": call.id, "type": "function", **_function(call)} for call in choice.calls]
    message: dict[str, object] = {
        "role": "assistant",
        "content": None if calls else choice.text,
        "refusal": None,
        "annotations": [],
    }
    return {
        "index": choice.index,
        "message": message | ({"tool_calls": calls} if calls else {}),
        "logprobs": _logprobs(choice, pieces(choice.text), request, choice.dice.fork(0)),
        "finish_reason": choice.finish_reason,
    }


def _deltas(choice: Choice, request: ChatRequest) -> Iterator[Document]:
    """Build one choice's share of each chunk: the role, the content, the finish."""
    content = None if choice.calls else ""
    yield _delta(choice, {"role": "assistant", "content": content, "refusal": None})
    for number, tokens in enumerate(_groups(pieces(choice.text), choice.dice)):
        logprobs = _logprobs(choice, tokens, request, choice.dice.fork(number))
        yield {**_delta(choice, {"content": "".join(tokens)}), "logprobs": logprobs}
    for index, call in enumerate(choice.calls):
        for part in _call_parts(index, call, choice.dice):
            yield _delta(choice, {"tool_calls": [part]})
    yield {**_delta(choice, {}), "finish_reason": choice.finish_reason}


def _delta(choice: Choice, delta: Document) -> Document:
    return {"index": choice.index, "delta": delta, "logprobs": None, "finish_reason": None}


def _call_parts(index: int, call: ToolCall, dice: Dice) -> Iterator[Document]:
    opening = {"function": {"name": call.name, "arguments": ""}}
    yield {"index": index, "id": call.id, "type": "function", **opening}
    for tokens in _groups(pieces(call.arguments), dice):
        yield {"index": index, "function": {"arguments": "".join(tokens)}}


def _function(call: ToolCall) -> Document:
    return {"function": {"name": call.name, "arguments": call.arguments}}


def _groups(tokens: list[str], dice: Dice) -> Iterator[list[str]]:
    """Deal the tokens out in groups of 2 to 5."""
    sizes = dice.fork("groups")
    start = 0
    while start < len(tokens):
        end = start + sizes.between(_FEWEST_TOKENS, _MOST_TOKENS)
        yield tokens[start:end]
        start = end


def _logprobs(
    choice: Choice, tokens: list[str], request: ChatRequest, dice: Dice
) -> Document | None:
    if not request.logprobs or choice.calls:
        return None
    return token_logprobs(tokens, request.top_logprobs or 0, dice)
