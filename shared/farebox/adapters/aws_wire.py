"""One call to an AWS service that speaks JSON, and what can go wrong with it.

Two implementations answer to the same protocol: `aws_json` (small, signed by hand, for the chat
path) and `aws_boto` (for functions that load boto3 anyway). Neither retries.

    AwsWireError
    ├── AwsError          the service answered, and it answered no
    └── AwsUnreachable    no answer, or none that can be read: the call may have been carried out
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from farebox.domain.errors import StoreConflict, StoreUnavailable

type Json = dict[str, Any]
"""A JSON object as the service documents it."""

CONDITION_FAILED: Final = "ConditionalCheckFailedException"
TRANSACTION_CANCELED: Final = "TransactionCanceledException"

_CONFLICT: Final = "TransactionConflictException"
_CONFLICT_REASON: Final = "TransactionConflict"
_SERVER_FAULT: Final = 500

_UNAVAILABLE: Final = frozenset(
    {
        "InternalServerError",
        "InternalServiceError",
        "KmsThrottled",
        "OverLimit",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
"""What DynamoDB, Secrets Manager and SQS call being busy or broken.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html and the
error lists of GetSecretValue and SendMessage (read 2026-11).
"""

_UNAVAILABLE_REASONS: Final = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})


@dataclass(frozen=True, slots=True)
class JsonService:
    """How a service wants to be addressed."""

    name: str
    """In its host name, in the scope of signatures, and to boto3."""
    target: str
    """What `X-Amz-Target` puts before the operation."""
    version: str
    """Of the JSON protocol, in the content type."""

    @property
    def setting(self) -> str:
        """What AWS's clients call it in `AWS_ENDPOINT_URL_<SERVICE>`."""
        return {"secretsmanager": "SECRETS_MANAGER"}.get(self.name, self.name)


DYNAMODB: Final = JsonService("dynamodb", "DynamoDB_20120810", "1.0")
SECRETS_MANAGER: Final = JsonService("secretsmanager", "secretsmanager", "1.1")
SQS: Final = JsonService("sqs", "AmazonSQS", "1.0")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is, and how long to wait for it."""

    region: str
    """Such as `eu-central-1`."""
    url: str | None = None
    """Scheme, host and port; `None` for the region's own."""
    connect_seconds: float = 1.0
    """How long a connection may take to open."""
    read_seconds: float = 2.0
    """How long the service may be silent."""

    def url_of(self, service: JsonService) -> str:
        """Give the URL to reach a service at."""
        return self.url or f"https://{service.name}.{self.region}.amazonaws.com"


class AwsWireError(Exception):
    """A call did not succeed."""


class AwsError(AwsWireError):
    """The service answered with an error.

    Args:
        code: Its name, such as `ConditionalCheckFailedException`.
        message: Its sentence, for our logs only.
        status: The HTTP status.
        item: The item a condition was evaluated on, if the call asked for it and there is one.
        reasons: Of a cancelled transaction: one code a write, in order; `None` where none.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int,
        *,
        item: Json | None = None,
        reasons: tuple[str, ...] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status
        self.item = item
        self.reasons = reasons

    @property
    def is_conflict(self) -> bool:
        """Whether a transaction in progress touches an item of the call."""
        return self.code == _CONFLICT or _CONFLICT_REASON in self.reasons

    @property
    def is_unavailable(self) -> bool:
        """Whether the service is throttling or at fault, so that a later call may succeed."""
        busy = not _UNAVAILABLE_REASONS.isdisjoint(self.reasons)
        return busy or self.code in _UNAVAILABLE or self.status >= _SERVER_FAULT


class AwsUnreachable(AwsWireError):
    """No connection, no answer in time, or an answer cut short."""


class AwsJson(Protocol):
    """One service, reached by signed JSON calls."""

    def call(self, operation: str, payload: Mapping[str, Any]) -> Json:
        """Make one call, once.

        Raises:
            AwsUnreachable: The call may or may not have been carried out.
            AwsError: The service refused it.
        """
        ...


def call_store(wire: AwsJson, operation: str, payload: Mapping[str, Any]) -> Json:
    """Make one call on behalf of a store, with the store's own errors.

    Raises:
        StoreUnavailable: Unreachable, throttled or at fault; the call may have been carried out.
        StoreConflict: A transaction is in the way; nothing was applied.
        AwsError: Any other refusal: a failed condition, or a fault of ours.
    """
    try:
        return wire.call(operation, payload)
    except AwsUnreachable as error:
        raise StoreUnavailable(f"{operation}: no answer") from error
    except AwsError as error:
        if error.is_unavailable:
            raise StoreUnavailable(f"{operation}: {error.code}") from error
        if error.is_conflict:
            raise StoreConflict(f"{operation}: {error.code}") from error
        raise
