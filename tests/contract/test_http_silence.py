"""A provider that pauses is looked away from wherever it pauses; one that ends well is kept."""

import itertools
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from farebox.adapters.clock import SystemClock
from farebox.adapters.http_wire import Exchange, Origin, WireError

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HELLO = b"5\r\nhello\r\n"
END = b"0\r\n\r\n"
PATIENCE_SECONDS = 0.02


class PausingServer:
    """Sends one answer's pieces, each when it is told to; counts its connections."""

    def __init__(self, listener: socket.socket, pieces: Sequence[bytes]) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        self.connections = 0
        self.go_on = threading.Semaphore(0)
        self._listener = listener
        self._pieces = itertools.cycle([pieces])

    def serve(self) -> None:
        """Serve until the listener is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                while connection.recv(65_536):
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        for piece in next(self._pieces):
            self.go_on.acquire()
            connection.sendall(piece)


@contextmanager
def pausing(*pieces: bytes) -> Iterator[PausingServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = PausingServer(listener, pieces)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def ask(origin: Origin) -> Exchange:
    return origin.post("/chat/completions", b"{}", {"Content-Type": "application/json"})


def wait_for_start(exchange: Exchange) -> None:
    while not exchange.started(1):
        pass


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (HEAD + HELLO, HELLO + END),
        (HEAD + b"5\r\nhello", b"\r\n" + HELLO + END),
        (HEAD + HELLO + b"5", b"\r\nhello\r\n" + END),
        (HEAD + HELLO + b"5\r\n", b"hello\r\n" + END),
    ],
)
def test_silence_shows_wherever_in_a_chunk_it_falls(first: bytes, second: bytes) -> None:
    with pausing(first, second) as server:
        server.go_on.release()
        exchange = ask(Origin(server.url, SystemClock()))
        wait_for_start(exchange)
        chunks = exchange.chunks(PATIENCE_SECONDS)

        came = [next(chunks), next(chunks), next(chunks)]
        server.go_on.release()
        rest = [chunk for chunk in chunks if chunk is not None]

    assert came == [b"hello", None, None]
    assert rest == [b"hello"]


def test_a_head_that_stops_half_way_has_not_started() -> None:
    with pausing(HEAD[:20], HEAD[20:] + END) as server:
        server.go_on.release()
        exchange = ask(Origin(server.url, SystemClock()))

        before = [exchange.started(PATIENCE_SECONDS) for _ in range(2)]
        server.go_on.release()

        assert before == [False, False]
        assert exchange.started(1)


def test_silence_beyond_what_is_owed_is_a_failure() -> None:
    with pausing(HEAD + HELLO) as server:
        server.go_on.release()
        exchange = ask(Origin(server.url, SystemClock(), silence_seconds=0.1))
        wait_for_start(exchange)

        with pytest.raises(WireError) as failure:
            list(exchange.chunks(PATIENCE_SECONDS))

    assert failure.value.timed_out


def test_a_connection_whose_end_came_unread_is_kept() -> None:
    with pausing(HEAD + HELLO, END) as server:
        origin = Origin(server.url, SystemClock())
        for _ in range(3):
            server.go_on.release()
            exchange = ask(origin)
            wait_for_start(exchange)
            first = next(exchange.chunks(1))
            server.go_on.release()
            wait_until_readable(exchange)
            exchange.close()

    assert first == b"hello"
    assert server.connections == 1


def test_a_connection_still_talking_is_not_kept() -> None:
    with pausing(HEAD + HELLO, HELLO, END) as server:
        origin = Origin(server.url, SystemClock())
        for _ in range(2):
            server.go_on.release()
            exchange = ask(origin)
            wait_for_start(exchange)
            exchange.close()
            server.go_on.release(2)

    assert server.connections == 2


def wait_until_readable(exchange: Exchange) -> None:
    """Wait until more has come than was read."""
    exchange._sock.settimeout(5)
    exchange._sock.recv(1, socket.MSG_PEEK)


def test_a_header_with_a_line_break_is_not_sent() -> None:
    with pausing(HEAD + END) as server:
        origin = Origin(server.url, SystemClock())

        with pytest.raises(WireError):
            origin.post("/chat/completions", b"{}", {"Authorization": "Bearer a\r\nHost: b"})

    assert server.connections == 0
