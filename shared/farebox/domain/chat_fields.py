"""The fields of a chat request: what each may be, and what becomes of it on the platform's keys.

A field that changes the price must be priced, one that reaches the account we share at the provider
must not get through, and one we do not know could be either. So on platform keys this is an
allow-list; a model of our own machines (price 0, no shared account) takes unknown fields too.

Fields and ranges: https://platform.openai.com/docs/api-reference/chat/create (read 2026-11).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from farebox.domain.field_checks import (
    Check,
    Either,
    Flag,
    Integer,
    ListOf,
    Number,
    Object,
    OneOf,
    Text,
)


class Handling(StrEnum):
    """What becomes of a field on a platform key."""

    FORWARD = "forward"
    """Sent to the provider as it came; does not change the price per token."""
    OURS = "ours"
    """Read by Farebox and never forwarded as it came."""
    DROP = "drop"
    """Harmless to the caller and not the shared provider account's business: left out."""
    REFUSE = "refuse"
    """Would change the price or reach the shared account: 400 unsupported_parameter."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its rule, its handling, and what `/docs` says of it."""

    name: str
    check: Check
    handling: Handling = Handling.FORWARD
    note: str = ""
    harmless: tuple[object, ...] = ()
    """For a refused field, the values that ask for nothing and are left out instead."""


POWER_LEVELS: Final = ("eco", "balanced", "precision")
TASK_TYPES: Final = ("code", "chat", "rag", "creative")
_STRING: Final = Text(1_000_000)
_ANY_OBJECT: Final = Object()

FIELDS: Final = (
    Field("messages", ListOf(_ANY_OBJECT, 10_000, 1), Handling.OURS, "The conversation so far."),
    Field(
        "model", Text(200), Handling.OURS, "A model's id or alias; absent or `auto` lets us pick."
    ),
    Field(
        "max_tokens",
        Integer(1, 10_000_000),
        Handling.OURS,
        "Output cap of each choice; superseded.",
    ),
    Field(
        "max_completion_tokens", Integer(1, 10_000_000), Handling.OURS, "Output cap of each choice."
    ),
    Field("n", Integer(1, 128), Handling.OURS, "How many choices to produce."),
    Field("stream", Flag(), Handling.OURS, "Send the answer as it is produced."),
    Field(
        "stream_options", Object(Flag()), Handling.OURS, "`include_usage`, `include_obfuscation`."
    ),
    Field("power_level", OneOf(POWER_LEVELS), Handling.OURS, "Price level; X-Power-Level wins."),
    Field("task_type", OneOf(TASK_TYPES), Handling.OURS, "A hint for choosing a model."),
    Field("privacy_required", Flag(), Handling.OURS, "Only models on the operator's machines."),
    Field("temperature", Number(0, 2)),
    Field("top_p", Number(0, 1)),
    Field("presence_penalty", Number(-2, 2)),
    Field("frequency_penalty", Number(-2, 2)),
    Field("logit_bias", Object(Number(-100, 100))),
    Field("logprobs", Flag()),
    Field("top_logprobs", Integer(0, 20)),
    Field("seed", Integer(-(2**63), 2**63 - 1)),
    Field("stop", Either((Text(1000), ListOf(Text(1000), 4)))),
    Field("response_format", _ANY_OBJECT),
    Field("tools", ListOf(_ANY_OBJECT, 128), note="Functions only: hosted tools have prices."),
    Field("tool_choice", Either((Text(64), _ANY_OBJECT))),
    Field("parallel_tool_calls", Flag()),
    Field("functions", ListOf(_ANY_OBJECT, 128), note="Superseded by `tools`."),
    Field("function_call", Either((Text(64), _ANY_OBJECT)), note="Superseded by `tool_choice`."),
    Field("reasoning_effort", OneOf(("none", "minimal", "low", "medium", "high", "xhigh"))),
    Field("verbosity", OneOf(("low", "medium", "high"))),
    Field("user", Text(512), Handling.DROP, "Names one of your users; stays here."),
    Field("safety_identifier", Text(512), Handling.DROP, "Stays here."),
    Field("prompt_cache_key", Text(512), Handling.DROP, "Stays here."),
    Field("metadata", Object(_STRING), Handling.DROP, "Stays here."),
    Field(
        "store", Flag(), Handling.REFUSE, "Would keep the answer in our account.", harmless=(False,)
    ),
    Field(
        "service_tier",
        Text(32),
        Handling.REFUSE,
        "Has prices of its own.",
        harmless=("auto", "default"),
    ),
    Field(
        "modalities",
        ListOf(Text(16), 4),
        Handling.REFUSE,
        "Audio output is not priced.",
        harmless=(["text"],),
    ),
    Field("audio", _ANY_OBJECT, Handling.REFUSE, "Audio output is not priced."),
    Field("prediction", _ANY_OBJECT, Handling.REFUSE, "Rejected predictions cost beyond the cap."),
    Field("web_search_options", _ANY_OBJECT, Handling.REFUSE, "Searches have prices of their own."),
    Field("prompt_cache_retention", Text(32), Handling.REFUSE, "Has a price of its own."),
)

FIELDS_BY_NAME: Final = {field.name: field for field in FIELDS}

CREDENTIAL_FIELDS: Final = frozenset(
    {"api_key", "api_base", "base_url", "extra_headers", "extra_body", "openai_api_key"}
)
"""Never taken from a body, whoever's key is used: they would send a key to a stranger."""
