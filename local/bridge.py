"""One request's way from the server's event loop to an application on a thread, and back.

On Lambda an environment serves one request at a time and applications block as they like. The
thread, with an event loop of its own, stands in for that environment; no request can hold up
another. And as on Lambda, an application never learns that its client has left: it was paid for
work, so it must reach its end and settle.
"""

import asyncio
import math
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from farebox.api.asgi import MAX_BODY_BYTES
from farebox.api.problems import problem_of
from farebox.domain.errors import BodyTooLarge
from farebox.runtime.runtime_api import InvocationContext

type Message = MutableMapping[str, Any]
type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_DISCARDED_BYTES_MAX: Final = 64 * 1024 * 1024
"""Read of a body that is too large, so that its client, still sending, gets to read the answer."""

_PATIENCE_SECONDS: Final = 60.0
"""A client that takes nothing for so long counts as gone."""


class ClientLeft(Exception):
    """The client closed the connection before its request was complete."""


async def read_body(receive: Receive) -> bytes:
    """Read a whole body, as API Gateway does before it invokes.

    Raises:
        ClientLeft: It did.
        BodyTooLarge: It exceeds what a Lambda event can carry.
    """
    body = bytearray()
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY_BYTES:
            body += part
        if not message.get("more_body") or size > _DISCARDED_BYTES_MAX:
            break
    if size > MAX_BODY_BYTES:
        raise BodyTooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes (6 MB).")
    return bytes(body)


class Exchange:
    """One request and its answer.

    Args:
        scope: The server's scope.
        body: The whole body.
        receive: The server's; tells that the client has left.
        send: The server's.
    """

    def __init__(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        self.status: int | None = None
        """What the client was told; `None` while it was told nothing."""
        self.gone = False
        """The client has left; what is sent goes nowhere."""
        self.complete = False
        """The client has all of the answer."""
        self._scope = scope
        self._body: bytes | None = body
        self._receive = receive
        self._send = send
        self._start: Message | None = None
        self._owed_bytes: float = math.inf
        """What is left of the length the answer declared, if it did."""
        self._server = asyncio.get_running_loop()

    async def run(self, application: Application, timeout_seconds: int) -> None:
        """Run the application on a thread until it ends, whatever becomes of the client.

        Args:
            application: Is given the request.
            timeout_seconds: Of its function; ends nothing here, but the application is told.
        """
        scope = _function_scope(self._scope, timeout_seconds)
        done = self._server.create_future()
        watch = self._server.create_task(self._watch())
        threading.Thread(
            target=self._run_here, args=(application, scope, done), daemon=True
        ).start()
        await done
        watch.cancel()

    def _run_here(self, application: Application, scope: Scope, done: asyncio.Future[None]) -> None:
        try:
            asyncio.run(self._call(application, scope))
        finally:
            self._server.call_soon_threadsafe(done.set_result, None)

    async def _call(self, application: Application, scope: Scope) -> None:
        """Run the application; as in the runtime, a failure before any output is a clean 500."""
        try:
            await application(scope, self._give_request, self._take_answer)
        except Exception as error:  # noqa: BLE001 - one request's failure is not another's
            traceback.print_exc(file=sys.stderr)
            if self.status is None:
                await self._take_problem(error)

    async def _take_problem(self, error: Exception) -> None:
        problem = problem_of(error)
        self._start = {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [(b"content-type", b"application/json")],
        }
        await self._take_answer({"type": "http.response.body", "body": problem.body()})

    async def _give_request(self) -> Message:
        if self._body is None:
            await asyncio.get_running_loop().create_future()  # never: see the module's docstring
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _take_answer(self, message: Message) -> None:
        """Pass a message on at once, waiting for a client that is slow to read.

        The head is held back until the first part of the body, as the runtime does.
        """
        if message["type"] == "http.response.start":
            self._start = message
            return
        if not self.gone:
            passing = asyncio.run_coroutine_threadsafe(self._pass_on(message), self._server)
            await asyncio.wrap_future(passing)

    async def _pass_on(self, message: Message) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                if self.status is None and self._start is not None:
                    self.status = self._start["status"]
                    self._owed_bytes = _declared_length(self._start)
                    await self._send(self._start)
                self._owed_bytes -= len(message.get("body", b""))
                self.complete = self._owed_bytes <= 0 or not message.get("more_body", False)
                await self._send(message)
        except (OSError, TimeoutError):
            self.gone = True

    async def _watch(self) -> None:
        """Wait for the client's leaving; the server also says so once the answer is complete."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self.complete:
            self.gone = True


def _declared_length(start: Message) -> float:
    lengths = [
        value for name, value in start.get("headers", ()) if name.lower() == b"content-length"
    ]
    return int(lengths[0]) if lengths else math.inf


def _function_scope(scope: Scope, timeout_seconds: int) -> Scope:
    """Say of a request what the Lambda runtime says of it; see `farebox.runtime.event`."""
    context = InvocationContext(
        request_id=str(uuid.uuid4()),
        deadline_ms=int(time.time() * 1000) + timeout_seconds * 1000,
        function_arn="local",
    )
    return {**scope, "asgi": {"version": "3.0", "spec_version": "2.3"}, "aws.context": context}
