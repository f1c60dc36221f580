"""A streamed function for the runtime's tests: it blocks, and never imports an event loop."""

import json
import os
import time
from collections.abc import Awaitable, Callable, Generator, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

finished: list[str] = []
"""The work that was done to its end, whoever was still listening."""


class Nothing:
    """Something to await that never comes."""

    def __await__(self) -> Generator[None]:
        yield


class Call:
    """One call of the application, and the ways it can go."""

    def __init__(self, scope: Message, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send

    async def begin(self, status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        head = {"type": "http.response.start", "status": status, "headers": list(headers)}
        await self.send(head)

    async def part(self, body: bytes, *, more: bool = True) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def answer(self, document: object) -> None:
        await self.begin(headers=[(b"content-type", b"application/json")])
        await self.part(json.dumps(document).encode(), more=False)

    async def echo(self) -> None:
        request = await self.receive()
        seen = {key: self.scope[key] for key in ("method", "path", "client")}
        seen["raw_path"] = self.scope["raw_path"].decode()
        seen["query_string"] = self.scope["query_string"].decode()
        seen["headers"] = [[name.decode(), value.decode()] for name, value in self.scope["headers"]]
        seen["body"] = request["body"].decode("latin-1")
        await self.answer(seen)

    async def context(self) -> None:
        context = self.scope["aws.context"]
        seen = {key: getattr(context, key) for key in ("request_id", "function_arn", "deadline_ms")}
        seen["remaining_ms"] = context.remaining_ms()
        seen["trace_id"] = os.getenv("_X_AMZN_TRACE_ID")
        await self.answer(seen)

    async def gated(self) -> None:
        await self.begin(headers=[(b"content-type", b"text/event-stream")])
        await self.part(b"first")
        self.wait_at_gate()
        await self.part(b"second")
        await self.part(b"", more=False)

    async def early_head(self) -> None:
        await self.begin(201)
        await self.part(b"")
        self.wait_at_gate()
        await self.part(b"late", more=False)

    def wait_at_gate(self) -> None:
        """Block until the file named by the query exists."""
        gate = Path(unquote(self.scope["query_string"].decode().removeprefix("gate=")))
        while not gate.exists():
            time.sleep(0.005)

    async def cookies(self) -> None:
        headers = [
            (b"Set-Cookie", b"session=1"),
            (b"set-cookie", b"theme=dark"),
            (b"Vary", b"Origin"),
            (b"vary", b"Accept"),
            (b"X-Name", "café".encode("latin-1")),
        ]
        await self.begin(headers=headers)
        await self.part("naïve ✓".encode(), more=False)

    async def redirect(self) -> None:
        await self.begin(302, [(b"location", b"/elsewhere")])
        await self.part(b"", more=False)

    async def large(self) -> None:
        await self.begin()
        await self.part(b"a" * 20_000_000, more=False)
        finished.append("large")

    async def many(self) -> None:
        await self.begin()
        for _ in range(50):
            await self.part(b"b" * 1000)
        await self.part(b"", more=False)
        finished.append("many")

    async def raise_before(self) -> None:
        await self.begin()
        raise ValueError("secret detail")

    async def raise_after(self) -> None:
        await self.begin()
        await self.part(b"half")
        raise ValueError("secret detail")

    async def raise_at_end(self) -> None:
        await self.begin()
        await self.part(b"whole", more=False)
        raise ValueError("secret detail")

    async def stop_short(self) -> None:
        await self.begin()
        await self.part(b"half")

    async def say_nothing(self) -> None:
        return

    async def heavy_head(self) -> None:
        await self.begin(headers=[(b"x-heavy", b"h" * 17_000)])
        await self.part(b"", more=False)

    async def suspend(self) -> None:
        await Nothing()

    async def read_twice(self) -> None:
        await self.receive()
        await self.receive()

    async def overrun(self) -> None:
        time.sleep(0.3)  # noqa: ASYNC251 - the very point: this function blocks
        await self.answer("too late")

    async def report(self) -> None:
        await self.answer(finished)

    async def leave(self) -> None:
        raise SystemExit(3)


ROUTES: dict[str, Callable[[Call], Awaitable[None]]] = {
    "/context": Call.context,
    "/cookies": Call.cookies,
    "/early-head": Call.early_head,
    "/gated": Call.gated,
    "/heavy-head": Call.heavy_head,
    "/large": Call.large,
    "/leave": Call.leave,
    "/many": Call.many,
    "/overrun": Call.overrun,
    "/raise-after": Call.raise_after,
    "/raise-at-end": Call.raise_at_end,
    "/raise-before": Call.raise_before,
    "/read-twice": Call.read_twice,
    "/redirect": Call.redirect,
    "/report": Call.report,
    "/say-nothing": Call.say_nothing,
    "/stop-short": Call.stop_short,
    "/suspend": Call.suspend,
}


async def app(scope: Message, receive: Receive, send: Send) -> None:
    await ROUTES.get(scope["path"], Call.echo)(Call(scope, receive, send))
