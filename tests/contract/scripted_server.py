"""A loopback server that answers every request by a script, byte for byte, or does not."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

type Script = Sequence[bytes]
"""What to send after each request of one connection; after the last the server hangs up."""

SILENCE: Final = b""
"""Sent instead of an answer: nothing, while the connection stays open."""


def answer(body: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    """Compose an HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


class ScriptedServer:
    """Serves its connections one after another, each by its own script.

    Args:
        scripts: One for each connection that is expected; a further one is refused.
        tls: Encrypts, if given.
        stays: Whether a connection outlives its script until the client ends it.
    """

    def __init__(
        self, *scripts: Script, tls: ssl.SSLContext | None = None, stays: bool = False
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._scripts = scripts
        self._tls = tls
        self._stays = stays
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme, port = "https" if tls else "http", self._listener.getsockname()[1]
        self.url = f"{scheme}://localhost:{port}"
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._hung_up = threading.Semaphore(0)

    def wait_until_it_hung_up(self) -> None:
        """Wait for the end of one more connection."""
        if not self._hung_up.acquire(timeout=5):
            raise TimeoutError("the server still talks")

    def reset(self) -> None:
        """End the connection that is open without a goodbye."""
        if self._connection is None:
            raise RuntimeError("nobody has connected")
        no_time_to_close = struct.pack("ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_time_to_close)
        self._connection.shutdown(socket.SHUT_RD)
        self.wait_until_it_hung_up()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A thread that waits in accept() or recv() wakes at a shutdown, not at a close.
        for waited_for in (self._listener, self._connection):
            if waited_for is not None:
                with contextlib.suppress(OSError):
                    waited_for.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with contextlib.suppress(OSError), connection:
                self._talk(connection, script)
            self._hung_up.release()
        self._listener.close()

    def _talk(self, connection: socket.socket, script: Script) -> None:
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
        self._connection = connection
        with connection:
            for piece in script:
                request = _read_request(connection)
                if not request:
                    return
                self.requests.append(request)
                connection.sendall(piece)
            if self._stays:
                _read_request(connection)


def _read_request(connection: socket.socket) -> bytes:
    """Read one request to its end; nothing if the client hung up."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body
