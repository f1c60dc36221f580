"""Our runtime loop, and nothing but one keep-alive upstream call by http.client."""

import os
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from typing import Any

type Message = dict[str, Any]

connection = HTTPConnection("127.0.0.1", int(os.getenv("UPSTREAM_PORT", "0")))


async def app(
    scope: Message,  # noqa: ARG001 - as ASGI has it
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Pass the body on, and the answer back, part by part."""
    body = (await receive())["body"]
    connection.request("POST", "/v1", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content_type = (answer.headers["Content-Type"] or "").encode()
    headers = [(b"content-type", content_type)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while part := answer.read1():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    answer.close()
    await send({"type": "http.response.body", "body": b"", "more_body": False})
