"""ASGI's two callables over one invocation, and the way an application is run.

An answer's head is held back until the first part of its body, so that a failure before it can
still become a clean 500; an application that wants its head sent early sends an empty part first.
https://asgi.readthedocs.io/en/latest/specs/www.html (2026-11)
"""

import functools
import sys
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol

from farebox.runtime.event import Scope
from farebox.runtime.prelude import encode_error, encode_prelude

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Event

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


class UnexpectedMessage(RuntimeError):
    """The application sent something that ASGI does not allow at this point."""


class AnswerIncomplete(RuntimeError):
    """The application returned before its answer was complete."""


class Outlet(Protocol):
    """Where an answer goes; see `AnswerStream`."""

    loss: OSError | None

    def write(self, *parts: bytes, last: bool) -> None:
        """Send the parts; never raises."""

    def fail(self, error_type: str, message: str) -> None:
        """Cut the answer short; never raises."""


class Exchange:
    """One request, `body`, and the answer to it, which goes to `outlet`."""

    def __init__(self, body: bytes, outlet: Outlet) -> None:
        self.complete = False
        """The answer has its end, whether the application gave it or a failure did."""
        self._body: bytes | None = body
        self._outlet = outlet
        self._start: Message | None = None
        self._flowing = False
        self._over: Event | None = None

    async def receive(self) -> Message:
        """Give the whole request once, later `http.disconnect` when the exchange is over.

        Raises:
            RuntimeError: the exchange is not over and, without asyncio, nothing could end it.
        """
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        while not self._is_over():
            await self._wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take the answer's head or a part of its body, which leaves at once.

        Once the caller is gone this does nothing, as ASGI 2.3 has it.

        Raises:
            UnexpectedMessage: it is neither, or not at this point.
            PreludeTooLarge: the head exceeds what API Gateway reads.
        """
        kind = message["type"]
        if kind == "http.response.start" and self._start is None:
            self._start = message
        elif kind == "http.response.body" and self._start is not None and not self.complete:
            self._send_body(self._start, message)
        else:
            raise UnexpectedMessage(f"the application may not send {kind!r} now")

    def require_complete(self) -> None:
        """Check that the application gave its whole answer.

        Raises:
            AnswerIncomplete: it did not.
        """
        if not self.complete:
            raise AnswerIncomplete("the application returned before its answer was complete")

    def fail(self, error_type: str, request_id: str) -> None:
        """Answer for an application that failed: a 500 if nothing was sent yet, else trailers."""
        if self.complete:
            return
        self.complete = True
        self._wake()
        if self._flowing:
            self._outlet.fail(error_type, "The answer was cut short by an internal error.")
            return
        message = "The server failed to process the request; quote x-request-id to its operator."
        answer = encode_error(500, "api_error", "internal_error", message, request_id)
        self._outlet.write(*answer, last=True)

    def _send_body(self, start: Message, message: Message) -> None:
        body = bytes(message.get("body", b""))
        last = not message.get("more_body", False)
        prelude = b""
        if not self._flowing:
            empty = last and not body
            prelude = encode_prelude(start["status"], start.get("headers", ()), empty=empty)
        self._flowing = True
        self._outlet.write(prelude, body, last=last)
        self.complete = last
        self._wake()

    def _wake(self) -> None:
        if self._over is not None and self._is_over():
            self._over.set()

    def _is_over(self) -> bool:
        return self.complete or self._outlet.loss is not None

    async def _wait(self) -> None:
        asyncio = sys.modules.get("asyncio")
        if asyncio is None:
            raise RuntimeError("the request was read already; waiting for more would never end")
        if self._over is None:
            self._over = asyncio.Event()
        await self._over.wait()


def run_to_end(call: Coroutine[Any, Any, None]) -> None:
    """Run an application's call on this thread until it returns.

    An application that never imported asyncio has nothing to wait for, so its coroutine ends in one
    step, and neither the import of an event loop (20 ms of a cold start) nor a turn of it is paid.
    One that does wait must therefore import asyncio with its module, not in the middle of a call.

    Raises:
        RuntimeError: such an application suspended nevertheless.
    """
    if "asyncio" in sys.modules:
        _event_loop().run_until_complete(call)
        return
    try:
        call.send(None)
    except StopIteration:
        return
    call.close()
    raise RuntimeError("the application suspended, but imported no asyncio that could resume it")


@functools.cache
def _event_loop() -> "AbstractEventLoop":
    import asyncio  # noqa: PLC0415 - only applications that imported it come here

    return asyncio.new_event_loop()
