"""HTTP/1.1 exchanges that can be waited for without blocking the one who waits.

A gateway must look up from a silent provider to renew a lease and to keep its own client awake. So
every wait has an end, and silence is an answer of its own, wherever in the message it falls.
"""

import socket
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from farebox.adapters.connections import Connections
from farebox.adapters.http_parser import AnswerParser
from farebox.services.ports.clock import Clock

_PIECE_BYTES: Final = 65_536
_LEAST_WAIT_SECONDS: Final = 0.001


class WireError(Exception):
    """The connection failed or what came is not HTTP; `timed_out` if it was silence."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class Exchange:
    """One request sent and its response under way."""

    def __init__(
        self, connections: Connections, sock: socket.socket, silence_seconds: float
    ) -> None:
        self._connections = connections
        self._sock = sock
        self._parser = AnswerParser()
        self._silence_seconds = silence_seconds
        self._silent_seconds = 0.0
        self._came_with_head = b""

    def started(self, patience_seconds: float) -> bool:
        """Wait for the response's head; `False` if nothing has come for that long."""
        with _translated():
            while not self._parser.status:
                body = self._receive(patience_seconds)
                if body is None:
                    return False
                self._came_with_head = body
        return True

    @property
    def status(self) -> int:
        """The HTTP status, once the response has started."""
        return self._parser.status

    def header(self, name: str) -> str | None:
        """Give a header, once the response has started."""
        return self._parser.header(name)

    def chunks(self, patience_seconds: float) -> Iterator[bytes | None]:
        """Give the body as it arrives; `None` for every silence of that length."""
        body, self._came_with_head = self._came_with_head, b""
        if body:
            yield body
        while not self._parser.is_whole:
            with _translated():
                piece = self._receive(patience_seconds)
            if piece is None or piece:
                yield piece

    def close(self) -> None:
        """Keep the connection if the response was read to its end; else close it."""
        if not self._parser.is_whole:
            self._take_in_the_end()
        if self._parser.keeps_open:
            self._connections.give_back(self._sock)
        else:
            self._sock.close()

    def _receive(self, patience_seconds: float) -> bytes | None:
        """Wait for bytes; give those of the body, `None` for silence.

        Raises:
            TimeoutError: The peer has been silent for longer than it may.
        """
        wait = min(patience_seconds, self._silence_seconds - self._silent_seconds)
        self._sock.settimeout(max(_LEAST_WAIT_SECONDS, wait))
        try:
            data = self._sock.recv(_PIECE_BYTES)
        except TimeoutError:
            self._silent_seconds += wait
            if self._silent_seconds >= self._silence_seconds:
                raise
            return None
        self._silent_seconds = 0.0
        if data:
            return self._parser.feed(data)
        self._parser.end()
        return b""

    def _take_in_the_end(self) -> None:
        """Look whether the end has come that nobody waited for, as behind a stream's `[DONE]`."""
        self._sock.settimeout(0)
        try:
            self._parser.feed(self._sock.recv(_PIECE_BYTES))
        except (OSError, ValueError):
            return


class Origin:
    """One base URL and the connections kept to it; safe to share between threads.

    Args:
        url: The base URL; its path is put before every request's.
        clock: Tells for how long a connection was idle.
        connect_seconds: How long a connection may take to be made.
        silence_seconds: How long the peer may say nothing while it owes an answer.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        connect_seconds: float = 5.0,
        silence_seconds: float = 120.0,
    ) -> None:
        parts = urlsplit(url)
        self._path = parts.path.rstrip("/")
        self._silence_seconds = silence_seconds
        self._connections = Connections(
            f"{parts.scheme}://{parts.netloc}",
            connect_seconds=connect_seconds,
            read_seconds=silence_seconds,
            clock=clock,
        )

    def warm(self) -> None:
        """Open a connection ahead of the first request; raises `WireError` if that fails."""
        with _translated():
            self._connections.warm()

    def close(self) -> None:
        """Close the idle connections; later requests open new ones."""
        self._connections.close()

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Exchange:
        """Send a request.

        Raises:
            WireError: It could not be sent.
        """
        with _translated():
            request = self._head(path, len(body), headers) + body
            sock = self._connections.take()
            try:
                sock.settimeout(self._silence_seconds)
                sock.sendall(request)
            except BaseException:
                sock.close()
                raise
            return Exchange(self._connections, sock, self._silence_seconds)

    def _head(self, path: str, length: int, headers: Mapping[str, str]) -> bytes:
        lines = [
            f"POST {self._path}{path} HTTP/1.1",
            f"Host: {self._connections.authority}",
            "Accept-Encoding: identity",
            f"Content-Length: {length}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header with a line break")
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


class _translated:  # noqa: N801 - reads as a phrase at its uses
    """Turn what the network and the parser raise into `WireError`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, TimeoutError):
            raise WireError("The peer was silent for too long.", timed_out=True) from error
        if isinstance(error, OSError | ValueError):
            raise WireError(f"The connection failed: {type(error).__name__}.") from error
