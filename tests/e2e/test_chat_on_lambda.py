"""The functions as Lambda runs them: a process each, behind a Runtime API, fed real events.

The chat function runs on our streaming loop through its exec wrapper, the others on AWS's own
runtime client; stores and provider are those of the local stack.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import Fault
from tests.e2e.events import rest_event
from tests.e2e.local_stack import LocalStack
from tests.e2e.runtime_api import Answer, LambdaProcess

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"

pytestmark = pytest.mark.xdist_group("stack")


@pytest.fixture(scope="module")
def chat(function_variables: Mapping[str, str]) -> Iterator[LambdaProcess]:
    with LambdaProcess.streamed(FUNCTIONS / "chat", environment=function_variables) as process:
        yield process


@pytest.fixture(scope="module")
def credits_(function_variables: Mapping[str, str]) -> Iterator[LambdaProcess]:
    with LambdaProcess.buffered(FUNCTIONS / "credits", environment=function_variables) as process:
        yield process


def ask(
    process: LambdaProcess, stack: LocalStack, *, key: str | None = None, **fields: object
) -> Answer:
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Tell me about rivers."}],
        **fields,
    }
    headers = {
        "Authorization": f"Bearer {key or stack.user_key}",
        "Content-Type": "application/json",
    }
    event = rest_event("POST", "/v1/chat/completions", headers=headers, body=json.dumps(body))
    return process.invoke(event)


def balance(process: LambdaProcess, stack: LocalStack) -> int:
    headers = {"Authorization": f"Bearer {stack.user_key}"}
    answer = process.invoke(rest_event("GET", "/v1/credits/balance", headers=headers))
    assert answer.status == 200
    assert answer.json()["held_nanousd"] == 0
    return int(answer.json()["available_nanousd"])


class TestChat:
    def test_a_whole_answer_is_paid_for(
        self, chat: LambdaProcess, credits_: LambdaProcess, stack: LocalStack
    ) -> None:
        before = balance(credits_, stack)

        answer = ask(chat, stack)

        assert answer.status == 200
        assert answer.posted["content-type"] == [
            "application/vnd.awslambda.http-integration-response"
        ]
        assert before - balance(credits_, stack) == answer.json()["usage"]["cost_nanousd"]

    def test_a_stream_arrives_while_the_provider_is_still_at_work(
        self, chat: LambdaProcess, stack: LocalStack
    ) -> None:
        answer = ask(chat, stack, stream=True, stream_options={"include_usage": True})

        arrivals = [chunk.at_seconds for chunk in answer.chunks]
        events = [line for line in answer.body.decode().split("\n\n") if line]
        assert answer.header("content-type") == "text/event-stream"
        assert answer.header("x-credits-held") is not None
        assert len(arrivals) > 10
        assert arrivals[-1] - arrivals[0] > 0.2
        assert events[-1] == "data: [DONE]"
        assert json.loads(events[-2].removeprefix("data: "))["usage"]["cost_nanousd"] > 0

    def test_errors_before_and_during_a_stream_reach_the_client(
        self, chat: LambdaProcess, stack: LocalStack, fault: Fault
    ) -> None:
        refused = ask(chat, stack, max_tokens=-1)
        stranger = ask(chat, stack, key="uc_nobody")
        fault(cut_after_chunks=4)
        broken = ask(chat, stack, stream=True)
        after = ask(chat, stack)

        assert (refused.status, refused.json()["error"]["param"]) == (400, "max_tokens")
        assert (stranger.status, stranger.json()["error"]["code"]) == (401, "invalid_api_key")
        last = broken.body.decode().strip().rpartition("\n\n")[2].removeprefix("data: ")
        assert json.loads(last)["error"]["code"] == "upstream_error"
        assert b"[DONE]" not in broken.body
        assert after.status == 200

    def test_models_with_slashes_in_their_names_are_not_lost_on_the_way(
        self, chat: LambdaProcess, stack: LocalStack
    ) -> None:
        headers = {"Authorization": f"Bearer {stack.user_key}"}

        listed = chat.invoke(rest_event("GET", "/v1/models", headers=headers))
        missing = chat.invoke(rest_event("GET", "/v1/models/no%2Fsuch", headers=headers))

        assert "gpt-4o-mini" in [model["id"] for model in listed.json()["data"]]
        assert missing.status == 404
        assert "'no/such'" in missing.json()["error"]["message"]

    def test_no_key_and_no_prompt_is_in_the_logs(
        self, chat: LambdaProcess, stack: LocalStack
    ) -> None:
        ask(chat, stack)

        logs = chat.logs()
        assert '"route":"create_chat_completion"' in logs.replace(" ", "")
        assert stack.user_key not in logs
        assert "rivers" not in logs


class TestBuffered:
    @pytest.mark.parametrize("base", ["/v1", "/api/v1/llm"])
    def test_balances_are_told_under_both_bases(
        self, credits_: LambdaProcess, stack: LocalStack, base: str
    ) -> None:
        headers = {"Authorization": f"Bearer {stack.user_key}"}

        answer = credits_.invoke(rest_event("GET", f"{base}/credits", headers=headers))

        assert answer.json()["tier"] == "professional"
        assert answer.json()["credits_remaining"] > 0

    @pytest.mark.parametrize("function", ["account", "system", "sweep_holds"])
    def test_the_sample_event_of_every_function_is_served(
        self, function_variables: Mapping[str, str], function: str
    ) -> None:
        event = json.loads((ROOT / "events" / f"{function}.json").read_text(encoding="utf-8"))

        with LambdaProcess.buffered(
            FUNCTIONS / function, environment=function_variables
        ) as process:
            answer = process.invoke(event)

        assert answer.error is None
        if function == "system":
            assert answer.status == 200
        if function == "account":
            assert answer.json()["error"]["code"] == "invalid_api_key"
