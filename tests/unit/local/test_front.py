"""The front over real HTTP, with toy applications in place of the functions."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from local.bridge import Application, Receive, Scope, Send
from local.front import Front, http_server, serve
from local.gateway import Gateway
from local.ports import listen, port_of
from local.template_routes import read_template

TEMPLATE = Path(__file__).resolve().parents[3] / "template.yaml"
CHAT = "/v1/chat/completions"


class RunningFront:
    """A front that serves the template's routes on a thread of its own."""

    def __init__(self, applications: Mapping[str, Application]) -> None:
        listener = listen(0)
        self.port = port_of(listener)
        self.url = f"http://127.0.0.1:{self.port}"
        front = Front(Gateway(read_template(TEMPLATE)), applications)
        self._server: uvicorn.Server = http_server(front)
        serving = serve(self._server, front, listener)
        self._thread = threading.Thread(target=asyncio.run, args=(serving,))
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


type StartFront = Callable[..., RunningFront]


@pytest.fixture
def start_front() -> Iterator[StartFront]:
    """Starts fronts whose functions are the keyword arguments."""
    started: list[RunningFront] = []

    def start(**applications: Application) -> RunningFront:
        started.append(RunningFront(applications))
        return started[-1]

    yield start
    for front in started:
        front.stop()


async def begin(send: Send, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})


async def part(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


def answering(answer: Callable[[Scope, bytes], bytes]) -> Application:
    """Make an application of a function from scope and body to a body."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        await begin(send)
        await part(send, answer(scope, body), more=False)

    return application


def refusing(called: list[int]) -> Application:
    """Make an application that notes the size of the body, should it ever be called."""

    def note(_scope: Scope, body: bytes) -> bytes:
        called.append(len(body))
        return b""

    return answering(note)


@contextmanager
def stream(front: RunningFront) -> Iterator[Iterator[bytes]]:
    """Post, and give the parts of the answer as they come; the end closes the connection."""
    with httpx.stream("POST", front.url + CHAT, timeout=5) as answer:
        yield answer.iter_raw()


def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[str]:
    """Give what is logged, waiting up to 5 s for the next of it."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if log := capfd.readouterr().err:
            yield log
        time.sleep(0.02)


class TestServing:
    def test_requests_that_block_do_not_hold_up_each_other(self, start_front: StartFront) -> None:
        together = threading.Barrier(3, timeout=5)
        front = start_front(chat=answering(lambda _scope, _body: str(together.wait()).encode()))

        with ThreadPoolExecutor() as threads:
            posting = [threads.submit(httpx.post, front.url + CHAT) for _ in range(3)]
            answers = [each.result() for each in posting]

        assert sorted(answer.text for answer in answers) == ["0", "1", "2"]

    def test_the_whole_body_comes_in_one_message(self, start_front: StartFront) -> None:
        front = start_front(chat=answering(lambda _scope, body: str(len(body)).encode()))

        answer = httpx.post(front.url + CHAT, content=b"x" * 6_291_456)

        assert answer.text == "6291456"

    def test_the_application_learns_how_long_its_function_has(
        self, start_front: StartFront
    ) -> None:
        def remaining_ms(scope: Scope, _body: bytes) -> bytes:
            return str(scope["aws.context"].remaining_ms()).encode()

        front = start_front(chat=answering(remaining_ms))

        left_ms = int(httpx.post(front.url + CHAT).text)

        assert 890_000 < left_ms <= 900_000

    def test_paths_arrive_decoded_as_on_lambda(self, start_front: StartFront) -> None:
        front = start_front(chat=answering(lambda scope, _body: scope["path"].encode()))

        answer = httpx.get(front.url + "/v1/models/meta-llama%2FLlama-3")

        assert answer.text == "/v1/models/meta-llama/Llama-3"

    def test_the_log_has_no_query(
        self, start_front: StartFront, capfd: pytest.CaptureFixture[str]
    ) -> None:
        front = start_front(chat=answering(lambda _scope, _body: b""))

        httpx.get(front.url + "/v1/models?token=secret")
        front.stop()
        log = capfd.readouterr().err

        assert "GET /v1/models 200" in log
        assert "secret" not in log


class TestStreaming:
    def test_every_part_leaves_at_once(self, start_front: StartFront) -> None:
        first_was_read = threading.Event()

        async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
            await begin(send)
            await part(send, b"one ")
            await part(send, b"two" if first_was_read.wait(5) else b"nobody read", more=False)

        with stream(start_front(chat=application)) as parts:
            first = next(parts)
            first_was_read.set()
            rest = b"".join(parts)

        assert (first, rest) == (b"one ", b"two")

    def test_a_client_that_leaves_does_not_interrupt_the_application(
        self, start_front: StartFront
    ) -> None:
        left, settled = threading.Event(), threading.Event()

        async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
            await begin(send)
            await part(send, b"first")
            left.wait(5)
            for _ in range(50):
                await part(send, b"x" * 100_000)
            settled.set()

        with stream(start_front(chat=application)) as parts:
            next(parts)
        left.set()

        assert settled.wait(5)

    def test_the_application_never_hears_of_a_client_that_left(
        self, start_front: StartFront
    ) -> None:
        heard: list[str] = []
        over = threading.Event()

        async def application(_scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await begin(send)
            await part(send, b"first")
            try:
                async with asyncio.timeout(0.3):
                    heard.append((await receive())["type"])
            except TimeoutError:
                over.set()

        with stream(start_front(chat=application)) as parts:
            next(parts)

        assert over.wait(5)
        assert heard == []

    def test_a_client_that_reads_slowly_slows_the_application_down(
        self, start_front: StartFront
    ) -> None:
        sent: list[int] = []

        async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
            await begin(send)
            for number in range(1000):
                await part(send, b"x" * 100_000)
                sent.append(number)
            await part(send, b"", more=False)

        with stream(start_front(chat=application)) as parts:
            first = next(parts)
            time.sleep(0.3)
            sent_unread = len(sent)
            rest = sum(map(len, parts))

        assert sent_unread < 200
        assert len(first) + rest == 100_000_000

    def test_stopping_lets_an_answer_under_way_end(self, start_front: StartFront) -> None:
        stopping = threading.Event()

        async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
            await begin(send)
            await part(send, b"first ")
            stopping.wait(5)
            await part(send, b"last", more=False)

        front = start_front(chat=application)
        with stream(front) as parts, ThreadPoolExecutor() as threads:
            next(parts)
            ending = threads.submit(front.stop)
            time.sleep(0.1)
            stopping.set()
            rest = b"".join(parts)
            ending.result()

        assert rest == b"last"


class TestFailing:
    def test_a_failure_before_any_output_is_a_clean_500(self, start_front: StartFront) -> None:
        async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
            await begin(send)
            raise RuntimeError("a secret")

        answer = httpx.post(start_front(chat=application).url + CHAT)

        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "internal_error"
        assert "secret" not in answer.text

    def test_a_failure_in_a_stream_cuts_it(self, start_front: StartFront) -> None:
        async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
            await begin(send)
            await part(send, b"first")
            raise RuntimeError("broken")

        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(start_front(chat=application).url + CHAT)


class TestWithoutAFunction:
    def test_a_body_over_6_mb_is_refused_before_the_function(self, start_front: StartFront) -> None:
        called: list[int] = []
        front = start_front(chat=refusing(called))

        answer = httpx.post(front.url + CHAT, content=b"x" * 6_291_457)

        assert answer.status_code == 413
        assert "6 MB" in answer.json()["error"]["message"]
        assert called == []

    def test_what_the_template_does_not_route_is_not_found(self, start_front: StartFront) -> None:
        answer = httpx.get(start_front().url + "/v2/models")

        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.json() == {
            "error": {
                "message": "There is no such route.",
                "type": "not_found_error",
                "param": None,
                "code": "not_found",
            }
        }

    def test_a_browsers_preflight_is_answered(self, start_front: StartFront) -> None:
        answer = httpx.options(start_front().url + CHAT)

        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "authorization" in answer.headers["access-control-allow-headers"]

    def test_a_client_that_leaves_before_its_body_is_complete_reaches_nothing(
        self, start_front: StartFront, capfd: pytest.CaptureFixture[str]
    ) -> None:
        called: list[int] = []
        front = start_front(chat=refusing(called))

        with socket.create_connection(("127.0.0.1", front.port)) as connection:
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
            connection.sendall(b"Content-Length: 100\r\n\r\nhalf")

        assert "client left" in next(logged(capfd))
        assert called == []
