"""What of a chat request goes to a provider, and what a lenient sandbox lets pass."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.domain.chat_fields import CREDENTIAL_FIELDS, FIELDS
from farebox.domain.chat_request import (
    ChatRequest,
    parse_chat_request,
    provider_body,
    refuse_unknown,
)
from farebox.domain.errors import InvalidRequest, UnsupportedParameter
from farebox.domain.json_text import encode_json

HELLO = [{"role": "user", "content": "Hello"}]


def parse(*, lenient: bool = False, **fields: Any) -> ChatRequest:  # noqa: ANN401 - any JSON
    return parse_chat_request({"messages": HELLO, **fields}, lenient=lenient)


def sent(request: ChatRequest, *, pass_unknown: bool = False) -> dict[str, object]:
    return provider_body(
        request,
        upstream_model="gpt-4o-mini-2024-07-18",
        cap_field="max_completion_tokens",
        cap_tokens=100,
        pass_unknown=pass_unknown,
    )


class TestPlatformKeys:
    def test_a_plain_request_goes_out_with_the_cap_of_its_quote(self) -> None:
        assert sent(parse(model="gpt-4o-mini", max_tokens=5_000)) == {
            "model": "gpt-4o-mini-2024-07-18",
            "messages": HELLO,
            "max_completion_tokens": 100,
        }

    def test_what_does_not_change_the_price_goes_out_as_it_came(self) -> None:
        fields: dict[str, Any] = {
            "temperature": 0,
            "stop": ["\n"],
            "tools": [{"type": "function", "function": {"name": "f"}, "x": 1}],
            "response_format": {"type": "json_object"},
            "logit_bias": {"50256": -100},
            "seed": -(2**63),
        }

        body = sent(parse(**fields))

        assert {name: body[name] for name in fields} == fields

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("store", False),
            ("service_tier", "auto"),
            ("service_tier", "default"),
            ("modalities", ["text"]),
            ("user", "customer-7"),
            ("safety_identifier", "customer-7"),
            ("prompt_cache_key", "k"),
            ("metadata", {"a": "b"}),
            ("temperature", None),
            ("audio", None),
            ("unheard_of", None),
        ],
    )
    def test_what_is_harmless_is_left_out(self, name: str, value: object) -> None:
        request = parse_chat_request({"messages": HELLO, name: value})
        refuse_unknown(request)

        assert name not in sent(request)

    def test_a_stream_always_asks_for_its_usage_and_for_nothing_else(self) -> None:
        options = {"include_usage": False, "include_obfuscation": True}

        body = sent(parse(stream=True, stream_options=options))

        assert body["stream"] is True
        assert body["stream_options"] == {"include_usage": True}

    def test_several_choices_are_asked_for(self) -> None:
        assert sent(parse(n=4))["n"] == 4
        assert "n" not in sent(parse(n=1))

    def test_the_first_field_without_a_rule_is_refused(self) -> None:
        request = parse(zzz=1, aaa=2)

        with pytest.raises(UnsupportedParameter, match="Unsupported parameter: 'zzz'") as refusal:
            refuse_unknown(request)

        assert refusal.value.param == "zzz"
        assert "zzz" not in sent(request)


class TestOwnMachines:
    def test_a_field_without_a_rule_passes(self) -> None:
        request = parse(keep_alive="5m", store=False, user="x", max_tokens=5)

        body = sent(request, pass_unknown=True)

        assert body == {
            "model": "gpt-4o-mini-2024-07-18",
            "messages": HELLO,
            "keep_alive": "5m",
            "max_completion_tokens": 100,
        }


class TestSandbox:
    @pytest.mark.parametrize(
        ("fields", "cap"),
        [({"max_tokens": 0}, 1), ({"max_tokens": -5}, 1), ({"max_tokens": 7}, 7), ({}, None)],
    )
    def test_a_cap_of_nothing_becomes_one(self, fields: dict[str, int], cap: int | None) -> None:
        assert parse(lenient=True, **fields).output_cap == cap

    def test_any_field_with_any_value_passes_but_what_was_refused_is_not_sent(self) -> None:
        request = parse(lenient=True, temperature=99, store=True, audio=7, model=5)

        assert request.model == "5"
        assert sent(request)["temperature"] == 99
        assert {"store", "audio"}.isdisjoint(sent(request))

    @pytest.mark.parametrize("value", [0, -5, True, "3", 1.5, 129, 10**400, [], {}])
    def test_a_number_of_choices_that_is_none_counts_as_one(self, value: object) -> None:
        assert parse(lenient=True, n=value).choices == 1

    @pytest.mark.parametrize("value", ["5", 5.5, True, []])
    def test_a_cap_must_be_a_number_all_the_same(self, value: object) -> None:
        with pytest.raises(InvalidRequest):
            parse(lenient=True, max_tokens=value)

    @pytest.mark.parametrize("field", ["messages", "tools"])
    def test_so_must_lists_be_lists(self, field: str) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            parse_chat_request({"messages": HELLO, field: {"a": 1}}, lenient=True)

        assert refusal.value.message == f"'{field}' must be an array."


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
PART = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "refusal", "image_url", "file", "input_audio"])
        | ANY_VALUE,
        "text": ANY_VALUE,
        "image_url": st.fixed_dictionaries({"url": ANY_VALUE}) | ANY_VALUE,
        "cache_control": ANY_VALUE,
    },
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["user", "assistant", "tool"]) | ANY_VALUE,
        "content": st.lists(PART | ANY_VALUE) | ANY_VALUE,
        "audio": ANY_VALUE,
    },
)
FIELD_NAMES = [field.name for field in FIELDS if field.name != "messages"]
TOOL = st.fixed_dictionaries(
    {"type": st.just("function") | ANY_VALUE, "function": ANY_VALUE | st.just({"name": "f"})}
)
BODY = st.builds(
    lambda messages, fields, extra: {"messages": messages, **fields, **extra},
    st.lists(MESSAGE | ANY_VALUE, min_size=1) | ANY_VALUE,
    st.dictionaries(st.sampled_from([*FIELD_NAMES, *CREDENTIAL_FIELDS]), ANY_VALUE, max_size=3),
    st.fixed_dictionaries({}, optional={"tools": st.lists(TOOL), "n": st.integers(0, 200)}),
)


@given(body=BODY | ANY_VALUE, lenient=st.booleans(), header=st.none() | st.text())
def test_whatever_comes_is_read_or_refused_and_can_be_sent(
    body: object, lenient: bool, header: str | None
) -> None:
    try:
        request = parse_chat_request(body, power_level=header, lenient=lenient)
    except InvalidRequest:
        return

    assert 1 <= request.choices <= 128
    assert request.output_cap is None or request.output_cap >= 1
    assert encode_json(sent(request, pass_unknown=True))
