"""The chat function with boto3 for its DynamoDB calls, and all else as it is."""

from functools import cached_property

import farebox.bootstrap.chat
from farebox.adapters.aws_boto import BotoAwsJson
from farebox.adapters.aws_wire import DYNAMODB, Endpoint
from farebox.bootstrap.parts import Parts


class WarmBoto(BotoAwsJson):
    """boto3 as `Parts` expects a client; connections are made by its first calls."""

    def warm(self) -> None:
        """Do nothing."""


class BotoParts(Parts):
    """The same parts, but for one."""

    @cached_property
    def dynamodb(self) -> WarmBoto:  # type: ignore[override]
        """DynamoDB, through boto3's own search for credentials."""
        url = self.settings.endpoint_url("dynamodb")
        return WarmBoto(BotoAwsJson.connect(DYNAMODB, Endpoint(self.settings.region, url)))


vars(farebox.bootstrap.chat)["Parts"] = BotoParts

from functions.chat.handler import app  # noqa: E402 - it builds its parts when it is imported

__all__ = ["app"]
