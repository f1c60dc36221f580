"""What `/openapi.json` says of each operation beyond the route table: what it takes, and gives.

Keyed by the route's name. Errors are named as in `farebox.api.refusals`; those that every route of
the same access can answer with are added from the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from farebox.api.header_notes import METERED_HEADERS, REQUEST_HEADERS
from farebox.api.request_examples import CHAT_ANSWER, CHAT_REQUESTS, CHAT_STREAM
from farebox.api.routes import Access, Route
from farebox.api.schemas import Json

TAGS: Final[Mapping[str, str]] = {
    "Chat": "Conversations with language models, priced by the token.",
    "Models": "What is on sale.",
    "Credits": "What an account has, and what became of it.",
    "Account": "The credential in use.",
    "System": "For whoever runs it or looks at it; no key is needed.",
}
"""The groups of operations, in the order they are shown."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What is documented of one operation."""

    tag: str
    description: str
    answers: Json
    parameters: tuple[Json, ...] = ()
    body: Json | None = None
    errors: tuple[str, ...] = ()
    """The errors of its own."""

    def all_errors(self, route: Route) -> tuple[str, ...]:
        """Name every error the route can answer with."""
        errors = (*self.errors, "throttled", "internal_error")
        if route.access is Access.KEY:
            errors += ("invalid_api_key", "account_suspended", "store_unavailable")
        if route.scope is not None:
            errors += ("insufficient_permissions",)
        return errors


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, content: Json, headers: tuple[str, ...] = ("x-request-id",)) -> Json:
    shown = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return {"description": description, "headers": shown, "content": content}


def _json(name: str) -> Json:
    return {"application/json": {"schema": _schema(name)}}


def _text(media_type: str) -> Json:
    return {media_type: {"schema": {"type": "string"}}}


# Of one event, as OpenAPI 3.2 describes streams; 3.1 has no word for them.
_EVENT: Final[Json] = {
    "description": "Server-sent events: a chunk in each, `[DONE]` in the last. Lines that begin "
    "with a colon keep the connection awake. An answer that cannot go on ends with an event that "
    "holds an error.",
    "properties": {
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": _schema("ChatCompletionChunk"),
        }
    },
}

_COMPLETION: Final[Json] = {
    "application/json": {"schema": _schema("ChatCompletion"), "example": CHAT_ANSWER},
    "text/event-stream": {"schema": _EVENT, "example": CHAT_STREAM},
}

_GENERATION_ID: Final[Json] = {
    "name": "id",
    "in": "query",
    "required": True,
    "description": "What `X-Generation-Id` said on the answer.",
    "schema": {"type": "string"},
}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "create_chat_completion": Operation(
        tag="Chat",
        description="Before a provider is called, the most the request may cost is set aside; when "
        "the answer is through, what it did cost is charged and the rest given back. A request "
        "that is refused, or that a provider fails before it has written anything, costs nothing. "
        "Whoever hangs up during a stream pays for what was written.",
        parameters=tuple(
            {"name": name, "in": "header", **note} for name, note in REQUEST_HEADERS.items()
        ),
        body={
            "required": True,
            "content": {
                "application/json": {"schema": _schema("ChatRequest"), "examples": CHAT_REQUESTS}
            },
        },
        answers={
            "200": _answer(
                "The answer: whole, or as events if `stream` is true.", _COMPLETION, METERED_HEADERS
            )
        },
        errors=(
            *("invalid_value", "missing_field", "unsupported_parameter", "idempotency_key_reused"),
            *("provider_refused", "payment_required", "model_not_available", "trial_ended"),
            *("model_not_found", "idempotency_in_progress", "idempotency_no_answer"),
            *("request_too_large", "provider_refused_size", "unsupported_media_type"),
            *("quota_exceeded", "too_many_in_flight"),
            *("upstream_error", "no_route", "upstream_timeout"),
        ),
    ),
    "list_models": Operation(
        tag="Models",
        description="Those the caller's tier and key may use, in the catalogue's order.",
        parameters=(
            {
                "name": "all",
                "in": "query",
                "description": "`true` lists every model, whoever may use it.",
                "schema": {"type": "string"},
            },
        ),
        answers={"200": _answer("The models.", _json("ModelList"), ())},
    ),
    "get_model": Operation(
        tag="Models",
        description="Whoever may use it.",
        parameters=(
            {
                "name": "model",
                "in": "path",
                "required": True,
                "description": "An id or an alias. Slashes in it, as in `openai/gpt-4o`, may come "
                "as they are or as `%2F`.",
                "schema": {"type": "string", "minLength": 1},
                "example": "gpt-4o-mini",
            },
        ),
        answers={"200": _answer("The model.", _json("Model"), ())},
        errors=("model_not_found",),
    ),
    "get_balance": Operation(
        tag="Credits",
        description="A hold counts as `held` from its request's beginning to its end.",
        answers={"200": _answer("The figures of the account.", _json("Balance"))},
        errors=("not_found",),
    ),
    "get_credits": Operation(
        tag="Credits",
        description="The same figures in the shape of Ops-Center's clients.",
        answers={"200": _answer("The balance.", _json("Credits"))},
        errors=("not_found",),
    ),
    "get_generation": Operation(
        tag="Credits",
        description="Its hold, what it cost, the price it was charged at, tokens, provider and how "
        "it ended. Of one's own account only.",
        parameters=(_GENERATION_ID,),
        answers={"200": _answer("The receipt.", _json("Generation"))},
        errors=("missing_field", "not_found"),
    ),
    "get_generation_content": Operation(
        tag="Credits",
        description="Kept for 24 hours, encrypted, and only if the request carried "
        "`Idempotency-Key` or `X-Store-Answer`.",
        parameters=(_GENERATION_ID,),
        answers={"200": _answer("The answer, as it was sent.", _COMPLETION)},
        errors=("missing_field", "not_found"),
    ),
    "get_key": Operation(
        tag="Account",
        description="What it may do, its budget and its quota. Any valid key may ask.",
        answers={"200": _answer("The credential.", _json("KeyDescription"))},
        errors=("not_found",),
    ),
    "get_root": Operation(
        tag="System",
        description="In words to whoever accepts text, as browsers do.",
        answers={"200": _answer("It is ready.", _json("Ready") | _text("text/plain"))},
    ),
    "get_health": Operation(
        tag="System",
        description="Asks the ledger's store.",
        answers={
            "200": _answer("All is well.", _json("Health")),
            "503": _answer("The ledger does not answer.", _json("Health")),
        },
    ),
    "get_openapi": Operation(
        tag="System",
        description="OpenAPI 3.1, generated from the code that serves.",
        answers={
            "200": _answer("This document.", {"application/json": {"schema": {"type": "object"}}})
        },
    ),
    "get_docs": Operation(
        tag="System",
        description="A page generated from `/openapi.json`.",
        answers={"200": _answer("The page.", _text("text/html"))},
    ),
}
"""By the name of the route."""
