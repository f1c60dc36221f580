"""The yardstick: awslambdaric, and nothing but one keep-alive upstream call by http.client."""

import os
from http.client import HTTPConnection
from typing import Any

connection = HTTPConnection("127.0.0.1", int(os.getenv("UPSTREAM_PORT", "0")))


def handler(event: dict[str, Any], context: object) -> dict[str, object]:  # noqa: ARG001 - Lambda's
    """Pass the body on, and the answer back."""
    body = event["body"].encode()
    connection.request("POST", "/v1", body, {"Content-Type": "application/json"})
    answer = connection.getresponse().read().decode()
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": answer, "isBase64Encoded": False}
