"""What the simulator refuses, in OpenAI's error envelope."""

from collections.abc import Mapping


class RefusedError(Exception):
    """The request is answered with an error instead of what it asked for.

    Args:
        status: HTTP status of the answer.
        message: Sentence for the developer who reads it.
        kind: The envelope's `type`.
        param: Path of the offending field, `None` when it is not about one.
        code: The envelope's `code`, `None` where OpenAI sends null.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.envelope = envelope(message, kind=kind, param=param, code=code)


def envelope(
    message: str, *, kind: str, param: str | None = None, code: str | None = None
) -> Mapping[str, object]:
    """Build the error document; all four keys are always there."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
