"""Signed JSON calls to AWS over the standard library alone: what the chat path can afford.

boto3 takes seven times the CPU for a write of the ledger, and a fifth of a second more to start
(measured in 2026-11). No retries: a write that was not answered may have been applied, and only the
protocol above knows whether and as what it may be sent again.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from farebox.adapters.aws_credentials import CredentialsProvider
from farebox.adapters.aws_wire import AwsError, AwsUnreachable, Endpoint, Json, JsonService
from farebox.adapters.connections import Connections
from farebox.adapters.http_exchange import Answer, post
from farebox.adapters.sigv4 import Signer
from farebox.services.ports.clock import Clock

_OK: Final = 200


class HttpAwsJson:
    """One service over keep-alive connections; safe to share between threads.

    Args:
        service: Which one.
        endpoint: Where it is.
        credentials: Who signs.
        clock: Dates the signatures.
    """

    def __init__(
        self,
        service: JsonService,
        endpoint: Endpoint,
        credentials: CredentialsProvider,
        clock: Clock,
    ) -> None:
        self._service = service
        self._credentials = credentials
        self._clock = clock
        self._signer = Signer(endpoint.region, service.name)
        self._connections = Connections(
            endpoint.url_of(service),
            connect_seconds=endpoint.connect_seconds,
            read_seconds=endpoint.read_seconds,
            clock=clock,
        )

    def warm(self) -> None:
        """Open a connection ahead of the first call, and have the credentials at hand.

        Raises:
            AwsUnreachable: No connection; the first call will try again.
        """
        self._credentials.current()
        try:
            self._connections.warm()
        except OSError as error:
            raise AwsUnreachable(str(error)) from error

    def close(self) -> None:
        """Close the idle connections; later calls open new ones."""
        self._connections.close()

    def call(self, operation: str, payload: Mapping[str, Any]) -> Json:
        """Make one call, once.

        Raises:
            AwsUnreachable: The call may or may not have been carried out.
            AwsError: The service refused it.
        """
        body = json.dumps(payload, separators=(",", ":")).encode()
        headers = {
            "content-type": f"application/x-amz-json-{self._service.version}",
            "host": self._connections.authority,
            "x-amz-target": f"{self._service.target}.{operation}",
        }
        credentials = self._credentials.current()
        signed = self._signer.sign(headers, body, credentials, self._clock.now_ms())
        try:
            answer = self._exchange(signed, body)
        except OSError as error:
            raise AwsUnreachable(f"{type(error).__name__}: {error}") from error
        if answer.status != _OK:
            raise _error_of(answer)
        return _object_of(answer)

    def _exchange(self, headers: Mapping[str, str], body: bytes) -> Answer:
        sock = self._connections.take()
        try:
            answer = post(sock, headers, body)
        except BaseException:
            sock.close()
            raise
        if answer.keeps_open:
            self._connections.give_back(sock)
        else:
            sock.close()
        return answer


def _object_of(answer: Answer) -> Json:
    try:
        parsed = json.loads(answer.body or b"{}")
    except ValueError as error:
        raise AwsUnreachable("the answer is not JSON") from error
    if not isinstance(parsed, dict):
        raise AwsUnreachable("the answer is not an object")
    return parsed


def _error_of(answer: Answer) -> AwsError:
    try:
        error = json.loads(answer.body)
        code = error["__type"].rpartition("#")[2]
    except (ValueError, KeyError, TypeError, AttributeError):
        return AwsError(f"Http{answer.status}", "no error of the service's own", answer.status)
    return AwsError(
        code,
        error.get("message") or error.get("Message") or "",
        answer.status,
        item=error.get("Item"),
        reasons=tuple(each["Code"] for each in error.get("CancellationReasons") or ()),
    )
