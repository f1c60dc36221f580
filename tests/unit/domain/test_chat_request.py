from typing import Any

import pytest

from farebox.domain.chat_fields import FIELDS
from farebox.domain.chat_request import ChatRequest, parse_chat_request
from farebox.domain.errors import InvalidRequest, UnsupportedParameter
from farebox.domain.tiers import PowerLevel

NAMES = [f.name for f in FIELDS if f.name not in {"messages", "power_level"}]
ROLES = "assistant, developer, function, system, tool, user"
HELLO = [{"role": "user", "content": "Hello"}]
FUNCTION = {"type": "function", "function": {"name": "look_up"}}


def parse(
    *,
    lenient: bool = False,
    power_level: str | None = None,
    **fields: Any,  # noqa: ANN401 - any JSON
) -> ChatRequest:
    return parse_chat_request(
        {"messages": HELLO, **fields}, power_level=power_level, lenient=lenient
    )


def said(*messages: object) -> dict[str, object]:
    return {"messages": list(messages)}


def shown(part: object) -> dict[str, object]:
    return said({"role": "user", "content": [part]})


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "code", "param", "message"),
        [
            ([], "invalid_value", None, "The body must be a JSON object."),
            (None, "invalid_value", None, "The body must be a JSON object."),
            ("{}", "invalid_value", None, "The body must be a JSON object."),
            ({}, "missing_field", "messages", "Missing required parameter: 'messages'."),
            (
                {"messages": None},
                "missing_field",
                "messages",
                "Missing required parameter: 'messages'.",
            ),
            (
                {"api_key": "sk-x"},
                "unsupported_parameter",
                "api_key",
                "'api_key' is never taken from a request. Store your own provider keys instead.",
            ),
            ({"messages": "Hi"}, "invalid_value", "messages", "'messages' must be an array."),
            (
                {"messages": []},
                "invalid_value",
                "messages",
                "'messages' must have between 1 and 10000 elements.",
            ),
            (
                {"messages": ["Hi"]},
                "invalid_value",
                "messages",
                "'messages' has an element [0] that must be an object.",
            ),
            (
                {"messages": HELLO, "model": 4},
                "invalid_value",
                "model",
                "'model' must be a string.",
            ),
            (
                {"messages": HELLO, "temperature": 2.1},
                "invalid_value",
                "temperature",
                "'temperature' must be between 0 and 2.",
            ),
            (
                {"messages": HELLO, "max_tokens": 0},
                "invalid_value",
                "max_tokens",
                "'max_tokens' must be at least 1.",
            ),
            (
                {"messages": HELLO, "max_completion_tokens": 10**4000},
                "invalid_value",
                "max_completion_tokens",
                "'max_completion_tokens' must be at most 10000000.",
            ),
            (
                {"messages": HELLO, "max_tokens": 5, "max_completion_tokens": 6},
                "invalid_value",
                "max_completion_tokens",
                "'max_tokens' and 'max_completion_tokens' name different caps.",
            ),
            (
                {"messages": HELLO, "n": 129},
                "invalid_value",
                "n",
                "'n' must be at most 128.",
            ),
            (
                {"messages": HELLO, "stream": "yes"},
                "invalid_value",
                "stream",
                "'stream' must be true or false.",
            ),
            (
                {"messages": HELLO, "stream_options": {"include_usage": 1}},
                "invalid_value",
                "stream_options",
                "'stream_options' has a value at 'include_usage' that must be true or false.",
            ),
            (
                {"messages": HELLO, "power_level": "turbo"},
                "invalid_value",
                "power_level",
                "'power_level' must be one of eco, balanced, precision.",
            ),
            (
                {"messages": HELLO, "store": True},
                "unsupported_parameter",
                "store",
                "Unsupported parameter: 'store'. Would keep the answer in our account.",
            ),
            (
                {"messages": HELLO, "modalities": ["text", "audio"]},
                "unsupported_parameter",
                "modalities",
                "Unsupported parameter: 'modalities'. Audio output is not priced.",
            ),
            (
                {"messages": HELLO, "prediction": {}},
                "unsupported_parameter",
                "prediction",
                "Unsupported parameter: 'prediction'. Rejected predictions cost beyond the cap.",
            ),
            (
                {"messages": HELLO, "tools": [{"type": "web_search"}]},
                "unsupported_parameter",
                "tools[0].type",
                "'tools[0].type' must be function: hosted tools have prices of their own.",
            ),
            (
                {"messages": HELLO, "tools": [FUNCTION, {"type": "function", "function": {}}]},
                "missing_field",
                "tools[1].function.name",
                "Missing required parameter: 'tools[1].function.name'.",
            ),
        ],
    )
    def test_a_field_at_fault_is_named_with_what_it_must_be(
        self, body: object, code: str, param: str | None, message: str
    ) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            parse_chat_request(body)

        assert refusal.value.code == code
        assert refusal.value.param == param
        assert refusal.value.message == message

    @pytest.mark.parametrize(
        ("body", "code", "param", "message"),
        [
            (
                said({"content": "Hi"}),
                "missing_field",
                "messages[0].role",
                "Missing required parameter: 'messages[0].role'.",
            ),
            (
                said(*HELLO, {"role": "robot", "content": "Hi"}),
                "invalid_value",
                "messages[1].role",
                f"'messages[1].role' must be one of {ROLES}.",
            ),
            (
                said({"role": ["user"], "content": "Hi"}),
                "invalid_value",
                "messages[0].role",
                f"'messages[0].role' must be one of {ROLES}.",
            ),
            (
                said({"role": "user"}),
                "missing_field",
                "messages[0].content",
                "Missing required parameter: 'messages[0].content'.",
            ),
            (
                said({"role": "user", "content": 5}),
                "invalid_value",
                "messages[0].content",
                "'messages[0].content' must be a string or an array.",
            ),
            (
                said({"role": "assistant", "content": "Hi", "audio": {"id": "a"}}),
                "unsupported_parameter",
                "messages[0]",
                "Unsupported parameter: 'messages[0].audio'.",
            ),
            (
                shown("Hi"),
                "invalid_value",
                "messages[0].content[0]",
                "'messages[0].content[0]' must be an object.",
            ),
            (
                shown({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}),
                "unsupported_parameter",
                "messages[0].content[0]",
                "Unsupported parameter: 'messages[0].content[0].cache_control'.",
            ),
            (
                shown({"type": "text", "text": 5}),
                "invalid_value",
                "messages[0].content[0].text",
                "'messages[0].content[0].text' must be a string.",
            ),
            (
                shown({"type": "refusal"}),
                "invalid_value",
                "messages[0].content[0].refusal",
                "'messages[0].content[0].refusal' must be a string.",
            ),
            (
                shown({"type": "image_url", "image_url": "https://x"}),
                "invalid_value",
                "messages[0].content[0].image_url",
                "'messages[0].content[0].image_url.url' must be a string.",
            ),
            (
                shown({"type": "file", "file": {"file_id": "f"}}),
                "unsupported_parameter",
                "messages[0].content[0]",
                "Content of type 'file' is not priced here.",
            ),
            (
                shown({"type": "input_audio"}),
                "unsupported_parameter",
                "messages[0].content[0]",
                "Content of type 'input_audio' is not priced here.",
            ),
            (
                shown({"type": "video"}),
                "invalid_value",
                "messages[0].content[0].type",
                "'messages[0].content[0].type' must be text, refusal or image_url.",
            ),
            (
                shown({"type": {}}),
                "invalid_value",
                "messages[0].content[0].type",
                "'messages[0].content[0].type' must be text, refusal or image_url.",
            ),
        ],
    )
    def test_so_is_a_message_with_its_place(
        self, body: object, code: str, param: str | None, message: str
    ) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            parse_chat_request(body)

        assert refusal.value.code == code
        assert refusal.value.param == param
        assert refusal.value.message == message

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({"temperature": 9, "api_base": "x", "messages": 5}, "api_base"),
            ({"temperature": 9, "zzz": 1}, "messages"),
            ({"messages": [{"role": "x"}], "temperature": 9, "max_tokens": 0}, "temperature"),
            (
                {"messages": [{"role": "x"}], "max_tokens": 1, "max_completion_tokens": 2},
                "messages[0].role",
            ),
        ],
    )
    def test_of_several_faults_the_first_in_order_is_told(
        self, body: dict[str, object], param: str
    ) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            parse_chat_request(body)

        assert refusal.value.param == param

    @pytest.mark.parametrize(
        "name",
        ["api_key", "api_base", "base_url", "extra_headers", "extra_body", "openai_api_key"],
    )
    @pytest.mark.parametrize("lenient", [False, True])
    def test_a_credential_or_an_address_is_never_taken_from_a_body(
        self, name: str, lenient: bool
    ) -> None:
        with pytest.raises(UnsupportedParameter):
            parse(lenient=lenient, **{name: "https://attacker.example"})


class TestReading:
    def test_a_request_is_read_as_it_was_asked(self) -> None:
        request = parse(
            model="gpt-4o",
            stream=True,
            stream_options={"include_usage": True, "include_obfuscation": False},
            n=3,
            max_tokens=50,
            max_completion_tokens=50,
            task_type="rag",
            privacy_required=True,
        )

        assert request.model == "gpt-4o"
        assert request.stream
        assert request.include_usage
        assert request.choices == 3
        assert request.output_cap == 50
        assert request.task_type == "rag"
        assert request.privacy_required

    def test_what_is_absent_or_null_has_its_default(self) -> None:
        nothing: dict[str, Any] = dict.fromkeys(NAMES)

        request = parse(**nothing)

        assert request == parse()
        assert request.model == "auto"
        assert not request.stream
        assert not request.include_usage
        assert request.choices == 1
        assert request.output_cap is None
        assert request.power_level is PowerLevel.BALANCED
        assert request.task_type is None
        assert request.needs == frozenset()

    @pytest.mark.parametrize(
        ("header", "level"),
        [(None, PowerLevel.ECO), ("precision", PowerLevel.PRECISION)],
    )
    def test_the_header_of_the_power_level_wins(
        self, header: str | None, level: PowerLevel
    ) -> None:
        body = {"messages": HELLO, "power_level": "eco"}

        assert parse_chat_request(body, power_level=header).power_level is level

    @pytest.mark.parametrize("header", ["", "ECO", "turbo"])
    def test_an_unknown_level_in_the_header_is_refused(self, header: str) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            parse(power_level=header)

        assert refusal.value.param == "power_level"

    @pytest.mark.parametrize(
        ("fields", "needs"),
        [
            ({"tools": [FUNCTION]}, {"tools"}),
            ({"tools": []}, set()),
            ({"functions": [{"name": "f"}]}, {"tools"}),
            ({"response_format": {"type": "json_object"}}, {"json"}),
            ({"response_format": {"type": "text"}}, set()),
            (
                shown({"type": "image_url", "image_url": {"url": "https://x/cat.png"}}),
                {"vision"},
            ),
            (shown({"type": "text", "text": "Hi"}), set()),
            (shown({"type": "refusal", "refusal": "No."}), set()),
            (said({"role": "assistant", "content": None, "tool_calls": []}), set()),
            (said({"role": "user", "content": []}), set()),
        ],
    )
    def test_what_the_model_must_be_able_to_is_found(
        self, fields: dict[str, Any], needs: set[str]
    ) -> None:
        assert parse(**fields).needs == needs
