"""The simulator as a process of its own: timing, broken connections, shutdown, and the SDK."""

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

# Making one takes 20 ms, which fifty clients at once would feel.
TLS = ssl.create_default_context()
ROOT = Path(__file__).parents[3]
KEY = "sk-test-0123456789"
QUESTION: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": "Why is ice cold?"}],
}
STREAM = {**QUESTION, "stream": True}
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    },
}


@contextlib.contextmanager
def running(*options: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the simulator and give its base URL (with /v1) and its process."""
    command = [sys.executable, "-m", "local.simulator", "--port", "0", *options]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},  # noqa: TID251 (inherited by the process under test)
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1], process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running("--pace", "0.02") as (base_url, _):
        yield base_url


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=KEY, base_url=url, max_retries=0) as sdk:
        yield sdk


def order(fault: Mapping[str, object]) -> dict[str, str]:
    """Build the headers of a request that orders a fault."""
    return {"authorization": f"Bearer {KEY}", "x-simulate": json.dumps(fault)}


def read(
    url: str, body: object, fault: Mapping[str, object], timeout_seconds: float = 10
) -> tuple[bytes, type[Exception] | None]:
    """Post a chat request; return what arrived and the error that ended it, if any."""
    arrived = b""
    options: Any = {
        "json": body,
        "headers": order(fault),
        "timeout": timeout_seconds,
        "verify": TLS,
    }
    try:
        with httpx.stream("POST", f"{url}/chat/completions", **options) as response:
            for data in response.iter_raw():
                arrived += data
    except httpx.TransportError as error:
        return arrived, type(error)
    return arrived, None


def stats(url: str) -> dict[str, Any]:
    """Return the simulator's counts."""
    counts: dict[str, Any] = httpx.get(
        f"{url.removesuffix('/v1')}/simulator/stats", verify=TLS
    ).json()
    return counts


def eventually_one_more_cut_by_peer(url: str, before: int) -> bool:
    """Wait up to two seconds for the simulator to notice that a peer has left."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        if stats(url)["cut_by_peer"] == before + 1:
            return True
        time.sleep(0.01)
    return False


class TestCuts:
    def test_a_stream_is_reset_after_so_many_chunks(self, url: str) -> None:
        arrived, error = read(url, STREAM, {"cut_after_chunks": 3})

        assert arrived.count(b"data: ") == 3
        assert error is httpx.ReadError

    def test_a_stream_can_be_closed_unfinished_instead(self, url: str) -> None:
        arrived, error = read(url, STREAM, {"cut_after_chunks": 3, "cut": "close"})

        assert arrived.count(b"data: ") == 3
        assert error is httpx.RemoteProtocolError

    def test_a_cut_later_than_the_last_chunk_still_takes_done_away(self, url: str) -> None:
        arrived, error = read(
            url, {**STREAM, "max_tokens": 5}, {"cut_after_chunks": 1000, "cut": "close"}
        )

        assert b'"finish_reason":"length"' in arrived
        assert b"[DONE]" not in arrived
        assert error is httpx.RemoteProtocolError

    def test_a_plain_answer_is_cut_in_the_middle(self, url: str) -> None:
        arrived, error = read(url, QUESTION, {"cut_after_chunks": 1, "cut": "close"})

        assert arrived.startswith(b'{"id":"chatcmpl-')
        assert not arrived.endswith(b"}")
        assert error is httpx.RemoteProtocolError

    @pytest.mark.parametrize("body", [QUESTION, STREAM])
    def test_a_cut_before_the_first_chunk_leaves_no_answer_at_all(
        self, url: str, body: object
    ) -> None:
        before = stats(url)["cut_by_simulator"]

        arrived, error = read(url, body, {"cut_after_chunks": 0})

        assert (arrived, error) == (b"", httpx.ReadError)
        assert stats(url)["cut_by_simulator"] == before + 1


class TestTiming:
    def test_chunks_arrive_one_by_one_at_about_the_pace(self, url: str) -> None:
        arrivals = []
        with httpx.stream("POST", f"{url}/chat/completions", json=STREAM, headers=order({})) as r:
            for _ in r.iter_raw():
                arrivals.append(time.monotonic())  # noqa: PERF401 (each arrival is timed)

        mean_seconds = (arrivals[-1] - arrivals[0]) / (len(arrivals) - 1)
        assert len(arrivals) > 10
        assert 0.01 < mean_seconds < 0.2

    def test_the_first_byte_can_be_delayed(self, url: str) -> None:
        started = time.monotonic()

        _, error = read(url, QUESTION, {"delay_seconds": 0.3})

        assert error is None
        assert 0.3 <= time.monotonic() - started < 5

    def test_the_wait_between_chunks_can_be_ordered(self, url: str) -> None:
        started = time.monotonic()

        read(url, {**STREAM, "max_tokens": 2}, {"chunk_delay_seconds": 0.15})

        # The role, at most two pieces of text, the finish: two or three waits.
        assert 0.3 <= time.monotonic() - started < 5

    def test_a_trickle_comes_in_small_pieces(self, url: str) -> None:
        sizes = []
        fault = {"trickle_bytes": 100, "trickle_delay_seconds": 0.005}
        with httpx.stream(
            "POST", f"{url}/chat/completions", json=QUESTION, headers=order(fault)
        ) as r:
            sizes = [len(data) for data in r.iter_raw()]

        assert sum(sizes) > 500
        assert len(sizes) > 3

    def test_fifty_streams_at_once_are_as_fast_as_one(self, url: str) -> None:
        body = {**STREAM, "max_tokens": 100}
        fault = {"answer_tokens": 100}
        started = time.monotonic()

        with ThreadPoolExecutor(50) as pool:
            results = list(pool.map(lambda _: read(url, body, fault), range(50)))

        assert all(arrived.endswith(b"data: [DONE]\n\n") for arrived, _ in results)
        assert time.monotonic() - started < 5


class TestSilence:
    @pytest.mark.parametrize("body", [QUESTION, STREAM])
    def test_no_answer_comes_until_the_peer_gives_up(self, url: str, body: object) -> None:
        before = stats(url)["cut_by_peer"]

        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{url}/chat/completions",
                json=body,
                headers=order({"silence_after_chunks": 0}),
                timeout=0.2,
            )

        assert eventually_one_more_cut_by_peer(url, before)

    def test_a_stream_can_fall_silent_in_the_middle(self, url: str) -> None:
        arrived, error = read(url, STREAM, {"silence_after_chunks": 2}, timeout_seconds=0.3)

        assert error is httpx.ReadTimeout
        assert arrived.count(b"data: ") == 2


class TestPeerLeaving:
    def test_an_abandoned_stream_is_counted_as_cut_by_the_peer(self, url: str) -> None:
        before = stats(url)
        with httpx.stream("POST", f"{url}/chat/completions", json=STREAM, headers=order({})) as r:
            next(r.iter_raw())

        assert eventually_one_more_cut_by_peer(url, before["cut_by_peer"])

        after = stats(url)
        assert after["streams_finished"] == before["streams_finished"]
        assert after["streams_open"] == 0

    def test_a_stream_read_to_its_end_is_counted_as_finished(self, url: str) -> None:
        before = stats(url)

        read(url, {**STREAM, "max_tokens": 1}, {})

        after = stats(url)
        assert after["streams_finished"] == before["streams_finished"] + 1
        assert after["cut_by_peer"] == before["cut_by_peer"]


class TestProcess:
    def test_it_stops_promptly_and_quietly_on_sigterm_in_the_middle_of_a_stream(self) -> None:
        with running() as (base_url, process):
            headers = order({"silence_after_chunks": 1})
            with httpx.stream(
                "POST", f"{base_url}/chat/completions", json=STREAM, headers=headers
            ) as response:
                body = response.iter_raw()
                next(body)
                process.send_signal(signal.SIGTERM)

                assert process.wait(timeout=10) == 0

            assert process.stdout is not None
            assert process.stdout.read() == ""

    def test_it_says_nothing_of_prompts_or_keys(self) -> None:
        secret = {"model": "gpt-4o", "messages": [{"role": "user", "content": "my-secret-prompt"}]}
        with running() as (base_url, process):
            for fault in ({}, {"cut_after_chunks": 0}, {"status": 500}):
                read(base_url, secret, fault)
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=10)

            assert process.stdout is not None
            assert process.stdout.read() == ""

    def test_a_models_file_says_which_models_exist(self, tmp_path: Path) -> None:
        listing = tmp_path / "models.txt"
        listing.write_text("# ours\none\n\n  two/b  \n")

        with running("--models-file", str(listing)) as (base_url, _):
            answer = httpx.get(f"{base_url}/models", headers=order({}))

        assert [model["id"] for model in answer.json()["data"]] == ["one", "two/b"]

    @pytest.mark.parametrize(
        ("options", "environment"), [(["--lenient"], {}), ([], {"SANDBOX_LENIENT": "1"})]
    )
    def test_it_can_be_started_lenient(
        self, options: list[str], environment: dict[str, str]
    ) -> None:
        body = {**QUESTION, "model": "made-up", "foo": 1}

        with running(*options, **environment) as (base_url, _):
            answer = httpx.post(f"{base_url}/chat/completions", json=body, headers=order({}))

        assert answer.status_code == 200


class _Capital(BaseModel):
    country: str
    city: str


class TestOfficialClient:
    def test_it_reads_a_plain_answer(self, client: openai.OpenAI) -> None:
        answer = client.chat.completions.create(**QUESTION)

        assert "Why is ice cold?" in (answer.choices[0].message.content or "")
        assert answer.usage is not None
        assert answer.usage.prompt_tokens == 4

    def test_it_reads_a_stream_with_usage(self, client: openai.OpenAI) -> None:
        whole = client.chat.completions.create(**QUESTION)

        chunks = list(
            client.chat.completions.create(**STREAM, stream_options={"include_usage": True})
        )

        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == whole.choices[0].message.content
        assert chunks[-1].usage == whole.usage

    def test_it_reads_streamed_tool_calls(self, client: openai.OpenAI) -> None:
        messages: Any = [{"role": "user", "content": "What is the weather in Oslo?"}]

        with client.chat.completions.stream(
            model="gpt-4o-mini",
            messages=messages,
            tools=[TOOL],
        ) as stream:
            (choice,) = stream.get_final_completion().choices

        assert choice.message.tool_calls is not None
        assert choice.message.tool_calls[0].function.name == "get_weather"
        assert json.loads(choice.message.tool_calls[0].function.arguments) == {"location": "Oslo"}

    def test_it_parses_a_structured_answer(self, client: openai.OpenAI) -> None:
        answer = client.chat.completions.parse(**QUESTION, response_format=_Capital)

        assert isinstance(answer.choices[0].message.parsed, _Capital)

    def test_it_decodes_embeddings(self, client: openai.OpenAI) -> None:
        answer = client.embeddings.create(model="text-embedding-3-small", input=[[1, 2], [3]])

        assert [len(item.embedding) for item in answer.data] == [1536, 1536]
        assert answer.usage.prompt_tokens == 3

    def test_it_lists_and_finds_models(self, client: openai.OpenAI) -> None:
        listed = {model.id for model in client.models.list()}

        assert {"gpt-4o-mini", "text-embedding-3-small"} <= listed
        assert client.models.retrieve("openai/gpt-4o").id == "openai/gpt-4o"

    def test_it_raises_its_own_errors(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.NotFoundError) as unknown:
            client.chat.completions.create(model="made-up", messages=QUESTION["messages"])
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(**QUESTION, extra_headers=order({"status": 429}))
        with pytest.raises(openai.AuthenticationError):
            client.with_options(api_key="invalid").models.list()

        assert unknown.value.code == "model_not_found"

    def test_it_raises_on_an_error_event_in_a_stream(self, client: openai.OpenAI) -> None:
        chunks = client.chat.completions.create(
            **STREAM, extra_headers=order({"error_after_chunks": 2})
        )

        with pytest.raises(openai.APIError, match="ordered to fail"):
            list(chunks)
