"""What is to be sent: a status, headers and the body in chunks, not yet when or how."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from starlette.responses import Response

from local.simulator.faults import Fault
from local.simulator.problems import envelope

JSON_TYPE = "application/json"
STREAM_TYPE = "text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"
_GARBAGE = b"<html><head><title>502 Bad Gateway</title></head><body>\xff\xfe not JSON</body></html>"
_GARBAGE_EVENT = b'data: {"id": "chatcmpl-broken", "choices": [\n\n'
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_KINDS = {
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    403: ("permission_error", None),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


@dataclass(frozen=True)
class Reply:
    """An answer ready for delivery.

    Args:
        chunks: The body: one chunk, or one for each event of a stream.
        ending: What closes a stream, empty for a plain body.
        status: HTTP status.
        media_type: Content type.
        headers: Further headers, lower case.
        streamed: Whether the chunks are events to be paced.
    """

    chunks: Iterable[bytes]
    ending: bytes = b""
    status: int = 200
    media_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False


def plain(document: object, status: int = 200) -> Reply:
    """Reply with one JSON document."""
    return Reply([encode(document)], status=status)


def stream(documents: Iterator[Mapping[str, object]]) -> Reply:
    """Reply with a stream of server-sent events, made as they are sent."""
    return Reply(map(event, documents), ending=DONE, media_type=STREAM_TYPE, streamed=True)


def encode(document: object) -> bytes:
    """Encode JSON as UTF-8; half a surrogate pair stays the escape it must have come in as."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def event(document: object) -> bytes:
    """Encode one server-sent event."""
    return b"data: " + encode(document) + b"\n\n"


def respond(document: object, status: int = 200) -> Response:
    """Respond with one JSON document at once, without faults or counts."""
    return Response(encode(document), status, media_type=JSON_TYPE)


def error_reply(fault: Fault) -> Reply | None:
    """Return the error a fault asks for in place of the answer, `None` when it asks for none."""
    if fault.status is None:
        return None
    wait = 1 if fault.status == _TOO_MANY_REQUESTS else None
    wait = wait if fault.retry_after_seconds is None else fault.retry_after_seconds
    headers = {} if wait is None else {"retry-after": str(wait)}
    return replace(plain(fault_envelope(fault), fault.status), headers=headers)


def fault_envelope(fault: Fault) -> Mapping[str, object]:
    """Build the error envelope of a fault; without a status that of a 500."""
    status = fault.status or _SERVER_ERROR
    usual = "server_error" if status >= _SERVER_ERROR else "invalid_request_error"
    kind, code = _KINDS.get(status, (usual, None))
    given = fault.error
    return envelope(
        given.message or f"The simulator was ordered to fail with {status}.",
        kind=given.type or kind,
        param=given.param,
        code=given.code or code,
    )


def spoil_reply(reply: Reply, fault: Fault) -> Reply:
    """Apply what a fault does to a body as a whole; its timing is the delivery's part."""
    if fault.body == "empty":
        reply = replace(reply, chunks=[], ending=b"")
    elif fault.body == "garbage":
        reply = replace(reply, chunks=[_GARBAGE_EVENT if reply.streamed else _GARBAGE])
    elif fault.error_after_chunks is not None and not reply.streamed:
        reply = replace(reply, chunks=[encode(fault_envelope(fault))])
    if fault.abandons or not fault.done:
        reply = replace(reply, ending=b"")
    media_type = fault.content_type or reply.media_type
    added = {name.lower(): value for name, value in fault.headers.items()}
    return replace(reply, media_type=media_type, headers={**reply.headers, **added})
