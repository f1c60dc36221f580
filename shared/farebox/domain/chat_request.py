"""A chat request as it was asked, checked field by field, and as it goes to a provider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from farebox.domain.chat_fields import (
    CREDENTIAL_FIELDS,
    FIELDS_BY_NAME,
    Field,
    Handling,
)
from farebox.domain.errors import InvalidValue, MissingField, UnsupportedParameter
from farebox.domain.tiers import PowerLevel, parse_power_level

_ROLES: Final = ("assistant", "developer", "function", "system", "tool", "user")
_TEXT_PARTS: Final = ("text", "refusal")
_UNPRICED_PARTS: Final = ("file", "input_audio")
AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a caller asks for."""

    body: Mapping[str, object]
    """Every field as it came; what is forwarded is decided by `provider_body`."""
    model: str
    messages: Sequence[Mapping[str, object]]
    stream: bool
    include_usage: bool
    power_level: PowerLevel
    task_type: str | None
    privacy_required: bool
    output_cap: int | None
    """Tokens each choice may have, `None` if the caller named none."""
    choices: int
    needs: frozenset[str]
    """Capabilities the model must have: tools, vision, json."""
    unknown: tuple[str, ...]
    """Fields we have no rule for, in the order they came."""


def parse_chat_request(
    body: object, *, power_level: str | None = None, lenient: bool = False
) -> ChatRequest:
    """Check a decoded body.

    Args:
        body: The JSON value that was sent.
        power_level: The X-Power-Level header, which wins over the body's.
        lenient: Accept any field and an output cap of 0; for the sandbox only.

    Raises:
        InvalidRequest: One of its kinds, naming the field; in the order: the body itself,
            credentials in it, required fields, each field's own rule, the messages, the cap.
    """
    if not isinstance(body, dict):
        raise InvalidValue("The body must be a JSON object.")
    fields: dict[str, object] = {k: v for k, v in body.items() if v is not None}
    unknown = _check_fields(fields, lenient=lenient)
    messages = fields["messages"]
    if not isinstance(messages, list):
        raise InvalidValue("'messages' must be an array.", "messages")
    needs = _needs(messages, fields)
    options = fields.get("stream_options")
    return ChatRequest(
        body=fields,
        model=str(fields.get("model", AUTO)),
        messages=messages,
        stream=fields.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        power_level=_power_level(power_level, fields),
        task_type=str(fields["task_type"]) if "task_type" in fields else None,
        privacy_required=fields.get("privacy_required") is True,
        output_cap=_output_cap(fields, lenient=lenient),
        choices=_choices(fields),
        needs=needs,
        unknown=unknown,
    )


def provider_body(
    request: ChatRequest,
    *,
    upstream_model: str,
    cap_field: str,
    cap_tokens: int,
    pass_unknown: bool,
) -> dict[str, object]:
    """Compose what a provider is sent.

    Usage is always asked for, whatever the caller wants to see of it: the charge depends on it.
    """
    sent: dict[str, object] = {"model": upstream_model}
    for name, value in request.body.items():
        field = FIELDS_BY_NAME.get(name)
        if field is None:
            if pass_unknown:
                sent[name] = value
        elif field.handling is Handling.FORWARD:
            sent[name] = value
    sent["messages"] = request.messages
    sent[cap_field] = cap_tokens
    if request.choices > 1:
        sent["n"] = request.choices
    if request.stream:
        sent["stream"] = True
        sent["stream_options"] = {"include_usage": True}
    return sent


def _check_fields(fields: Mapping[str, object], *, lenient: bool) -> tuple[str, ...]:
    if credential := next((name for name in fields if name in CREDENTIAL_FIELDS), None):
        raise UnsupportedParameter(
            f"'{credential}' is never taken from a request. Store your own provider keys instead.",
            credential,
        )
    if "messages" not in fields:
        raise MissingField("Missing required parameter: 'messages'.", "messages")
    unknown = []
    for name, value in fields.items():
        field = FIELDS_BY_NAME.get(name)
        if field is None:
            unknown.append(name)
        elif not lenient:
            _check_field(field, value)
    return tuple(unknown)


def _check_field(field: Field, value: object) -> None:
    if fault := field.check.fault(value):
        raise InvalidValue(f"'{field.name}' {fault}.", field.name)
    if field.handling is Handling.REFUSE and value not in field.harmless:
        raise UnsupportedParameter(
            f"Unsupported parameter: '{field.name}'. {field.note}".rstrip(), field.name
        )


def refuse_unknown(request: ChatRequest) -> None:
    """Refuse the first field we have no rule for; for routes over the platform's keys.

    Raises:
        UnsupportedParameter: Naming the field.
    """
    for name in request.unknown:
        raise UnsupportedParameter(f"Unsupported parameter: '{name}'.", name)


def _power_level(header: str | None, fields: Mapping[str, object]) -> PowerLevel:
    return parse_power_level(
        str(fields.get("power_level", "balanced") if header is None else header)
    )


def _choices(fields: Mapping[str, object]) -> int:
    """Read how many choices are asked for; 1 for what only the sandbox lets pass."""
    choices = fields.get("n")
    if not isinstance(choices, int) or FIELDS_BY_NAME["n"].check.fault(choices):
        return 1
    return choices


def _output_cap(fields: Mapping[str, object], *, lenient: bool) -> int | None:
    named = [fields[name] for name in ("max_completion_tokens", "max_tokens") if name in fields]
    if not named:
        return None
    if len(named) > 1 and named[0] != named[1]:
        raise InvalidValue(
            "'max_tokens' and 'max_completion_tokens' name different caps.", "max_completion_tokens"
        )
    cap = named[0]
    if not isinstance(cap, int) or isinstance(cap, bool):
        raise InvalidValue("'max_tokens' must be an integer.", "max_tokens")
    return max(cap, 1) if lenient else cap


def _needs(messages: Sequence[object], fields: Mapping[str, object]) -> frozenset[str]:
    needs = set()
    for index, message in enumerate(messages):
        if _check_message(message, f"messages[{index}]"):
            needs.add("vision")
    if fields.get("tools") or fields.get("functions"):
        needs.add("tools")
        _check_tools(fields.get("tools", []))
    response_format = fields.get("response_format")
    if isinstance(response_format, dict) and response_format.get("type") != "text":
        needs.add("json")
    return frozenset(needs)


def _check_message(message: object, where: str) -> bool:
    """Check one message; tell whether it shows an image."""
    if not isinstance(message, dict):
        raise InvalidValue(f"'{where}' must be an object.", where)
    if "role" not in message:
        raise MissingField(f"Missing required parameter: '{where}.role'.", f"{where}.role")
    _refuse_priced(message, where)
    role = message["role"]
    if role not in _ROLES:
        raise InvalidValue(f"'{where}.role' must be one of {', '.join(_ROLES)}.", f"{where}.role")
    content = message.get("content")
    if content is None:
        if role != "assistant":
            raise MissingField(
                f"Missing required parameter: '{where}.content'.", f"{where}.content"
            )
        return False
    if isinstance(content, str):
        return False
    if not isinstance(content, list):
        raise InvalidValue(f"'{where}.content' must be a string or an array.", f"{where}.content")
    shows = [_check_part(part, f"{where}.content[{index}]") for index, part in enumerate(content)]
    return any(shows)


def _refuse_priced(value: Mapping[str, object], where: str) -> None:
    """Refuse what changes the price from inside a message: cache writes, audio answers."""
    for name in ("audio", "cache_control"):
        if value.get(name) is not None:
            raise UnsupportedParameter(f"Unsupported parameter: '{where}.{name}'.", where)


def _check_part(part: object, where: str) -> bool:
    if not isinstance(part, dict):
        raise InvalidValue(f"'{where}' must be an object.", where)
    _refuse_priced(part, where)
    kind = part.get("type")
    if kind in _TEXT_PARTS:
        if not isinstance(part.get(str(kind)), str):
            raise InvalidValue(f"'{where}.{kind}' must be a string.", f"{where}.{kind}")
        return False
    if kind == "image_url":
        image = part.get("image_url")
        if not isinstance(image, dict) or not isinstance(image.get("url"), str):
            raise InvalidValue(f"'{where}.image_url.url' must be a string.", f"{where}.image_url")
        return True
    if kind in _UNPRICED_PARTS:
        raise UnsupportedParameter(f"Content of type '{kind}' is not priced here.", where)
    raise InvalidValue(f"'{where}.type' must be text, refusal or image_url.", f"{where}.type")


def _check_tools(tools: object) -> None:
    if not isinstance(tools, list):
        raise InvalidValue("'tools' must be an array.", "tools")
    for index, tool in enumerate(tools):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise UnsupportedParameter(
                f"'tools[{index}].type' must be function: hosted tools have prices of their own.",
                f"tools[{index}].type",
            )
        function = tool.get("function")
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise MissingField(
                f"Missing required parameter: 'tools[{index}].function.name'.",
                f"tools[{index}].function.name",
            )
