"""A private S3 bucket over boto3."""

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from farebox.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_TIMEOUT_SECONDS: Final = 5
_MISSING: Final = frozenset({"NoSuchKey", "404"})


class S3ObjectStore:
    """Puts and gets objects of one bucket."""

    def __init__(self, bucket: str, region: str, endpoint_url: str | None) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client(
            "s3",
            region_name=region,
            endpoint_url=endpoint_url,
            config=Config(
                connect_timeout=_TIMEOUT_SECONDS,
                read_timeout=_TIMEOUT_SECONDS,
                s3={"addressing_style": "path"} if endpoint_url else {},
            ),
        )

    def put(self, key: str, body: bytes) -> None:
        """Write an object.

        Raises:
            StoreUnavailable: S3 did not take it.
        """
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable("The answer could not be stored.") from error

    def get(self, key: str) -> bytes | None:
        """Read an object, `None` if there is none.

        Raises:
            StoreUnavailable: S3 did not answer.
        """
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                return None
            raise StoreUnavailable("The stored answer could not be read.") from error
        except BotoCoreError as error:
            raise StoreUnavailable("The stored answer could not be read.") from error
