"""Failures in Lambda's words: an error's type, its JSON form, its log line.

Lambda keeps only types of the form `Runtime.Reason` or `Function.Reason`.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html (2026-11)
"""

import json
import sys
from typing import Final


class MalformedHandlerName(ValueError):
    """The function's Handler is not `module.attribute`."""


class HandlerNotFound(LookupError):
    """The function's Handler names an attribute that its module does not have."""


_RUNTIME_TYPES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (MalformedHandlerName, "Runtime.MalformedHandlerName"),
    (HandlerNotFound, "Runtime.HandlerNotFound"),
    (ImportError, "Runtime.ImportModuleError"),
    (SyntaxError, "Runtime.UserCodeSyntaxError"),
)


def error_type(error: BaseException) -> str:
    """Name an error as Lambda does: `Runtime.…` for loading the code, `Function.…` for the rest."""
    for kind, name in _RUNTIME_TYPES:
        if isinstance(error, kind):
            return name
    return f"Function.{type(error).__name__}"


def describe(error: BaseException, kind: str) -> dict[str, object]:
    """Give the JSON form the Runtime API takes for errors of initialisation and restoring.

    Args:
        error: what was raised.
        kind: its type in Lambda's words, often `error_type(error)`.
    """
    return {
        "errorMessage": str(error),
        "errorType": kind,
        "stackTrace": _format_stack(error),
    }


def log_failure(message: str, error: BaseException, request_id: str | None = None) -> None:
    """Write one JSON line about an error to stderr, never anything of the request itself."""
    line = {
        "level": "ERROR",
        "message": message,
        "request_id": request_id,
        "error_type": error_type(error),
        "traceback": "".join(_format_stack(error)),
    }
    sys.stderr.write(json.dumps(line) + "\n")


def _format_stack(error: BaseException) -> list[str]:
    import traceback  # noqa: PLC0415 - 7 ms that a healthy cold start need not pay

    return traceback.format_exception(error)
