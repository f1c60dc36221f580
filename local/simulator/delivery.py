"""Send a reply at its pace, watch for the peer leaving, and strike where a fault says so.

A cut goes through a callable that the server leaves in the ASGI scope (`server.py`): ASGI itself
has no way to break a connection. Without it, as in tests inside one process, a cut raises.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from itertools import islice

from starlette.types import Receive, Scope, Send

from local.simulator.dice import Dice
from local.simulator.faults import Fault
from local.simulator.replies import Reply, event, fault_envelope
from local.simulator.stats import Stats

CUT_EXTENSION = "simulator.cut"
SILENCE_SECONDS = 600


class ConnectionCutError(Exception):
    """A cut was ordered where no real connection can be cut."""


class Delivery:
    """One reply on its way, as an ASGI application.

    Args:
        reply: What is sent.
        fault: How it goes wrong.
        pace_seconds: Mean wait between the events of a stream; each varies by a third.
        headers: Headers every answer carries.
        stats: Where the outcome is counted.
    """

    def __init__(
        self,
        reply: Reply,
        fault: Fault,
        *,
        pace_seconds: float,
        headers: dict[str, str],
        stats: Stats,
    ) -> None:
        self._reply = reply
        self._fault = fault
        self._pace_seconds = pace_seconds
        self._headers = headers
        self._stats = stats
        self._dice = Dice(b"pace")
        self._struck = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything unless the peer leaves first."""
        sending = asyncio.ensure_future(self._send(scope, send))
        watching = asyncio.ensure_future(_peer_left(receive))
        with self._stats.open_stream() if self._reply.streamed else contextlib.nullcontext():
            try:
                await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
                self._count(sending)
            finally:
                sending.cancel()
                watching.cancel()

    def _count(self, sending: asyncio.Future[bool]) -> None:
        if not sending.done() and not self._struck:
            self._stats.cut_by_peer += 1
        elif sending.done() and sending.result() and self._reply.streamed:
            self._stats.streams_finished += 1

    async def _send(self, scope: Scope, send: Send) -> bool:
        """Send the reply; return whether it came to its proper end."""
        fault = self._fault
        await asyncio.sleep(fault.delay_seconds)
        if fault.ends_after_chunks != 0 or fault.error_after_chunks is not None:
            await send(self._start())
            await self._send_chunks(send)
        if fault.abandons and fault.error_after_chunks is None:
            await self._break_off(scope)
            return False
        await self._write(send, self._ending())
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return not fault.abandons

    async def _send_chunks(self, send: Send) -> None:
        for number, chunk in enumerate(self._chunks()):
            if number and self._reply.streamed:
                await asyncio.sleep(self._wait_seconds())
            await self._write(send, chunk)

    def _start(self) -> dict[str, object]:
        headers = {"content-type": self._reply.media_type, **self._headers, **self._reply.headers}
        if not self._reply.streamed:
            size = sum(map(len, self._reply.chunks))
            headers["content-length"] = str(size)
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        return {"type": "http.response.start", "status": self._reply.status, "headers": raw}

    def _chunks(self) -> Iterable[bytes]:
        """Return the chunks to send, which end where the fault strikes."""
        fault, reply = self._fault, self._reply
        if reply.streamed:
            return islice(reply.chunks, fault.ends_after_chunks)
        if fault.error_after_chunks is not None:
            return reply.chunks
        return islice(_halves(reply.chunks), fault.ends_after_chunks)

    def _ending(self) -> bytes:
        if self._fault.error_after_chunks is not None and self._reply.streamed:
            return event(fault_envelope(self._fault))
        return self._reply.ending

    def _wait_seconds(self) -> float:
        if self._fault.chunk_delay_seconds is not None:
            return self._fault.chunk_delay_seconds
        return self._pace_seconds * self._dice.between(67, 133) / 100

    async def _write(self, send: Send, data: bytes) -> None:
        """Send data at once or, for a trickle, a few bytes at a time."""
        size = self._fault.trickle_bytes or max(1, len(data))
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if self._fault.trickle_bytes:
                await asyncio.sleep(self._fault.trickle_delay_seconds)

    async def _break_off(self, scope: Scope) -> None:
        """Fall silent if so ordered, then cut the connection."""
        if self._fault.silence_after_chunks is not None:
            await asyncio.sleep(SILENCE_SECONDS)
        self._struck = True
        self._stats.cut_by_simulator += 1
        cut: Callable[[bool], None] | None = scope.get("extensions", {}).get(CUT_EXTENSION)
        if cut is None:
            raise ConnectionCutError
        cut(self._fault.cut == "reset")
        await asyncio.sleep(0)  # lets the server notice, or it would try to finish the answer


async def _peer_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _halves(chunks: Iterable[bytes]) -> list[bytes]:
    """Cut a plain body in two."""
    body = b"".join(chunks)
    middle = len(body) // 2
    return [body[:middle], body[middle:]]
