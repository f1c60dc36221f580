"""Builders of the events API Gateway sends: the whole REST proxy event, every field of it.

Shapes from the input format of a Lambda proxy integration, read 2026-11:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

type Event = dict[str, Any]

DOMAIN = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
SOURCE_IP = "203.0.113.7"
STAGE = "Prod"

_NO_IDENTITY = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)


def rest_event(
    method: str,
    target: str,
    *,
    headers: Iterable[tuple[str, str]] | Mapping[str, str] = (),
    body: str | bytes | None = None,
    resource: str | None = None,
) -> Event:
    """Build the REST proxy event of a request.

    Args:
        method: the HTTP method.
        target: path and query as the client writes them, percent-encoded.
        headers: the client's, besides those API Gateway adds; names may repeat.
        body: text as it is; bytes in base64, as binary media types come.
        resource: the route that matched; the path when left out.
    """
    path, _, query = target.partition("?")
    pairs = [*_gateway_headers(), *_pairs(headers)]
    parameters = parse_qsl(query, keep_blank_values=True)
    return {
        "resource": resource or path,
        "path": path,
        "httpMethod": method,
        "headers": dict(pairs),
        "multiValueHeaders": _grouped(pairs),
        "queryStringParameters": dict(parameters) or None,
        "multiValueQueryStringParameters": _grouped(parameters) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": _request_context(method, path, resource or path),
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


def scheduled_event() -> Event:
    """Build the event of an EventBridge schedule, which no HTTP application understands."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-20T11:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/sweep"],
        "detail": {},
    }


def _gateway_headers() -> list[tuple[str, str]]:
    return [
        ("Accept", "*/*"),
        ("Host", DOMAIN),
        ("User-Agent", "OpenAI/Python 3.52.0"),
        ("X-Amzn-Trace-Id", "Root=1-691efa2c-0f1e2d3c4b5a69788796a5b4"),
        ("X-Forwarded-For", SOURCE_IP),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def _request_context(method: str, path: str, resource: str) -> Event:
    return {
        "accountId": "123456789012",
        "apiId": "a1b2c3d4e5",
        "domainName": DOMAIN,
        "domainPrefix": "a1b2c3d4e5",
        "extendedRequestId": "TjrYzE3poAMEiGg=",
        "httpMethod": method,
        "identity": {
            **dict.fromkeys(_NO_IDENTITY),
            "sourceIp": SOURCE_IP,
            "userAgent": "OpenAI/Python 3.52.0",
        },
        "path": f"/{STAGE}{path}",
        "protocol": "HTTP/1.1",
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "requestTime": "20/Nov/2026:11:00:00 +0000",
        "requestTimeEpoch": 1795172400000,
        "resourceId": "7f3k2a",
        "resourcePath": resource,
        "stage": STAGE,
    }


def _pairs(headers: Iterable[tuple[str, str]] | Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return headers.items() if isinstance(headers, Mapping) else headers


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups
