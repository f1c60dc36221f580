"""Calls an ASGI application in place: no server, no event loop, no socket."""

from collections.abc import Awaitable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from farebox.api.asgi import Application

type Message = MutableMapping[str, Any]


@dataclass
class Exchange:
    """What an application was sent and what it sent; `leaves_at` is when its client is gone."""

    chunks: Sequence[bytes] = (b"",)
    leaves_at: int | None = None
    """The message from which on sending fails."""
    disconnects_after: int | None = None
    """The part of the body after which the client hangs up."""
    sent: list[Message] = field(default_factory=list)
    attempts: int = 0
    received: int = 0

    async def receive(self) -> Message:
        """Give the next part of the request's body."""
        if self.disconnects_after == self.received:
            return {"type": "http.disconnect"}
        part = self.chunks[self.received]
        self.received += 1
        return {
            "type": "http.request",
            "body": part,
            "more_body": self.received < len(self.chunks),
        }

    async def send(self, message: Message) -> None:
        """Take a message, or fail as a broken connection does."""
        self.attempts += 1
        if self.leaves_at is not None and self.attempts > self.leaves_at:
            raise BrokenPipeError
        self.sent.append(message)

    @property
    def status(self) -> int:
        """The answer's status."""
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers."""
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def parts(self) -> list[bytes]:
        """The parts of the answer's body."""
        return [message["body"] for message in self.sent[1:]]

    @property
    def body(self) -> bytes:
        """The answer's body."""
        return b"".join(self.parts)


def call(
    app: Application,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    exchange: Exchange | None = None,
    scope: Mapping[str, object] | None = None,
) -> Exchange:
    """Make one request."""
    exchange = exchange or Exchange()
    everything: MutableMapping[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in (headers or {}).items()],
        **(scope or {}),
    }
    run(app(everything, exchange.receive, exchange.send))
    return exchange


def run(coroutine: Awaitable[None]) -> None:
    """Run a coroutine that waits for nothing."""
    steps = coroutine.__await__()
    for _ in steps:
        raise RuntimeError("it waits for something")
