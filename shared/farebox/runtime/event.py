"""API Gateway's REST proxy event, translated to an ASGI scope and a body.

The path is the event's `path`, as the client wrote it (still percent-encoded); the one in
`requestContext` begins with the stage. Query parameters come decoded, so they are encoded again.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html (2026-11)
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode

from farebox.runtime.runtime_api import InvocationContext

type Scope = dict[str, Any]

_SAFE_IN_PATH: Final = "/%!$&'()*+,;=:@~"
_HTTPS_PORT: Final = 443


class NotAnHttpEvent(ValueError):
    """The event is not a request that API Gateway passed on."""


def http_scope(event: Mapping[str, Any], context: InvocationContext) -> Scope:
    """Build the ASGI scope of a REST proxy event.

    `path` is decoded, `raw_path` is as it was sent; `aws.event` holds the event itself and
    `aws.context` the `InvocationContext`.

    Raises:
        NotAnHttpEvent: the event names no method or no path.
    """
    try:
        method, path = event["httpMethod"], event["path"]
    except (KeyError, TypeError) as error:
        raise NotAnHttpEvent("neither a method nor a path") from error
    request_context = event.get("requestContext") or {}
    identity = request_context.get("identity") or {}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(path),
        "raw_path": quote(path, safe=_SAFE_IN_PATH).encode("ascii"),
        "root_path": "",
        "query_string": _query_string(event),
        "headers": list(_headers(event)),
        "client": (identity.get("sourceIp", ""), 0),
        "server": (request_context.get("domainName", ""), _HTTPS_PORT),
        "aws.event": event,
        "aws.context": context,
    }


def request_body(event: Mapping[str, Any]) -> bytes:
    """Give the request's body as the client sent it.

    Raises:
        NotAnHttpEvent: a body that is said to be base64 is not.
    """
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise NotAnHttpEvent("the body is not base64") from error


def _query_string(event: Mapping[str, Any]) -> bytes:
    parameters = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters")
    return urlencode(parameters or {}, doseq=True).encode("ascii")


def _headers(event: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    many = event.get("multiValueHeaders")
    if many is None:
        many = {name: [value] for name, value in (event.get("headers") or {}).items()}
    for name, values in many.items():
        for value in values:
            yield name.lower().encode(), value.encode()
