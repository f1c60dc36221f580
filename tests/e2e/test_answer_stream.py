"""The streamed answer's wire, byte by byte, against a plain listening socket."""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from farebox.runtime.answer import AnswerStream
from farebox.runtime.runtime_api import InvocationContext

A_MINUTE_AHEAD_MS = int(time.time() * 1000) + 60_000
LONG_PAST_MS = 0


class Listener:
    """Accepts one connection and keeps what arrives, once told to read."""

    def __init__(self, reply: bytes) -> None:
        self._reply = reply
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._received = b""
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def received(self) -> bytes:
        self._thread.join(timeout=10)
        return self._received

    def close(self) -> None:
        self._server.close()

    def _read(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            while data := connection.recv(1 << 20):
                self._received += data
                if self._received.endswith(b"\r\n\r\n") and b"\r\n0\r\n" in self._received:
                    connection.sendall(self._reply)


@pytest.fixture
def listener(request: pytest.FixtureRequest) -> Iterator[Listener]:
    listener = Listener(getattr(request, "param", b"HTTP/1.1 202 Accepted\r\n\r\n"))
    yield listener
    listener.close()


def stream_to(listener: Listener, deadline_ms: int = A_MINUTE_AHEAD_MS) -> AnswerStream:
    return AnswerStream(listener.address, InvocationContext("id-1", deadline_ms, "arn"))


def test_every_part_is_a_chunk_and_the_end_mark_follows_the_last(listener: Listener) -> None:
    listener.start()
    stream = stream_to(listener)

    stream.write(b"{}" + bytes(8), b"first", last=False)
    stream.write(b"", b"a second part", last=True)
    stream.close()

    assert stream.loss is None
    assert listener.received() == (
        b"POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\n"
        b"Host: " + listener.address.encode() + b"\r\n"
        b"Content-Type: application/vnd.awslambda.http-integration-response\r\n"
        b"Lambda-Runtime-Function-Response-Mode: streaming\r\n"
        b"Transfer-Encoding: chunked\r\n"
        b"Trailer: Lambda-Runtime-Function-Error-Type\r\n"
        b"Trailer: Lambda-Runtime-Function-Error-Body\r\n"
        b"Connection: close\r\n"
        b"\r\n"
        b"a\r\n{}\0\0\0\0\0\0\0\0\r\n"
        b"5\r\nfirst\r\n"
        b"d\r\na second part\r\n"
        b"0\r\n\r\n"
    )


def test_a_failure_ends_the_answer_with_trailers(listener: Listener) -> None:
    listener.start()
    stream = stream_to(listener)

    stream.write(b"half", last=False)
    stream.fail("Function.ValueError", "Cut short.")
    stream.close()

    _, _, ending = listener.received().partition(b"4\r\nhalf\r\n")
    mark, error_type, error_body, *rest = ending.split(b"\r\n")
    assert mark == b"0"
    assert error_type == b"Lambda-Runtime-Function-Error-Type: Function.ValueError"
    name, _, value = error_body.partition(b": ")
    assert name == b"Lambda-Runtime-Function-Error-Body"
    assert json.loads(base64.b64decode(value)) == {
        "errorType": "Function.ValueError",
        "errorMessage": "Cut short.",
    }
    assert rest == [b"", b""]


@pytest.mark.parametrize(
    "listener",
    [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"HTTP/1.1 413 Too Large\r\n\r\n", b""],
    indirect=True,
)
def test_an_answer_that_was_not_accepted_is_lost(listener: Listener) -> None:
    listener.start()
    stream = stream_to(listener, LONG_PAST_MS)

    stream.write(b"whole", last=True)
    stream.close()

    assert isinstance(stream.loss, OSError)


def test_an_answer_to_nobody_is_lost_and_raises_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    stream = AnswerStream(address, InvocationContext("id-1", A_MINUTE_AHEAD_MS, "arn"))

    stream.write(b"whole", last=True)
    stream.close()

    assert isinstance(stream.loss, ConnectionRefusedError)


def test_nothing_is_written_behind_a_part_that_nobody_took_in_time(listener: Listener) -> None:
    stream = stream_to(listener, LONG_PAST_MS)

    stream.write(b"a" * 20_000_000, last=False)
    listener.start()
    stream.write(b"behind", last=True)
    stream.close()

    assert isinstance(stream.loss, TimeoutError)
    assert listener.received().endswith(b"a")
