"""Token usage as OpenAI reports it, and the ways providers have got it wrong."""

from collections.abc import Mapping

from local.simulator.faults import Fault

type _Count = int | Mapping[str, int]
type Usage = Mapping[str, _Count]

ABSURD_TOKENS = 10**12


def chat_usage(*, prompt: int, cached: int, completion: int, reasoning: int) -> Usage:
    """Build the usage of a chat completion, all in tokens.

    `cached` is part of `prompt`, `reasoning` part of `completion`.
    """
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def spoil(usage: Usage, fault: Fault) -> object:
    """Return the usage the fault asks for, which may be nothing a client expects."""
    if isinstance(fault.usage, dict):
        return fault.usage
    if fault.usage == "null":
        return None
    if fault.usage in ("nulls", "strings", "negative", "huge"):
        return {name: _spoilt(count, fault.usage) for name, count in usage.items()}
    return usage


def spoil_document(document: Mapping[str, object], usage: Usage, fault: Fault) -> dict[str, object]:
    """Return a plain answer with its usage: spoilt, or left out for "none"."""
    if fault.usage == "none":
        return dict(document)
    return {**document, "usage": spoil(usage, fault)}


def _spoilt(count: _Count, how: str) -> object:
    if isinstance(count, Mapping):
        return {name: _spoilt(inner, how) for name, inner in count.items()}
    if how == "nulls":
        return None
    if how == "strings":
        return str(count)
    return ABSURD_TOKENS if how == "huge" else -1 - count
