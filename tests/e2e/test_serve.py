"""`make serve` as a person uses it: started, used, stopped, started again, and mistreated."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from openai import OpenAI

from tests.e2e.local_stack import ROOT, LocalStack, Serve, local_stack

OPENING_NANOUSD = 10_000_000_000


@pytest.fixture
def start(tmp_path: Path) -> Iterator["Starter"]:
    starter = Starter(tmp_path)
    yield starter
    for serve in starter.started:
        serve.stop()


class Starter:
    """Starts `make serve`, and sees to it that all is stopped in the end."""

    def __init__(self, directory: Path) -> None:
        self.started: list[Serve] = []
        self._directory = directory

    def __call__(self, state: str = "state", **variables: str) -> Serve:
        state_dir = self._directory / state
        state_dir.mkdir(exist_ok=True)
        self.started.append(Serve(state_dir, **variables))
        return self.started[-1]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with local_stack(tmp_path_factory.mktemp("state")) as stack:
        yield stack


def balance(stack: LocalStack) -> dict[str, int]:
    """Read what the user's account says, whole numbers only."""
    bearer = {"Authorization": f"Bearer {stack.user_key}"}
    answer = httpx.get(f"{stack.openai_base_url}/credits/balance", headers=bearer)
    figures = answer.raise_for_status().json()
    return {name: figures[name] for name in figures if name.endswith("_nanousd")}


def ask(stack: LocalStack) -> str:
    with OpenAI(base_url=stack.openai_base_url, api_key=stack.user_key) as client:
        answer = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello!"}]
        )
    return answer.choices[0].message.content or ""


@contextmanager
def open_stream(stack: LocalStack) -> Iterator[Iterator[bytes]]:
    """Ask for an answer that streams for some seconds; leaving closes the connection."""
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Tell me a story."}],
        "max_tokens": 60,
        "stream": True,
    }
    bearer = {"Authorization": f"Bearer {stack.user_key}"}
    url = f"{stack.openai_base_url}/chat/completions"
    with httpx.stream("POST", url, json=body, headers=bearer) as answer:
        yield answer.iter_raw()


def port_of(stack: LocalStack) -> str:
    return stack.url.rpartition(":")[2]


def kill_emulator(serve: Serve) -> None:
    listing = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
    processes = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    for line in processes.splitlines():
        pid, parent, arguments = line.split(None, 2)
        if parent == str(serve.pid) and "local.emulator_process" in arguments:
            os.kill(int(pid), signal.SIGKILL)


def listens(port: str | int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def comes_true(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class TestServing:
    def test_the_openai_sdk_streams_an_answer(self, stack: LocalStack) -> None:
        with OpenAI(base_url=stack.openai_base_url, api_key=stack.user_key) as client:
            chunks = client.chat.completions.create(
                model="gpt-4o-mini",
                messages=[{"role": "user", "content": "Count to five."}],
                stream=True,
                stream_options={"include_usage": True},
            )
            moments = [(time.monotonic(), chunk) for chunk in chunks]

        assert len(moments) > 5
        assert moments[-1][0] - moments[0][0] > 0.1
        assert moments[-1][1].usage is not None

    def test_what_is_printed_for_pasting_works(self, start: Starter) -> None:
        serve = start()
        stack = serve.wait_ready()
        (line,) = (line for line in serve.lines if line.startswith("  curl "))

        pasted = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)

        assert '"object":"chat.completion"' in pasted.stdout
        assert balance(stack)["available_nanousd"] < OPENING_NANOUSD

    @pytest.mark.parametrize("kind", ["user_key", "admin_key", "service_key"])
    def test_every_seeded_key_is_served(self, stack: LocalStack, kind: str) -> None:
        bearer = {"Authorization": f"Bearer {getattr(stack, kind)}"}

        answer = httpx.get(f"{stack.url}/v1/key", headers=bearer)

        assert answer.status_code == 200

    def test_a_client_that_leaves_is_charged_all_the_same(self, start: Starter) -> None:
        stack = start().wait_ready()
        with open_stream(stack) as parts:
            next(parts)

        assert comes_true(lambda: balance(stack)["spent_nanousd"] > 0)
        assert balance(stack)["held_nanousd"] == 0

    def test_lenient_takes_any_model_and_has_ample_credits(self, start: Starter) -> None:
        stack = start(SANDBOX_LENIENT="1").wait_ready()

        with OpenAI(base_url=stack.openai_base_url, api_key=stack.user_key) as client:
            answer = client.chat.completions.create(
                model="no-such-model", messages=[{"role": "user", "content": "Hello!"}]
            )

        assert answer.choices[0].message.content
        assert balance(stack)["available_nanousd"] > 900_000_000_000

    def test_a_change_of_code_restarts_the_functions_and_nobody_is_refused(
        self, start: Starter
    ) -> None:
        serve = start(RELOAD="1")
        stack = serve.wait_ready()

        (ROOT / "functions" / "__init__.py").touch()

        assert comes_true(lambda: "functions/__init__.py has changed" in serve.output)
        assert balance(stack)["available_nanousd"] == OPENING_NANOUSD


class TestStoppingAndStartingAgain:
    def test_a_restart_changes_no_figure_and_takes_the_port_at_once(self, start: Starter) -> None:
        first = start()
        stack = first.wait_ready()
        ask(stack)
        before = balance(stack)
        first.signal_group(signal.SIGTERM)
        code = first.wait()

        again = start(PORT=port_of(stack)).wait_ready()

        assert code == 0
        assert again == stack
        assert before["available_nanousd"] < OPENING_NANOUSD
        assert balance(again) == before

    def test_an_interrupt_lets_an_open_stream_end(self, start: Starter) -> None:
        serve = start()
        stack = serve.wait_ready()
        with open_stream(stack) as parts:
            next(parts)
            serve.signal_group(signal.SIGINT)
            rest = b"".join(parts)

        assert rest.endswith(b"data: [DONE]\n\n")
        assert serve.wait() == 0
        assert not listens(port_of(stack))

    def test_a_killed_one_takes_its_processes_along_and_loses_nothing(self, start: Starter) -> None:
        first = start()
        stack = first.wait_ready()
        inner = json.loads((stack.state_dir / "ports.json").read_text(encoding="utf-8"))
        ask(stack)
        before = balance(stack)
        first.signal_group(signal.SIGKILL)
        first.wait()

        assert comes_true(lambda: not any(map(listens, inner.values())))
        assert balance(start(PORT=port_of(stack)).wait_ready()) == before


class TestStandingInTheWay:
    def test_a_taken_port_is_named(self, start: Starter, stack: LocalStack) -> None:
        second = start(PORT=port_of(stack))

        assert second.wait() == 2
        assert second.lines == [
            f"make serve: Port {port_of(stack)} is taken; choose another: make serve PORT=…"
        ]

    def test_a_state_directory_in_use_is_named(self, start: Starter) -> None:
        start().wait_ready()
        second = start()

        assert second.wait() == 2
        assert "/state is in use by another `make serve`" in second.output

    def test_a_dead_emulator_ends_everything(self, start: Starter) -> None:
        serve = start()
        stack = serve.wait_ready()
        kill_emulator(serve)

        assert serve.wait() == 1
        assert serve.lines[-1] == (
            f"make serve: The AWS emulator (log: {stack.state_dir}/log/emulator.log) "
            "ended with exit code -9."
        )
        assert not listens(port_of(stack))
