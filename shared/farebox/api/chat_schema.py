"""The body of a chat request, described for `/openapi.json` from the very rules that check it.

Messages and tools are checked by code instead of by rules; what is said of them here is held
against that code by tests.
"""

import json
from collections.abc import Mapping
from typing import Final

from farebox.api.schemas import Json
from farebox.domain.chat_fields import FIELDS, Field, Handling

HANDLING_WORDS: Final[Mapping[Handling, str]] = {
    Handling.OURS: "Read by Farebox.",
    Handling.FORWARD: "Passed on to the provider.",
    Handling.DROP: "Accepted, and not passed on.",
    Handling.REFUSE: "Refused with `unsupported_parameter`.",
}
"""What becomes of a field, in the words of the documentation."""


def chat_request_schema() -> Json:
    """Describe the body of a chat request from the rules that check it."""
    properties = {field.name: _field_schema(field) for field in FIELDS}
    properties["messages"]["items"] = {"$ref": "#/components/schemas/Message"}
    properties["tools"]["items"] = {"$ref": "#/components/schemas/Tool"}
    return {
        "type": "object",
        "description": "OpenAI's request. A field that is `null` counts as absent. Fields that are "
        "not listed are refused with `unsupported_parameter`, for they could change the price; "
        "models on the operator's own machines take them.",
        "required": ["messages"],
        "properties": properties,
        "additionalProperties": False,
    }


def _field_schema(field: Field) -> Json:
    schema = dict(field.check.schema())
    if field.name != "messages":
        schema = _or_null(schema)
    if field.handling is Handling.REFUSE:
        schema["enum"] = [*field.harmless, None]
    words = f"{field.note} {_handling_words(field)}".strip()
    return schema | {"description": words, "x-handling": field.handling.value}


def _or_null(schema: Json) -> Json:
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [schema["type"], "null"]} | choices


def _handling_words(field: Field) -> str:
    words = HANDLING_WORDS[field.handling]
    if not field.harmless:
        return words
    harmless = " or ".join(f"`{json.dumps(value)}`" for value in field.harmless)
    return f"{words.removesuffix('.')}, unless it is {harmless}."


def _object(required: tuple[str, ...], **properties: Json) -> Json:
    return {"type": "object", "required": list(required), "properties": properties}


_TEXT: Final[Json] = {"type": "string"}

MESSAGE_PARTS: Final[Json] = {
    "Message": {
        "description": "One turn of the conversation.",
        "anyOf": [
            _object(
                ("role", "content"),
                role={"enum": ["system", "developer", "user"]},
                content={"$ref": "#/components/schemas/Content"},
            ),
            _object(
                ("role", "content", "tool_call_id"),
                role={"const": "tool"},
                content={"$ref": "#/components/schemas/Content"},
                tool_call_id={**_TEXT, "description": "The call this answers."},
            ),
            _object(
                ("role", "content", "name"),
                role={"const": "function"},
                content={"$ref": "#/components/schemas/Content"},
                name={**_TEXT, "description": "The function this answers for."},
            ),
            _object(
                ("role",),
                role={"const": "assistant"},
                content={"anyOf": [{"$ref": "#/components/schemas/Content"}, {"type": "null"}]},
                tool_calls={"type": "array", "items": {"$ref": "#/components/schemas/ToolCall"}},
            ),
        ],
    },
    "Content": {
        "description": "Text, or parts of text and images.",
        "anyOf": [
            _TEXT,
            {"type": "array", "items": {"$ref": "#/components/schemas/ContentPart"}},
        ],
    },
    "ContentPart": {
        "description": "Images are https addresses or data URLs.",
        "anyOf": [
            _object(("type", "text"), type={"const": "text"}, text=_TEXT),
            _object(("type", "refusal"), type={"const": "refusal"}, refusal=_TEXT),
            _object(
                ("type", "image_url"),
                type={"const": "image_url"},
                image_url=_object(("url",), url=_TEXT, detail={"enum": ["auto", "low", "high"]}),
            ),
        ],
    },
    "Tool": {
        "description": "A function the model may ask for.",
        **_object(
            ("type", "function"),
            type={"const": "function"},
            function=_object(
                ("name",), name=_TEXT, description=_TEXT, parameters={"type": "object"}
            ),
        ),
    },
}
"""The parts of a request that its rules check in code: tests hold the two together."""
