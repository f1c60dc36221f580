"""HTTP/1.1 exchanges that can be waited for without blocking the one who waits.

The standard library's client reads a response from a socket and, once a read has timed out, never
again. A gateway must look up from a silent provider to renew a lease and to keep its own client
awake. So the bytes come through a raw stream whose timeout means "nothing yet": `io` has a word for
that, a `readinto` that returns `None`.
"""

import io
import socket
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Final
from urllib.parse import urlsplit

from farebox.adapters.connections import Connections
from farebox.services.ports.clock import Clock

_CHUNK_BYTES: Final = 65536


class WireError(Exception):
    """The connection failed or what came is not HTTP; `timed_out` if it was silence."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class _PatientStream(io.RawIOBase):
    """A socket's incoming bytes; `patience_seconds` set, silence that long reads as `None`."""

    def __init__(self, sock: socket.socket, kept_open_by: io.RawIOBase) -> None:
        super().__init__()
        self._sock = sock
        self._kept_open_by = kept_open_by
        self.patience_seconds: float | None = None
        self.silence_limit_seconds = 0.0
        self._silent_seconds = 0.0
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        patience = self.patience_seconds
        limit = self.silence_limit_seconds - self._silent_seconds
        self._sock.settimeout(max(0.001, limit if patience is None else min(patience, limit)))
        try:
            count = self._sock.recv_into(buffer)
        except TimeoutError:
            if patience is None or patience >= limit:
                raise
            self._silent_seconds += patience
            return None
        self._silent_seconds = 0.0
        self.ended = count == 0
        return count

    def close(self) -> None:
        self._kept_open_by.close()
        super().close()


class _PatientResponse(HTTPResponse):
    """The library's response, reading through a patient stream."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.patient = _PatientStream(sock, self.fp.detach())
        self.fp = io.BufferedReader(self.patient)

    def is_waiting(self, patience_seconds: float) -> bool:
        """Wait that long for bytes; the buffer is looked at first, so nothing is overlooked."""
        self.patient.patience_seconds = patience_seconds
        try:
            there = self.fp.peek(1)
        finally:
            self.patient.patience_seconds = None
        return bool(there) or self.patient.ended


class Exchange:
    """One request sent and its response under way."""

    def __init__(
        self, connections: Connections, sock: socket.socket, silence_seconds: float
    ) -> None:
        self._connections = connections
        self._sock = sock
        self._response = _PatientResponse(sock, method="POST")
        self._response.patient.silence_limit_seconds = silence_seconds
        self._started = False

    def started(self, patience_seconds: float) -> bool:
        """Wait for the response's head; `False` if nothing has come."""
        if not self._started:
            with _translated():
                if not self._response.is_waiting(patience_seconds):
                    return False
                self._response.begin()
            self._started = True
        return True

    @property
    def status(self) -> int:
        """The HTTP status, once the response has started."""
        return self._response.status

    def header(self, name: str) -> str | None:
        """Give a header, once the response has started."""
        return self._response.getheader(name)

    def chunks(self, patience_seconds: float) -> Iterator[bytes | None]:
        """Give the body as it arrives; `None` for every silence of that length."""
        response = self._response
        with _translated():
            while not self._is_whole():
                if not response.is_waiting(patience_seconds):
                    yield None
                    continue
                chunk = response.read1(_CHUNK_BYTES)
                if not chunk:
                    break
                yield chunk
            if response.length:
                raise WireError("The connection was cut.")

    def _is_whole(self) -> bool:
        return self._started and (self._response.isclosed() or self._response.length == 0)

    def close(self) -> None:
        """Keep the connection if the body was read to its end; else close it."""
        keep = self._is_whole() and not self._response.will_close
        self._response.close()
        if keep:
            self._connections.give_back(self._sock)
        else:
            self._sock.close()


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

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Exchange:
        """Send a request.

        Raises:
            WireError: It could not be sent.
        """
        with _translated():
            sock = self._connections.take()
            try:
                connection = HTTPConnection(self._connections.authority)
                connection.sock = sock
                connection.request("POST", self._path + path, body, dict(headers))
                return Exchange(self._connections, sock, self._silence_seconds)
            except BaseException:
                sock.close()
                raise


class _translated:  # noqa: N801 - reads as a phrase at its uses
    """Turn what the library raises into `WireError`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, TimeoutError):
            raise WireError("The peer was silent for too long.", timed_out=True) from error
        if isinstance(error, OSError | HTTPException | ValueError):
            raise WireError(f"The connection failed: {type(error).__name__}.") from error
