"""The least function there can be on awslambdaric."""

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, object]:  # noqa: ARG001 - Lambda's
    """Answer."""
    return {"statusCode": 204}
