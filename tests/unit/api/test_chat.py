from collections.abc import Mapping

import pytest

from farebox.api.asgi import Request
from farebox.api.chat import chat_answer, check_media_type, model_object, read_conditions
from farebox.api.routes import match
from farebox.domain.catalogue import load_catalogue
from farebox.domain.errors import InvalidValue, UnsupportedMediaType
from farebox.domain.money import CreditUnit
from farebox.services.complete_chat import ChatAnswer, Conditions
from tests.chat_world import PARIS, make_world
from tests.fakes.chat_provider import Script
from tests.fakes.clock import NOON_MS

UNIT = CreditUnit.from_usd("0.001")
NO_AMOUNTS = (
    *("", "0", "-1", "0.0000001", "free", "NaN", "sNaN", "Infinity", "-Infinity"),
    *("1e99", "1e999999999", "1e-999999999", "0x10", "1,5", "1 2"),
)


def conditions(
    headers: Mapping[str, str] | None = None,
    *,
    stream: bool = False,
    remaining_ms: int = 900_000,
    unit: CreditUnit = UNIT,
) -> Conditions:
    """Read the conditions of a request made at noon."""
    request = Request(
        match("POST", "/v1/chat/completions"),
        headers or {},
        {},
        b'{"a": 1}',
        None,
        lambda: remaining_ms,
    )
    return read_conditions(request, stream=stream, unit=unit, now_ms=NOON_MS)


class TestMediaType:
    @pytest.mark.parametrize(
        "content_type", [None, "application/json", "Application/JSON; charset=utf-8"]
    )
    def test_json_is_taken_and_so_is_silence(self, content_type: str | None) -> None:
        check_media_type({} if content_type is None else {"content-type": content_type})

    @pytest.mark.parametrize(
        "content_type", ["", "text/plain", "multipart/form-data; boundary=x", "application/jsonx"]
    )
    def test_anything_else_is_not(self, content_type: str) -> None:
        with pytest.raises(UnsupportedMediaType):
            check_media_type({"content-type": content_type})


class TestDeadline:
    @pytest.mark.parametrize(
        ("headers", "stream", "remaining_ms", "ms"),
        [
            ({}, False, 900_000, 280_000),
            ({}, True, 900_000, 890_000),
            ({"x-amz-cf-id": "x"}, False, 900_000, 55_000),
            ({"x-amz-cf-id": "x"}, True, 900_000, 890_000),
            ({}, False, 60_000, 57_000),
            ({}, True, 60_000, 57_000),
            ({}, True, 1_000, -2_000),
        ],
    )
    def test_it_is_before_everybody_elses(
        self, headers: dict[str, str], stream: bool, remaining_ms: int, ms: int
    ) -> None:
        read = conditions(headers, stream=stream, remaining_ms=remaining_ms)

        assert read.deadline_ms - NOON_MS == ms


class TestMaxCost:
    @pytest.mark.parametrize(
        ("header", "credit_usd", "nanousd"),
        [
            ("1", "0.001", 1_000_000),
            ("0.5", "0.01", 5_000_000),
            (" 2.5e1 ", "0.001", 25_000_000),
            ("0.000001", "0.001", 1),
        ],
    )
    def test_it_is_in_credits(self, header: str, credit_usd: str, nanousd: int) -> None:
        read = conditions({"x-max-cost": header}, unit=CreditUnit.from_usd(credit_usd))

        assert read.max_cost_nanousd == nanousd

    def test_without_it_there_is_none(self) -> None:
        assert conditions().max_cost_nanousd is None

    @pytest.mark.parametrize(
        "header",
        NO_AMOUNTS,
    )
    def test_what_is_no_positive_amount_is_refused(self, header: str) -> None:
        with pytest.raises(InvalidValue) as refusal:
            conditions({"x-max-cost": header})

        assert refusal.value.param == "X-Max-Cost"
        assert refusal.value.message == "X-Max-Cost must be a positive amount of credits."


class TestOtherHeaders:
    def test_the_idempotency_key_stands_for_the_body_as_it_came(self) -> None:
        read = conditions({"idempotency-key": "k"})

        assert read.idempotency_key == "k"
        assert read.raw_body == b'{"a": 1}'

    @pytest.mark.parametrize(
        ("header", "keeps"), [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("", False)]
    )
    def test_an_answer_is_stored_on_request(self, header: str, keeps: bool) -> None:
        assert conditions({"x-store-answer": header}).store_answer is keeps

    def test_none_of_them_need_be_there(self) -> None:
        read = conditions()

        assert read.idempotency_key is None
        assert not read.store_answer


class TestAnswer:
    def test_a_metered_one_carries_its_figures(self) -> None:
        answered = make_world(Script([PARIS])).ask(max_tokens=100)

        answer = chat_answer(
            ChatAnswer(answered.body, answered.content_type, answered.metered), UNIT
        )

        assert answer.status == 200
        assert answer.body == answered.body
        assert answer.headers["X-Cost-Incurred"] == "0.00363"
        assert "Idempotent-Replayed" not in answer.headers

    def test_a_replayed_one_says_what_it_repeats(self) -> None:
        answer = chat_answer(ChatAnswer(b"{}", "application/json", None, "rid"), UNIT)

        assert answer.headers == {
            "X-Generation-Id": "rid",
            "x-request-id": "rid",
            "Idempotent-Replayed": "true",
        }


def test_a_model_is_described_as_openai_does_and_with_its_price() -> None:
    model = load_catalogue().model("gpt-4o-mini")

    assert model is not None
    assert model_object(model) == {
        "id": "gpt-4o-mini",
        "object": "model",
        "created": 1_721_260_800,
        "owned_by": "openai",
        "kind": "chat",
        "tier": "professional",
        "context_length": 128_000,
        "max_output_tokens": 16_384,
        "capabilities": ["json", "streaming", "tools", "vision"],
        "aliases": ["openai/gpt-4o-mini"],
        "pricing": {
            "currency": "USD",
            "per_tokens": 1_000_000,
            "input": 0.15,
            "cached_input": 0.075,
            "output": 0.6,
            "version": "gpt-4o-mini/2026-07-02",
            "source": "https://developers.openai.com/api/docs/pricing",
        },
    }
