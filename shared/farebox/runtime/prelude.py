"""The head of a streamed answer: JSON metadata, then eight NUL bytes, then the body follows.

`headers` takes single values only, so repeated names go to `multiValueHeaders` and Set-Cookie to
`cookies`. Every answer of a streamed function needs this head, errors included: without it API
Gateway answers 500 by itself.
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
(2026-11)
"""

import json
from collections.abc import Iterable
from typing import Final

DELIMITER: Final = bytes(8)

PRELUDE_LIMIT_BYTES: Final = 16 * 1024
"""The delimiter must lie within so many bytes of the start (same page, 2026-11)."""

_BODILESS_STATUSES: Final = (204, 304)


class PreludeTooLarge(ValueError):
    """The answer's headers do not fit into the metadata API Gateway reads."""


def encode_prelude(
    status: int, headers: Iterable[tuple[bytes, bytes]], *, empty: bool = False
) -> bytes:
    """Encode status and headers (names in any case, latin-1), delimiter included.

    Args:
        status: the HTTP status.
        headers: as in ASGI, in order; names may repeat.
        empty: no body will follow. Such an answer says `content-length: 0`, because clients have
            been left waiting for the end of a chunked body that never began:
            https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/95 (2026-11).

    Raises:
        PreludeTooLarge: it exceeds `PRELUDE_LIMIT_BYTES`.
    """
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    if empty and status not in _BODILESS_STATUSES:
        values.setdefault("content-length", ["0"])
    prelude = json.dumps(_arrange(status, values)).encode("ascii") + DELIMITER
    if len(prelude) > PRELUDE_LIMIT_BYTES:
        raise PreludeTooLarge(f"{len(prelude)} bytes of status and headers")
    return prelude


def encode_error(status: int, kind: str, code: str, message: str, request_id: str) -> list[bytes]:
    """Encode a whole answer in the OpenAI error envelope: its prelude and its body.

    Args:
        status: the HTTP status.
        kind: the envelope's `type`.
        code: the envelope's `code`.
        message: for people; nothing internal.
        request_id: Lambda's, for the x-request-id header, so that logs can be found by it.
    """
    envelope = {"message": message, "type": kind, "param": None, "code": code}
    headers = [(b"content-type", b"application/json"), (b"x-request-id", request_id.encode())]
    body = json.dumps({"error": envelope}).encode("ascii")
    return [encode_prelude(status, headers), body]


def _arrange(status: int, values: dict[str, list[str]]) -> dict[str, object]:
    cookies = values.pop("set-cookie", [])
    metadata: dict[str, object] = {
        "statusCode": status,
        "headers": {name: found[0] for name, found in values.items() if len(found) == 1},
    }
    repeated = {name: found for name, found in values.items() if len(found) > 1}
    if repeated:
        metadata["multiValueHeaders"] = repeated
    if cookies:
        metadata["cookies"] = cookies
    return metadata
