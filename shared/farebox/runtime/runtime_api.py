"""The Lambda Runtime API as a client sees it: take invocations, report failures, await restoring.

Waiting for an invocation has no timeout: the environment may be frozen for hours inside that call.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html (2026-11)
"""

import json
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPMessage, HTTPResponse
from typing import Final

_BASE: Final = "/2018-06-01/runtime"


class RuntimeApiRefused(Exception):
    """The Runtime API answered with a status that leaves the runtime nothing to do but exit."""


class InvocationContext:
    """What Lambda says of one invocation; applications find it in `scope["aws.context"]`."""

    __slots__ = ("deadline_ms", "function_arn", "request_id", "trace_id")

    def __init__(
        self, request_id: str, deadline_ms: int, function_arn: str, trace_id: str | None = None
    ) -> None:
        self.request_id = request_id
        """Lambda's id of this invocation."""
        self.deadline_ms = deadline_ms
        """The unix time in milliseconds at which Lambda kills the process."""
        self.function_arn = function_arn
        """The function, version or alias that was invoked."""
        self.trace_id = trace_id
        """The X-Ray header; `None` when Lambda sent none."""

    def remaining_ms(self) -> int:
        """Give the milliseconds left until the deadline, 0 once it has passed."""
        return max(0, self.deadline_ms - int(time.time() * 1000))


class Invocation:
    """One event to answer."""

    __slots__ = ("context", "event")

    def __init__(self, context: InvocationContext, event: bytes) -> None:
        self.context = context
        self.event = event
        """The event's JSON text, not parsed yet: a broken one must be answered too."""


class RuntimeApi:
    """A client of the Runtime API at `address`, the `host:port` of AWS_LAMBDA_RUNTIME_API."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._connection = HTTPConnection(address)

    def next_invocation(self) -> Invocation:
        """Wait for the next event, as long as it takes; asking also ends the invocation before.

        Raises:
            ConnectionError: the Runtime API left, and left again when asked once more.
            RuntimeApiRefused: it answered with an error; the process should exit.
        """
        headers, event = self._get("/invocation/next")
        context = InvocationContext(
            request_id=headers["Lambda-Runtime-Aws-Request-Id"],
            deadline_ms=int(headers["Lambda-Runtime-Deadline-Ms"]),
            function_arn=headers["Lambda-Runtime-Invoked-Function-Arn"],
            trace_id=headers.get("Lambda-Runtime-Trace-Id"),
        )
        return Invocation(context, event)

    def wait_for_restore(self) -> None:
        """Tell Lambda that the snapshot may be taken; returns in the restored environment.

        Raises:
            ConnectionError: the Runtime API left, and left again when asked once more.
            RuntimeApiRefused: it answered with an error; the process should exit.
        """
        self._get("/restore/next")
        self._connection.close()  # it belongs to the environment the snapshot was taken of

    def report_init_error(self, description: Mapping[str, object]) -> None:
        """Report that the function cannot start; the process should exit then."""
        self._post("/init/error", description)

    def report_restore_error(self, description: Mapping[str, object]) -> None:
        """Report that a hook failed after restoring; the process should exit then."""
        self._post("/restore/error", description)

    def _get(self, path: str) -> tuple[HTTPMessage, bytes]:
        try:
            response = self._request(path)
        except ConnectionError:
            self._connection.close()
            response = self._request(path)
        body = response.read()
        if response.status != 200:  # noqa: PLR2004 - HTTP's OK
            raise RuntimeApiRefused(f"GET {path}: {response.status} {body!r}")
        return response.headers, body

    def _request(self, path: str) -> HTTPResponse:
        self._connection.request("GET", _BASE + path)
        return self._connection.getresponse()

    def _post(self, path: str, description: Mapping[str, object]) -> None:
        connection = HTTPConnection(self.address)
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Function-Error-Type": str(description["errorType"]),
        }
        connection.request("POST", _BASE + path, json.dumps(description), headers)
        connection.getresponse().read()
        connection.close()
