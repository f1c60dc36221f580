"""A loopback server that answers byte for byte, with pauses, and hangs up when told."""

import contextlib
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

type Script = Sequence[bytes | float | None]
"""Bytes to send, seconds to pause, or `None` to hang up: the answer to one request."""

HANG_UP: Final = None


class PacedServer:
    """Answers the requests it gets by these scripts, in order, over any number of connections.

    A connection stays open between requests until its client, or a script, hangs up.
    """

    def __init__(self, *scripts: Script) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._scripts = list(scripts)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for waited_for in (self._listener, *self._open):
            # A thread that waits in accept() or recv() wakes at a shutdown, not at a close.
            with contextlib.suppress(OSError):
                waited_for.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while request := _read_request(connection):
                with self._lock:
                    self.requests.append(request)
                    script = self._scripts.pop(0)
                if not _play(connection, script):
                    return


def _play(connection: socket.socket, script: Script) -> bool:
    for step in script:
        if step is HANG_UP:
            return False
        if isinstance(step, bytes):
            connection.sendall(step)
        else:
            time.sleep(step)
    return True


def _read_request(connection: socket.socket) -> bytes:
    """Read one request to its end; nothing if the client hung up."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    pieces, missing = [body], sum(lengths) - len(body)
    while missing > 0:
        pieces.append(connection.recv(1_048_576))
        missing -= len(pieces[-1])
    return head + b"\r\n\r\n" + b"".join(pieces)
