"""The chat function's operation as an endpoint of Starlette's kind, for the frameworks measured."""

import asyncio  # noqa: F401 - what tells our loop that an event loop is needed
from collections.abc import AsyncIterator, Iterable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from farebox.api import asgi
from farebox.api.headers import COMMON_HEADERS
from farebox.api.routes import match
from functions.chat.handler import create_chat_completion, services


async def serve(request: Request) -> Response:
    """Authenticate and answer, as `farebox.api.asgi` does."""
    found = match(request.method, request.url.path)
    ours = asgi.Request(
        match=found,
        headers=request.headers,
        query=request.query_params,
        body=await request.body(),
        principal=services.authenticate(request.headers.get("authorization"), found.route.scope),
        remaining_ms=request.scope["aws.context"].remaining_ms,
    )
    answer = create_chat_completion(ours)
    headers = {**COMMON_HEADERS, "Content-Type": answer.content_type, **answer.headers}
    services.telemetry.request_done(
        route=found.route.name,
        status=answer.status,
        request_id=answer.headers["x-request-id"],
        error=None,
    )
    if isinstance(answer.body, bytes):
        return Response(answer.body, headers=headers)
    # Given a plain iterator, it would take every part from a thread.
    return StreamingResponse(_each(answer.body), headers=headers)


async def _each(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
