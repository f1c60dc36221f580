"""The least function there can be on our runtime loop."""

from collections.abc import Awaitable, Callable
from typing import Any

type Message = dict[str, Any]


async def app(
    scope: Message,  # noqa: ARG001 - as ASGI has it
    receive: Callable[[], Awaitable[Message]],  # noqa: ARG001
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
