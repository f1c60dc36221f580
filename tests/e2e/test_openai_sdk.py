"""The official OpenAI client, unmodified, against the whole local stack, on both bases."""

import time
from collections.abc import Callable, Iterator

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.e2e.conftest import Fault
from tests.e2e.local_stack import LocalStack

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hello."}]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q"
    "DwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

pytestmark = pytest.mark.xdist_group("stack")


@pytest.fixture(params=["/v1", "/api/v1/llm"])
def client(stack: LocalStack, request: pytest.FixtureRequest) -> Iterator[OpenAI]:
    with OpenAI(
        base_url=stack.url + request.param, api_key=stack.user_key, max_retries=0
    ) as client:
        yield client


class TestWholeAnswers:
    def test_the_balance_falls_by_the_settled_cost_and_the_receipt_explains_it(
        self, client: OpenAI, available: Callable[[], int], http: httpx.Client
    ) -> None:
        before = available()

        raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO)

        usage = raw.parse().usage
        assert usage is not None
        expected = -(-(usage.prompt_tokens * 150 + usage.completion_tokens * 600) * 110 // 100)
        assert before - available() == expected
        receipt = http.get("/v1/generation", params={"id": raw.headers["x-generation-id"]}).json()
        assert receipt["state"] == "settled"
        assert receipt["cost_nanousd"] == expected
        assert receipt["details"]["prompt_tokens"] == usage.prompt_tokens
        assert receipt["details"]["completion_tokens"] == usage.completion_tokens
        assert receipt["details"]["price_version"].startswith("gpt-4o-mini/")

    def test_tools_are_called(self, client: OpenAI) -> None:
        answer = client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "What is the weather in Paris?"}],
            tools=[WEATHER],
            tool_choice="required",
        )

        calls = answer.choices[0].message.tool_calls
        assert answer.choices[0].finish_reason == "tool_calls"
        assert calls is not None
        assert calls[0].type == "function"
        assert calls[0].function.name == "get_weather"

    def test_an_image_may_be_shown(self, client: OpenAI) -> None:
        answer = client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image_url", "image_url": {"url": PIXEL}},
                    ],
                }
            ],
        )

        assert "image" in (answer.choices[0].message.content or "")

    def test_several_choices_and_json_mode(self, client: OpenAI) -> None:
        answer = client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "Answer in JSON."}],
            n=2,
            response_format={"type": "json_object"},
        )

        assert [choice.index for choice in answer.choices] == [0, 1]
        assert (answer.choices[0].message.content or "").startswith("{")

    def test_the_power_level_changes_the_price_and_nothing_else(
        self, client: OpenAI, available: Callable[[], int]
    ) -> None:
        costs = []
        for level in ("eco", "balanced", "precision"):
            before = available()
            client.chat.completions.create(
                model="gpt-4o-mini",
                messages=HELLO,
                extra_headers={"X-Power-Level": level},
            )
            costs.append(before - available())

        assert costs[1] == pytest.approx(2 * costs[0], abs=1)
        assert costs[2] == pytest.approx(2 * costs[1], abs=1)


class TestStreams:
    def test_the_first_chunk_comes_long_before_the_last(self, client: OpenAI) -> None:
        started = time.monotonic()
        stream = client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "Tell me about bridges."}],
            stream=True,
        )

        arrivals = [time.monotonic() - started for _ in stream]

        assert len(arrivals) > 10
        assert arrivals[0] < arrivals[-1] / 3

    def test_usage_and_cost_come_last_and_only_when_asked_for(
        self, client: OpenAI, available: Callable[[], int]
    ) -> None:
        before = available()
        chunks = list(
            client.chat.completions.create(
                model="gpt-4o-mini",
                messages=HELLO,
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        spent = before - available()
        plain = list(
            client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True)
        )

        with_usage = [chunk for chunk in chunks if chunk.usage is not None]
        assert with_usage == [chunks[-1]]
        assert chunks[-1].choices == []
        assert chunks[-1].usage is not None
        assert (chunks[-1].usage.model_extra or {})["cost_nanousd"] == spent
        assert all(chunk.choices for chunk in plain)
        assert all(chunk.usage is None for chunk in plain)

    def test_a_client_that_leaves_is_charged_for_what_was_produced(
        self, client: OpenAI, http: httpx.Client, available: Callable[[], int]
    ) -> None:
        before = available()
        with client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "Tell me about harbours."}],
            stream=True,
        ) as stream:
            next(iter(stream))
            stream.close()

        deadline = time.monotonic() + 10
        while http.get("/v1/credits/balance").json()["held_nanousd"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)

        assert before - available() > 10_000

    def test_a_provider_that_breaks_off_ends_the_stream_with_an_error(
        self, client: OpenAI, fault: Fault, available: Callable[[], int]
    ) -> None:
        before = available()
        fault(cut_after_chunks=5)

        with pytest.raises(openai.APIError) as raised:
            list(client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True))

        assert raised.value.code == "upstream_error"
        assert 0 < before - available() < 100_000


class TestModels:
    def test_models_are_listed_and_described(self, client: OpenAI) -> None:
        ids = [model.id for model in client.models.list()]
        one = client.models.retrieve("gpt-4o-mini")

        assert "gpt-4o-mini" in ids
        assert "gpt-4o" not in ids
        assert (one.model_extra or {})["pricing"]["input"] == 0.15


class TestErrors:
    @pytest.mark.parametrize(
        ("key", "code"),
        [("nonsense", "invalid_api_key"), ("sk-loopnet-service-key-2025", "invalid_api_key")],
    )
    def test_a_bad_key_is_an_authentication_error(
        self, stack: LocalStack, key: str, code: str
    ) -> None:
        client = OpenAI(base_url=stack.openai_base_url, api_key=key, max_retries=0)

        with pytest.raises(openai.AuthenticationError) as raised:
            client.models.list()

        assert raised.value.code == code

    def test_a_model_above_the_tier_is_forbidden(self, client: OpenAI) -> None:
        with pytest.raises(openai.PermissionDeniedError) as raised:
            client.chat.completions.create(model="gpt-4o", messages=HELLO)

        assert raised.value.code == "model_not_available"

    def test_too_small_a_limit_is_402_and_is_not_retried(
        self, stack: LocalStack, available: Callable[[], int]
    ) -> None:
        client = OpenAI(base_url=stack.openai_base_url, api_key=stack.user_key, max_retries=2)
        before = available()
        started = time.monotonic()

        with pytest.raises(openai.APIStatusError) as raised:
            client.chat.completions.create(
                model="gpt-4o-mini", messages=HELLO, extra_headers={"X-Max-Cost": "0.000001"}
            )

        assert raised.value.status_code == 402
        assert raised.value.code == "payment_required"
        assert time.monotonic() - started < 0.4
        assert available() == before

    @pytest.mark.parametrize(
        ("what", "status", "code"),
        [
            ({"status": 500}, 502, "upstream_error"),
            ({"status": 429, "retry_after_seconds": 7}, 503, "service_unavailable"),
            ({"cut_after_chunks": 0}, 502, "upstream_error"),
            ({"body": "garbage"}, 502, "upstream_error"),
            ({"body": "empty"}, 502, "upstream_error"),
            ({"status": 400, "error": {"message": "No."}}, 400, "invalid_value"),
        ],
    )
    def test_a_provider_that_fails_costs_nothing(
        self,
        client: OpenAI,
        fault: Fault,
        available: Callable[[], int],
        what: dict[str, object],
        status: int,
        code: str,
    ) -> None:
        before = available()
        fault(**what)

        with pytest.raises(openai.APIStatusError) as raised:
            client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)

        assert (raised.value.status_code, raised.value.code) == (status, code)
        assert available() == before

    @pytest.mark.parametrize("usage", ["none", "negative", "huge", "strings", "null"])
    def test_whatever_usage_a_provider_reports_the_charge_stays_within_the_hold(
        self, client: OpenAI, fault: Fault, available: Callable[[], int], usage: str
    ) -> None:
        before = available()
        fault(usage=usage)

        client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, max_tokens=100)

        assert 0 <= before - available() < 200_000


class TestServices:
    def test_a_service_key_pays_from_its_organisation(
        self, stack: LocalStack, available: Callable[[], int]
    ) -> None:
        before = available()
        service = OpenAI(base_url=stack.openai_base_url, api_key=stack.service_key)

        raw = service.chat.completions.with_raw_response.create(model="gpt-4o", messages=HELLO)

        assert "x-ratelimit-limit" not in raw.headers
        assert available() == before
