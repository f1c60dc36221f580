"""A provider that pauses is looked away from wherever it pauses; one that ends well is kept."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from farebox.adapters.clock import SystemClock
from farebox.adapters.connections import Connections
from farebox.adapters.http_wire import Exchange, Origin, WireError

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HELLO = b"5\r\nhello\r\n"
END = b"0\r\n\r\n"
PATIENCE_SECONDS = 0.02


@dataclass
class Line:
    """A connection in the middle of an exchange, and its other end."""

    ours: socket.socket
    provider: socket.socket
    connections: Connections

    def exchange(self, *, silence_seconds: float = 5) -> Exchange:
        """Wait for an answer on it."""
        return Exchange(self.connections, self.ours, silence_seconds)

    @property
    def is_kept(self) -> bool:
        """Whether the next request will go over it; nobody listens where a new one would lead."""
        try:
            return self.connections.take() is self.ours
        except OSError:
            return False


@pytest.fixture
def line() -> Iterator[Line]:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        port = closed_soon.getsockname()[1]
    connections = Connections(
        f"http://127.0.0.1:{port}", connect_seconds=1, read_seconds=1, clock=SystemClock()
    )
    ours, provider = socket.socketpair()
    with ours, provider:
        yield Line(ours, provider, connections)


class TestSilence:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (HEAD + HELLO, HELLO + END),
            (HEAD + b"5\r\nhello", b"\r\n" + HELLO + END),
            (HEAD + HELLO + b"5", b"\r\nhello\r\n" + END),
            (HEAD + HELLO + b"5\r\n", b"hello\r\n" + END),
        ],
    )
    def test_shows_wherever_in_a_chunk_it_falls(
        self, line: Line, first: bytes, second: bytes
    ) -> None:
        exchange = line.exchange()
        line.provider.sendall(first)
        started = exchange.started(PATIENCE_SECONDS)
        chunks = exchange.chunks(PATIENCE_SECONDS)

        came = [next(chunks), next(chunks), next(chunks)]
        line.provider.sendall(second)
        rest = list(chunks)

        assert started
        assert came == [b"hello", None, None]
        assert rest == [b"hello"]

    def test_in_the_middle_of_a_head_means_it_has_not_started(self, line: Line) -> None:
        exchange = line.exchange()
        line.provider.sendall(HEAD[:20])

        before = [exchange.started(PATIENCE_SECONDS) for _ in range(2)]
        line.provider.sendall(HEAD[20:])

        assert before == [False, False]
        assert exchange.started(PATIENCE_SECONDS)
        assert exchange.status == 200

    def test_beyond_what_may_be_is_a_failure(self, line: Line) -> None:
        exchange = line.exchange(silence_seconds=0.05)
        line.provider.sendall(HEAD + HELLO)
        exchange.started(PATIENCE_SECONDS)

        with pytest.raises(WireError) as failure:
            list(exchange.chunks(PATIENCE_SECONDS))

        assert failure.value.timed_out

    def test_counts_from_the_last_byte(self, line: Line) -> None:
        exchange = line.exchange(silence_seconds=0.05)
        line.provider.sendall(HEAD)
        exchange.started(PATIENCE_SECONDS)
        chunks = exchange.chunks(0.03)

        came = []
        for _ in range(3):
            came.append(next(chunks))
            line.provider.sendall(HELLO)
            came.append(next(chunks))

        assert came == [None, b"hello"] * 3


class TestConnection:
    def test_read_to_its_end_is_kept(self, line: Line) -> None:
        exchange = line.exchange()
        line.provider.sendall(HEAD + HELLO + END)
        exchange.started(PATIENCE_SECONDS)
        list(exchange.chunks(PATIENCE_SECONDS))

        exchange.close()

        assert line.is_kept

    def test_whose_end_came_but_was_not_read_is_kept(self, line: Line) -> None:
        exchange = line.exchange()
        line.provider.sendall(HEAD + HELLO)
        exchange.started(PATIENCE_SECONDS)
        next(exchange.chunks(PATIENCE_SECONDS))
        line.provider.sendall(END)

        exchange.close()

        assert line.is_kept

    @pytest.mark.parametrize("more", [b"", HELLO, b"0\r\n\r\nHTTP/1.1 200 OK"])
    def test_whose_end_did_not_come_or_was_not_the_end_is_not(
        self, line: Line, more: bytes
    ) -> None:
        exchange = line.exchange()
        line.provider.sendall(HEAD + HELLO)
        exchange.started(PATIENCE_SECONDS)
        next(exchange.chunks(PATIENCE_SECONDS))
        line.provider.sendall(more)

        exchange.close()

        assert not line.is_kept

    def test_that_is_cut_is_a_failure_and_no_timeout(self, line: Line) -> None:
        exchange = line.exchange()
        line.provider.sendall(HEAD + HELLO)
        exchange.started(PATIENCE_SECONDS)
        line.provider.close()

        with pytest.raises(WireError) as failure:
            list(exchange.chunks(PATIENCE_SECONDS))

        assert not failure.value.timed_out


def test_a_header_with_a_line_break_is_not_sent() -> None:
    origin = Origin("http://127.0.0.1:9", SystemClock())

    with pytest.raises(WireError, match="ValueError"):
        origin.post("/chat/completions", b"{}", {"Authorization": "Bearer a\r\nHost: b"})
