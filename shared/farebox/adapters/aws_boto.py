"""The same calls over boto3, for functions that load it anyway; its own retries are off."""

from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import (
    ChecksumError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from farebox.adapters.aws_credentials import Credentials
from farebox.adapters.aws_wire import AwsError, AwsUnreachable, Endpoint, Json, JsonService

_UNREACHABLE: Final = (
    BotoConnectionError,
    ChecksumError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,
)


class BotoAwsJson:
    """One service through a low-level boto3 client; safe to share between threads.

    Args:
        client: A client whose retries are off; `connect` makes one.
    """

    def __init__(self, client: BaseClient) -> None:
        methods = client.meta.method_to_api_mapping.items()
        self._methods = {operation: getattr(client, method) for method, operation in methods}

    @classmethod
    def connect(
        cls, service: JsonService, endpoint: Endpoint, credentials: Credentials | None = None
    ) -> "BotoAwsJson":
        """Make a client for a service; `None` leaves the search for credentials to boto3."""
        return cls(
            _session(endpoint.region, credentials).client(
                service.name,
                endpoint_url=endpoint.url,
                config=Config(
                    connect_timeout=endpoint.connect_seconds,
                    read_timeout=endpoint.read_seconds,
                    retries={"total_max_attempts": 1, "mode": "standard"},
                ),
            )
        )

    def call(self, operation: str, payload: Mapping[str, Any]) -> Json:
        """Make one call, once.

        Raises:
            AwsUnreachable: The call may or may not have been carried out.
            AwsError: The service refused it.
        """
        try:
            answer: Json = self._methods[operation](**payload)
        except ClientError as error:
            raise _error_of(error.response) from error
        except _UNREACHABLE as error:
            raise AwsUnreachable(f"{type(error).__name__}: {error}") from error
        del answer["ResponseMetadata"]
        return answer


def _session(region: str, credentials: Credentials | None) -> boto3.session.Session:
    if credentials is None:
        return boto3.session.Session(region_name=region)
    return boto3.session.Session(
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        region_name=region,
    )


def _error_of(response: Mapping[str, Any]) -> AwsError:
    error = response["Error"]
    return AwsError(
        error["Code"],
        error.get("Message", ""),
        response["ResponseMetadata"]["HTTPStatusCode"],
        item=response.get("Item"),
        reasons=tuple(each["Code"] for each in response.get("CancellationReasons") or ()),
    )
