"""One answer on its way to Lambda, chunk by chunk, over a connection of its own.

Writing never raises: an application that has been paid for work must reach its end and settle even
when nobody listens any more, so a broken connection is remembered in `loss` and later writes do
nothing. The connection is not kept, because Lambda asks streaming runtimes to close it.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html (2026-11)
"""

import base64
import json
import socket
from typing import Final

from farebox.runtime.runtime_api import InvocationContext

CONTENT_TYPE: Final = "application/vnd.awslambda.http-integration-response"

SETTLING_MS: Final = 2000
"""So long before the deadline a write gives up, to leave the application time to settle."""

_LEAST_PATIENCE_SECONDS: Final = 0.1
_JOIN_LIMIT_BYTES: Final = 64 * 1024
_REPLY_LINE_BYTES: Final = 256

_HEAD: Final = (
    "POST /2018-06-01/runtime/invocation/{request_id}/response HTTP/1.1\r\n"
    "Host: {host}\r\n"
    f"Content-Type: {CONTENT_TYPE}\r\n"
    "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
    "Transfer-Encoding: chunked\r\n"
    "Trailer: Lambda-Runtime-Function-Error-Type\r\n"
    "Trailer: Lambda-Runtime-Function-Error-Body\r\n"
    "Connection: close\r\n"
    "\r\n"
)


class AnswerStream:
    """The streamed answer to one invocation, sent to the Runtime API at `address`, `host:port`."""

    def __init__(self, address: str, context: InvocationContext) -> None:
        self.loss: OSError | None = None
        """Why the answer does not arrive; `None` while it does."""
        self._address = address
        self._context = context
        self._connection: socket.socket | None = None

    def write(self, *parts: bytes, last: bool) -> None:
        """Send each part at once as a chunk of its own, and after the `last` ones the end mark.

        Empty parts are left out: an empty chunk would end the answer.
        """
        pieces: list[bytes] = []
        for part in parts:
            if part:
                pieces += (b"%x\r\n" % len(part), part, b"\r\n")
        if last:
            pieces.append(b"0\r\n\r\n")
        self._transmit(pieces)

    def fail(self, error_type: str, message: str) -> None:
        """End an answer that has begun with the trailers that say it is cut short.

        Lambda passes them on to its caller, so `message` must say nothing internal.
        """
        description = json.dumps({"errorType": error_type, "errorMessage": message})
        trailers = (
            f"Lambda-Runtime-Function-Error-Type: {error_type}\r\n"
            f"Lambda-Runtime-Function-Error-Body: {_in_base64(description)}\r\n"
        )
        self._transmit([b"0\r\n", trailers.encode("ascii", "replace"), b"\r\n"])

    def close(self) -> None:
        """Wait until Lambda has taken the answer, then close the connection."""
        if self._connection is None:
            return
        try:
            if self.loss is None:
                self._require_acceptance(self._connection)
        except OSError as error:
            self.loss = error
        finally:
            self._connection.close()

    def _transmit(self, pieces: list[bytes]) -> None:
        if self.loss is not None:
            return
        try:
            if self._connection is None:
                self._connection = self._connect()
                pieces.insert(0, self._head())
            self._connection.settimeout(self._patience_seconds())
            for block in _blocks(pieces):
                self._connection.sendall(block)
        except OSError as error:
            self.loss = error

    def _connect(self) -> socket.socket:
        host, _, port = self._address.rpartition(":")
        connection = socket.create_connection((host, int(port)), self._patience_seconds())
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _head(self) -> bytes:
        return _HEAD.format(request_id=self._context.request_id, host=self._address).encode("ascii")

    def _patience_seconds(self) -> float:
        return max(_LEAST_PATIENCE_SECONDS, (self._context.remaining_ms() - SETTLING_MS) / 1000)

    def _require_acceptance(self, connection: socket.socket) -> None:
        connection.settimeout(self._patience_seconds())
        with connection.makefile("rb") as reply:
            status_line = reply.readline(_REPLY_LINE_BYTES)
        if status_line.split()[1:2] != [b"202"]:
            raise ConnectionError(f"the Runtime API replied {status_line!r}")


def _blocks(pieces: list[bytes]) -> list[bytes]:
    """Join small pieces into one packet; send large ones as they are rather than copy them."""
    if sum(map(len, pieces)) > _JOIN_LIMIT_BYTES:
        return pieces
    return [b"".join(pieces)]


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
