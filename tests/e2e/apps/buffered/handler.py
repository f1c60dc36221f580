"""A buffered function for the tests of the suite's own Runtime API."""

import base64
from typing import Any


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    if event["path"] == "/raise":
        raise ValueError("no such thing")
    return {
        "statusCode": 201,
        "headers": {"Content-Type": "image/png"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": base64.b64encode(b"\x89PNG").decode(),
        "isBase64Encoded": True,
    }
