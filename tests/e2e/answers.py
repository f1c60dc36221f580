"""What a caller behind API Gateway gets of the answers functions give to Lambda.

Streamed ones are a JSON prelude, eight NUL bytes and a body; buffered ones a JSON document.
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
(2026-11)
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

_DELIMITER: Final = bytes(8)
_PRELUDE_LIMIT_BYTES: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """One HTTP chunk of a streamed answer."""

    at_seconds: float
    """When it had arrived, counted from the moment the process was given the event."""
    data: bytes


@dataclass(frozen=True, slots=True)
class FunctionError:
    """What a process said of a failure."""

    type: str
    description: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and how it came."""

    status: int = 0
    """0 when nothing arrived that API Gateway could use."""
    headers: Mapping[str, list[str]] = field(default_factory=dict)
    """By lower-case name; cookies under set-cookie."""
    body: bytes = b""
    head_at_seconds: float = 0.0
    """When a streamed answer's status and headers had arrived, counted as a chunk's time is."""
    chunks: tuple[Chunk, ...] = ()
    """The body's parts as they arrived; none unless streamed."""
    error: FunctionError | None = None
    """From a streamed answer's trailers, or from the invocation's /error."""
    is_cut: bool = False
    """The connection ended before the answer did."""
    prelude: Mapping[str, Any] = field(default_factory=dict)
    """A streamed answer's metadata, as sent."""
    posted: Mapping[str, list[str]] = field(default_factory=dict)
    """The headers of the process's POST, by lower-case name."""

    def header(self, name: str) -> str | None:
        """Give the value of a header that occurs once, `None` for any other."""
        values = self.headers.get(name, [])
        return values[0] if len(values) == 1 else None

    def json(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """Parse the body."""
        return json.loads(self.body)


def streamed_answer(
    chunks: Iterable[Chunk],
    trailers: Mapping[str, str],
    posted: Mapping[str, list[str]],
    *,
    is_cut: bool,
) -> Answer:
    """Read a streamed answer out of its HTTP chunks; its status is 0 without a proper prelude."""
    parts = list(chunks)
    error = _trailing_error(trailers)
    head, delimiter, body = b"".join(part.data for part in parts).partition(_DELIMITER)
    head_bytes = len(head) + len(delimiter)
    if not delimiter or head_bytes > _PRELUDE_LIMIT_BYTES:
        return Answer(error=error, is_cut=is_cut, posted=posted)
    prelude = json.loads(head)
    return Answer(
        status=prelude["statusCode"],
        headers=_merged_headers(prelude),
        body=body,
        head_at_seconds=_head_time(parts, head_bytes),
        chunks=_without_head(parts, head_bytes),
        error=error,
        is_cut=is_cut,
        prelude=prelude,
        posted=posted,
    )


def buffered_answer(document: Mapping[str, Any], posted: Mapping[str, list[str]]) -> Answer:
    """Read an answer out of the document a buffered function returns.

    One that answers no HTTP request may return anything; it becomes the body.
    """
    if "statusCode" not in document:
        return Answer(body=json.dumps(document).encode(), posted=posted)
    body = document.get("body") or ""
    return Answer(
        status=document["statusCode"],
        headers=_merged_headers(document),
        body=base64.b64decode(body) if document.get("isBase64Encoded") else body.encode(),
        posted=posted,
    )


def _merged_headers(document: Mapping[str, Any]) -> dict[str, list[str]]:
    single = {name.lower(): [value] for name, value in (document.get("headers") or {}).items()}
    many = {
        name.lower(): values for name, values in (document.get("multiValueHeaders") or {}).items()
    }
    cookies = document.get("cookies")
    return single | many | ({"set-cookie": cookies} if cookies else {})


def _head_time(parts: Iterable[Chunk], head_bytes: int) -> float:
    arrived = accumulate(len(part.data) for part in parts)
    return next(
        part.at_seconds for part, size in zip(parts, arrived, strict=True) if size >= head_bytes
    )


def _without_head(parts: Iterable[Chunk], head_bytes: int) -> tuple[Chunk, ...]:
    body_parts = []
    for part in parts:
        rest = part.data[head_bytes:]
        head_bytes = max(0, head_bytes - len(part.data))
        if rest:
            body_parts.append(Chunk(part.at_seconds, rest))
    return tuple(body_parts)


def _trailing_error(trailers: Mapping[str, str]) -> FunctionError | None:
    error_type = trailers.get("lambda-runtime-function-error-type")
    if error_type is None:
        return None
    description = base64.b64decode(trailers["lambda-runtime-function-error-body"])
    return FunctionError(error_type, json.loads(description))
