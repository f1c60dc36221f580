"""HTTP over a real socket: bytes arrive whole however they are cut, and silence is only silence."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from farebox.adapters.http_wire import Exchange, Origin, WireError
from tests.fakes.clock import FakeClock
from tests.unit.adapters.paced_server import HANG_UP, PacedServer, Script

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKS = b"6\r\nHello \r\n1;x=y\r\nW\r\n5\r\norld!\r\n0\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS
WITH_LENGTH = HEAD + b"Content-Length: 12\r\n\r\nHello World!"
TO_THE_END = HEAD + b"Connection: close\r\n\r\nHello World!"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Connector:
    """Makes origins, and closes what they keep."""

    def __init__(self) -> None:
        self._made: list[Origin] = []

    def origin(
        self, server: PacedServer, clock: FakeClock | None = None, silence_seconds: float = 2.0
    ) -> Origin:
        """Make an origin of a server."""
        origin = Origin(server.url + "/v1/", clock or FakeClock(), silence_seconds=silence_seconds)
        self._made.append(origin)
        return origin

    def post(
        self, server: PacedServer, *, body: bytes = b"{}", silence_seconds: float = 2.0
    ) -> Exchange:
        """Send a request over a connection of its own."""
        origin = self.origin(server, silence_seconds=silence_seconds)
        return origin.post("/chat", body, {"Content-Type": "application/json"})

    def close(self) -> None:
        """Close what is kept."""
        for origin in self._made:
            origin.close()


@pytest.fixture
def connector() -> Iterator[Connector]:
    with closing(Connector()) as connector:
        yield connector


def read(exchange: Exchange, patience_seconds: float = 1.0) -> bytes:
    """Read an answer to its end and let go of it."""
    while not exchange.started(patience_seconds):
        pass
    body = b"".join(each for each in exchange.chunks(patience_seconds) if each is not None)
    exchange.close()
    return body


class TestRequest:
    def test_it_goes_out_below_the_base_url_and_waits_for_no_permission(
        self, connector: Connector
    ) -> None:
        with PacedServer([EMPTY]) as server:
            read(connector.post(server, body=b'{"a": 1}'))

        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0] == b"POST /v1/chat HTTP/1.1"
        assert f"Host: {server.url[7:]}".encode() in lines
        assert b"Content-Length: 8" in lines
        assert b"Content-Type: application/json" in lines
        assert b"Accept-Encoding: identity" in lines
        assert not any(line.lower().startswith(b"expect") for line in lines)
        assert body == b'{"a": 1}'

    def test_megabytes_go_out_and_come_in(self, connector: Connector) -> None:
        large = b"x" * 5_000_000
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n"

        with PacedServer([answer, large]) as server:
            body = read(connector.post(server, body=large))

        assert body == large
        assert server.requests[0].endswith(large)

    def test_a_port_nobody_listens_on_is_a_failed_connection(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(WireError) as failure:
            Origin(url, FakeClock()).post("/", b"", {})

        assert not failure.value.timed_out

    def test_so_is_a_peer_that_hangs_up_on_the_request(self) -> None:
        def hang_up() -> None:
            with listener.accept()[0] as connection:
                connection.recv(100)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            peer = threading.Thread(target=hang_up)
            peer.start()
            origin = Origin(f"http://127.0.0.1:{listener.getsockname()[1]}", FakeClock())
            with pytest.raises(WireError) as failure:
                origin.post("/", b"x" * 32_000_000, {})
            peer.join()

        assert not failure.value.timed_out

    @pytest.mark.parametrize("name", ["no-such-host.invalid", "a" * 64 + ".invalid"])
    def test_so_is_a_name_nobody_has(self, name: str) -> None:
        with pytest.raises(WireError):
            Origin(f"http://{name}", FakeClock()).warm()

    def test_a_header_that_would_be_two_is_not_sent(self) -> None:
        with PacedServer() as server:
            origin = Origin(server.url, FakeClock())
            with pytest.raises(WireError):
                origin.post("/", b"", {"Authorization": "Bearer a\r\nX-Other: b"})

        assert server.requests == []


class TestAnswer:
    @pytest.mark.parametrize("answer", [CHUNKED, WITH_LENGTH, TO_THE_END])
    def test_a_body_is_read_however_its_end_is_told(
        self, connector: Connector, answer: bytes
    ) -> None:
        with PacedServer([answer, HANG_UP]) as server:
            exchange = connector.post(server)
            body = read(exchange)

        assert exchange.status == 200
        assert exchange.header("content-type") == "text/event-stream"
        assert exchange.header("x-absent") is None
        assert body == b"Hello World!"

    @pytest.mark.parametrize("answer", [CHUNKED, WITH_LENGTH, TO_THE_END])
    def test_a_pause_anywhere_loses_no_byte(self, connector: Connector, answer: bytes) -> None:
        pauses: list[Script] = [
            [answer[:position], 0.004, answer[position:], HANG_UP]
            for position in range(1, len(answer))
        ]

        with PacedServer(*pauses) as server:
            for _ in pauses:
                exchange = connector.post(server)
                assert read(exchange, patience_seconds=0.001) == b"Hello World!"

    def test_silence_is_told_as_often_as_patience_ends(self, connector: Connector) -> None:
        with PacedServer([0.05, WITH_LENGTH[:-6], 0.05, WITH_LENGTH[-6:]]) as server:
            exchange = connector.post(server)
            waits = 0
            while not exchange.started(0.01):
                waits += 1
            seen = list(exchange.chunks(0.01))
            exchange.close()

        assert waits >= 2
        assert seen[0] == b"Hello "
        assert seen[-1] == b"World!"
        assert seen[1:-1].count(None) == len(seen) - 2 >= 2

    def test_started_stays_started(self, connector: Connector) -> None:
        with PacedServer([EMPTY]) as server:
            exchange = connector.post(server)
            started = [exchange.started(1.0), exchange.started(0.0)]
            exchange.close()

        assert started == [True, True]

    def test_an_interim_answer_is_not_the_answer(self, connector: Connector) -> None:
        with PacedServer([b"HTTP/1.1 100 Continue\r\n\r\n" + WITH_LENGTH]) as server:
            exchange = connector.post(server)
            body = read(exchange)

        assert exchange.status == 200
        assert body == b"Hello World!"

    def test_an_empty_body_is_no_chunk(self, connector: Connector) -> None:
        with PacedServer([EMPTY]) as server:
            exchange = connector.post(server)
            exchange.started(1.0)
            chunks = list(exchange.chunks(1.0))
            exchange.close()

        assert chunks == []


class TestFailure:
    @pytest.mark.parametrize("answer", [CHUNKED, WITH_LENGTH])
    def test_a_cut_anywhere_is_noticed(self, connector: Connector, answer: bytes) -> None:
        cuts: list[Script] = [[answer[:position], HANG_UP] for position in range(len(answer))]

        with PacedServer(*cuts) as server:
            for _ in cuts:
                exchange = connector.post(server)
                with pytest.raises(WireError) as failure:
                    read(exchange)
                exchange.close()
                assert not failure.value.timed_out

    @pytest.mark.parametrize(
        "answer",
        [
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"HTTP/1.1 OK 200\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
            HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nHello\r\n0\r\n\r\n",
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nHello\r\n0\r\n\r\n",
        ],
    )
    def test_what_is_no_http_is_a_failed_connection(
        self, connector: Connector, answer: bytes
    ) -> None:
        with PacedServer([answer, HANG_UP]) as server:
            exchange = connector.post(server)
            with pytest.raises(WireError) as failure:
                read(exchange)
            exchange.close()

        assert not failure.value.timed_out

    @pytest.mark.parametrize("before", [b"", HEAD[:20], WITH_LENGTH[:-6], CHUNKED[:-20]])
    def test_silence_beyond_its_limit_is_a_timeout(
        self, connector: Connector, before: bytes
    ) -> None:
        with PacedServer([before, 0.3]) as server:
            exchange = connector.post(server, silence_seconds=0.1)
            with pytest.raises(WireError) as failure:
                read(exchange, patience_seconds=0.03)
            exchange.close()

        assert failure.value.timed_out

    def test_the_limit_counts_from_the_last_byte(self, connector: Connector) -> None:
        with PacedServer([WITH_LENGTH[:-3], 0.12, b"l", 0.12, b"d", 0.12, b"!"]) as server:
            body = read(connector.post(server, silence_seconds=0.25), patience_seconds=0.05)

        assert body == b"Hello World!"


class TestKeeping:
    @pytest.mark.parametrize("answer", [CHUNKED, WITH_LENGTH, EMPTY])
    def test_a_connection_read_to_its_end_serves_again(
        self, connector: Connector, answer: bytes
    ) -> None:
        with PacedServer([answer], [answer]) as server:
            origin = connector.origin(server)
            for _ in range(2):
                read(origin.post("/", b"", {}))

        assert server.connections == 1
        assert len(server.requests) == 2

    def test_so_does_a_stream_whose_end_came_after_the_last_look(
        self, connector: Connector
    ) -> None:
        with PacedServer([CHUNKED[:-5], 0.01, CHUNKED[-5:]], [EMPTY]) as server:
            origin = connector.origin(server)
            exchange = origin.post("/", b"", {})
            exchange.started(1.0)
            received = b""
            for chunk in exchange.chunks(1.0):
                received += chunk or b""
                if received.endswith(b"!"):
                    break
            time.sleep(0.05)
            exchange.close()
            read(origin.post("/", b"", {}))

        assert server.connections == 1

    @pytest.mark.parametrize("answer", [CHUNKED, WITH_LENGTH])
    def test_one_that_was_not_is_closed(self, connector: Connector, answer: bytes) -> None:
        with PacedServer([answer[:-3], 0.05, answer[-3:]], [EMPTY]) as server:
            origin = connector.origin(server)
            exchange = origin.post("/", b"", {})
            exchange.started(1.0)
            exchange.close()
            read(origin.post("/", b"", {}))

        assert server.connections == 2

    def test_so_is_one_whose_peer_wishes_it(self, connector: Connector) -> None:
        closing = EMPTY.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

        with PacedServer([closing, HANG_UP], [EMPTY]) as server:
            origin = connector.origin(server)
            for _ in range(2):
                read(origin.post("/", b"", {}))

        assert server.connections == 2

    def test_one_the_peer_has_closed_meanwhile_is_not_used(self, connector: Connector) -> None:
        with PacedServer([EMPTY, HANG_UP], [EMPTY]) as server:
            origin = connector.origin(server)
            read(origin.post("/", b"", {}))
            time.sleep(0.02)
            read(origin.post("/", b"", {}))

        assert server.connections == 2

    def test_nor_one_that_has_been_idle_for_long(self, connector: Connector) -> None:
        clock = FakeClock()
        with PacedServer([EMPTY], [EMPTY]) as server:
            origin = connector.origin(server, clock)
            read(origin.post("/", b"", {}))
            clock.tick(50)
            read(origin.post("/", b"", {}))

        assert server.connections == 2

    def test_a_warm_connection_is_the_first_that_is_used(self, connector: Connector) -> None:
        with PacedServer([EMPTY]) as server:
            origin = connector.origin(server)
            origin.warm()
            read(origin.post("/", b"", {}))

        assert server.connections == 1

    def test_a_kept_connection_has_all_its_time_to_send_again(self, connector: Connector) -> None:
        large = b"x" * 8_000_000
        with PacedServer([WITH_LENGTH[:-6], 0.19, WITH_LENGTH[-6:], 0.05], [EMPTY]) as server:
            origin = connector.origin(server, silence_seconds=0.2)
            read(origin.post("/", b"", {}), patience_seconds=0.06)
            read(origin.post("/", large, {}))

        assert server.connections == 1
        assert server.requests[1].endswith(large)

    def test_threads_share_an_origin(self, connector: Connector) -> None:
        bodies: list[bytes] = []
        with PacedServer(*[[CHUNKED]] * 40) as server:
            origin = connector.origin(server)

            def work() -> None:
                bodies.extend(read(origin.post("/", b"", {})) for _ in range(5))

            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        assert bodies == [b"Hello World!"] * 40
        assert server.connections <= 8
