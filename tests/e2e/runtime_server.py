"""A Lambda Runtime API on loopback, as strict as Lambda's about what it is told.

An answer to an unknown, answered or expired invocation is refused.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html (2026-11)
"""

import contextlib
import json
import queue
import select
import socket
import struct
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.e2e.answers import Answer, Chunk, FunctionError, buffered_answer, streamed_answer

TRACE_ID: Final = "Root=1-691efa2c-0f1e2d3c4b5a69788796a5b4;Sampled=1"

_BASE: Final = "/2018-06-01/runtime"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What goes wrong between the process and Lambda while it answers."""

    drop_after: int | None = None
    """Reset the connection once so many chunks, the prelude's included, have arrived."""
    stall_after: int | None = None
    """Read no further once so many chunks have arrived, and never reply."""


@dataclass(slots=True)
class Invocation:
    """One event on its way through a process."""

    event: bytes
    deadline_ms: int
    trace_id: str | None
    disturbance: Disturbance
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    given_at: float = 0.0
    arrived: queue.SimpleQueue[bytes] = field(default_factory=queue.SimpleQueue)
    """The HTTP chunks of a streamed answer while they come in, the prelude's first."""
    answer: Future[Answer] = field(default_factory=Future)

    def wait(self, timeout_seconds: float = 30) -> Answer:
        """Wait for the answer.

        Raises:
            TimeoutError: there is none after `timeout_seconds`.
        """
        return self.answer.result(timeout_seconds)


class RuntimeApi:
    """A Runtime API on a loopback port. Several processes may share one, as a function's fleet."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        """Each request so far, as `GET /init/error`, in order of arrival."""
        self.reports: list[FunctionError] = []
        """The failures of initialisation and restoring that were reported."""
        self.ready: Future[None] = Future()
        """Done once a process has asked for its first event."""
        self._events: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._given: dict[str, Invocation] = {}
        self._server = _Server(self)
        self.address: Final = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def submit(
        self,
        event: Mapping[str, Any] | bytes,
        *,
        seconds: float = 30,
        trace_id: str | None = TRACE_ID,
        disturbance: Disturbance | None = None,
    ) -> Invocation:
        """Queue an event for the next process that asks; `seconds` is the function's timeout."""
        text = event if isinstance(event, bytes) else json.dumps(event).encode()
        deadline_ms = int((time.time() + seconds) * 1000)
        invocation = Invocation(text, deadline_ms, trace_id, disturbance or Disturbance())
        self._events.put(invocation)
        return invocation

    def close(self) -> None:
        """Stop serving; processes that still wait are cut off."""
        self._events.put(None)
        self._server.shutdown()
        self._server.is_stopping.set()
        self._server.drop_connections()
        self._thread.join()
        self._server.server_close()

    def drop_waiting(self) -> None:
        """Close the connections of the processes, as a Runtime API that restarts does."""
        self._server.drop_connections()

    def take(self, waiting: socket.socket) -> Invocation | None:
        """Wait for an event for the process behind `waiting`; `None` when it left meanwhile."""
        with contextlib.suppress(InvalidStateError):
            self.ready.set_result(None)
        invocation = self._events.get()
        if invocation is None or _has_left(waiting):
            self._events.put(invocation)
            return None
        invocation.given_at = time.perf_counter()
        self._given[invocation.id] = invocation
        return invocation

    def find(self, invocation_id: str) -> Invocation | None:
        """Give the invocation an answer is for; `None` when Lambda would refuse the answer."""
        invocation = self._given.pop(invocation_id, None)
        if invocation is not None and invocation.deadline_ms / 1000 < time.time():
            error = FunctionError("Sandbox.Timedout", {"errorMessage": "Task timed out"})
            invocation.answer.set_result(Answer(error=error))
            return None
        return invocation


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        self.connections: set[socket.socket] = set()
        self.is_stopping = threading.Event()
        super().__init__(("127.0.0.1", 0), _Requests)

    def drop_connections(self) -> None:
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Requests(BaseHTTPRequestHandler):
    """Serves one connection of a process."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    connection: socket.socket

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # processes are killed on purpose
            super().handle()

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Keep quiet."""

    def do_GET(self) -> None:
        self._note()
        if self.path == f"{_BASE}/restore/next":
            self._reply(200, b"")
        elif (invocation := self.server.api.take(self.connection)) is None:
            self.close_connection = True
        else:
            self._give(invocation)

    def do_POST(self) -> None:
        self._note()
        match self.path.removeprefix(f"{_BASE}/").split("/"):
            case ["invocation", invocation_id, ("response" | "error") as kind]:
                self._take_answer(self.server.api.find(invocation_id), kind)
            case [("init" | "restore"), "error"]:
                self.server.api.reports.append(self._read_error())
                self._reply(202, b"{}")
            case _:
                self._reply(404, b"{}")

    def _note(self) -> None:
        self.server.api.calls.append(f"{self.command} {self.path.removeprefix(_BASE)}")

    def _reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _give(self, invocation: Invocation) -> None:
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": (
                "arn:aws:lambda:us-east-1:123456789012:function:tested"
            ),
        }
        if invocation.trace_id is not None:
            headers["Lambda-Runtime-Trace-Id"] = invocation.trace_id
        self._reply(200, invocation.event, headers)

    def _take_answer(self, invocation: Invocation | None, kind: str) -> None:
        if invocation is None:
            self.close_connection = True
            self._reply(403, b'{"errorType": "InvalidRequestID"}')
        elif kind == "error":
            invocation.answer.set_result(Answer(error=self._read_error(), posted=self._posted()))
            self._reply(202, b"{}")
        elif self.headers["Lambda-Runtime-Function-Response-Mode"] == "streaming":
            self._take_streamed(invocation)
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            invocation.answer.set_result(buffered_answer(json.loads(body), self._posted()))
            self._reply(202, b"{}")

    def _take_streamed(self, invocation: Invocation) -> None:
        chunks: list[Chunk] = []
        trailers: dict[str, str] = {}
        is_cut = False
        try:
            for data in self._chunks(trailers):
                chunks.append(Chunk(time.perf_counter() - invocation.given_at, data))
                invocation.arrived.put(data)
                self._disturb(invocation.disturbance, len(chunks))
        except ConnectionError:
            is_cut = self.close_connection = True
        answer = streamed_answer(chunks, trailers, self._posted(), is_cut=is_cut)
        invocation.answer.set_result(answer)
        if not is_cut:
            self._reply(202, b"{}")

    def _chunks(self, trailers: dict[str, str]) -> Iterator[bytes]:
        while True:
            size = int(self._line() or b"", 16)
            if size == 0:
                break
            yield self.rfile.read(size)
            self._line()
        while line := self._line():
            name, _, value = line.decode("ascii").partition(":")
            trailers[name.lower()] = value.strip()

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionAbortedError("the process left in the middle of its answer")
        return line[:-2]

    def _disturb(self, disturbance: Disturbance, count: int) -> None:
        if count == disturbance.drop_after:
            no_linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
            self.rfile.close()
            self.connection.close()
            raise ConnectionAbortedError("dropped on purpose")
        if count == disturbance.stall_after:
            self.server.is_stopping.wait()
            raise ConnectionAbortedError("stalled on purpose")

    def _read_error(self) -> FunctionError:
        description = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        error_type = self.headers.get("Lambda-Runtime-Function-Error-Type")
        return FunctionError(error_type or description["errorType"], description)

    def _posted(self) -> dict[str, list[str]]:
        return {name.lower(): self.headers.get_all(name, []) for name in self.headers}


def _has_left(peer: socket.socket) -> bool:
    """Tell whether the process behind a waiting connection is gone."""
    is_readable = bool(select.select([peer], [], [], 0)[0])
    return is_readable and peer.recv(1, socket.MSG_PEEK) == b""
