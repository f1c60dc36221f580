"""Refuse a malformed request the way OpenAI words it.

Texts and codes follow what api.openai.com answers (as quoted in public issue threads, 2023-2026);
clients match on `code` and `param`, people read the message.
"""

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from local.simulator.chat_request import ChatRequest
from local.simulator.problems import RefusedError

_EXPECTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a decimal number",
    "bool_type": "a boolean",
    "list_type": "an array of values",
    "dict_type": "an object",
    "mapping_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}
_UNION_LABELS = frozenset({"str", "int", "float", "bool", "dict"})


def parse[T: BaseModel](kind: type[T], document: object, *, lenient: bool) -> T:
    """Read a request body.

    Args:
        kind: The request's model.
        document: The decoded JSON body, `None` when it was not JSON.
        lenient: Whether fields the model does not know are ignored.

    Raises:
        RefusedError: 400, in this order: not a JSON object, a field missing or of the wrong type
            or value, fields that do not exist.
    """
    if not isinstance(document, dict):
        raise RefusedError(400, "We could not parse the JSON body of your request.")
    try:
        request = kind.model_validate(document)
    except ValidationError as error:
        raise _refusal(_most_telling(error.errors(include_url=False))) from None
    unknown = [name for name in document if name not in kind.model_fields]
    if unknown and not lenient:
        noun = "argument" if len(unknown) == 1 else "arguments"
        raise RefusedError(400, f"Unrecognized request {noun} supplied: {', '.join(unknown)}")
    return request


def check_chat(request: ChatRequest) -> None:
    """Refuse combinations of well-formed fields that OpenAI refuses.

    Raises:
        RefusedError: 400, in this order: a cap below 1, both caps, stream options without a
            stream, top_logprobs without logprobs, a tool choice without or outside the tools, a
            tool message that answers no call.
    """
    _check_caps(request)
    if request.stream_options is not None and not request.stream:
        raise _invalid("stream_options", "The 'stream_options' parameter needs 'stream' to be on.")
    if request.top_logprobs is not None and not request.logprobs:
        raise _invalid("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.")
    _check_tool_choice(request)
    _check_tool_messages(request)


def _check_caps(request: ChatRequest) -> None:
    for param in ("max_tokens", "max_completion_tokens"):
        value = getattr(request, param)
        if value is not None and value < 1:
            message = f"Invalid '{param}': integer below minimum value. Expected a value >= 1, "
            raise RefusedError(
                400,
                f"{message}but got {value} instead.",
                param=param,
                code="integer_below_min_value",
            )
    if request.max_tokens is not None and request.max_completion_tokens is not None:
        raise _invalid("max_tokens", "Set only one of 'max_tokens' and 'max_completion_tokens'.")


def _check_tool_choice(request: ChatRequest) -> None:
    choice = request.tool_choice
    if choice is None:
        return
    if not request.tools:
        raise _invalid("tool_choice", "'tool_choice' is only allowed when 'tools' are specified.")
    if isinstance(choice, str) or choice.function is None:
        return
    if choice.function.name not in {tool.function.name for tool in request.tools if tool.function}:
        raise _invalid("tool_choice", f"Tool '{choice.function.name}' is not among 'tools'.")


def _check_tool_messages(request: ChatRequest) -> None:
    called: set[str] = set()
    for index, message in enumerate(request.messages):
        called.update(call.id for call in message.tool_calls or ())
        if message.role == "tool" and message.tool_call_id not in called:
            raise _invalid(
                f"messages[{index}].role",
                "Messages with role 'tool' must answer a preceding message with 'tool_calls'.",
            )


def _invalid(param: str, message: str) -> RefusedError:
    return RefusedError(400, message, param=param, code="invalid_value")


def _most_telling(errors: list[ErrorDetails]) -> ErrorDetails:
    """Pick the first field's error; of a union's branches, the one that got furthest."""
    first = errors[0]["loc"][:1]
    same_field = [error for error in errors if error["loc"][:1] == first]
    return min(same_field, key=lambda error: (error["type"] in _EXPECTED, -len(error["loc"])))


def _refusal(error: ErrorDetails) -> RefusedError:
    param = _path(error["loc"])
    kind = error["type"]
    if kind in ("missing", "missing_payload"):
        param = param if kind == "missing" else f"{param}.{error['msg']}"
        message = f"Missing required parameter: '{param}'."
        return RefusedError(400, message, param=param, code="missing_required_parameter")
    if kind in _EXPECTED:
        got = _NAMES.get(type(error["input"]), "another type")
        message = f"Invalid type for '{param}': expected {_EXPECTED[kind]}, but got {got} instead."
        return RefusedError(400, message, param=param, code="invalid_type")
    if kind == "too_short":
        message = f"Invalid '{param}': it must not be empty."
        return RefusedError(400, message, param=param, code="empty_array")
    return RefusedError(
        400, f"Invalid value for '{param}': {error['msg']}.", param=param, code="invalid_value"
    )


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step.isidentifier() and step not in _UNION_LABELS and not step[0].isupper():
            path += f".{step}" if path else step
    return path
