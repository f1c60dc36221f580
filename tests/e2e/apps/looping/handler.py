"""A streamed function for the runtime's tests that waits on an event loop."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

disconnects: list[str] = []
"""The paths whose exchange was seen to end, in order."""


async def watch(path: str, receive: Receive) -> None:
    message = await receive()
    disconnects.append(f"{path} {message['type']}")


async def app(scope: Message, receive: Receive, send: Send) -> None:
    await receive()
    watcher = asyncio.create_task(watch(scope["path"], receive))
    if scope["path"] == "/raise":
        await asyncio.sleep(0)
        raise ValueError("secret detail")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    gate = Path(unquote(scope["query_string"].decode().removeprefix("gate=")))
    while not gate.exists():  # noqa: ASYNC110, ASYNC240 - the gate is a file of another process
        await asyncio.sleep(0.005)
    body = json.dumps(disconnects).encode()
    await send({"type": "http.response.body", "body": body})
    await watcher
