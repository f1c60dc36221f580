"""The chat function with boto3 for its DynamoDB calls, and all else as it is."""

from functools import cached_property

import farebox.bootstrap.chat
from farebox.adapters.aws_boto import BotoAwsJson
from farebox.adapters.aws_wire import DYNAMODB, Endpoint
from farebox.bootstrap.parts import Parts


class Boto:
    """boto3 as `Parts` expects a client; it connects with its first call."""

    def __init__(self, wire: BotoAwsJson) -> None:
        self.call = wire.call

    def warm(self) -> None:
        """Do nothing."""


class BotoParts(Parts):
    """The same parts, but for one."""

    @cached_property
    def dynamodb(self) -> Boto:  # type: ignore[override]
        """DynamoDB, with the credentials that boto3 finds."""
        url = self.settings.endpoint_url("dynamodb")
        return Boto(BotoAwsJson.connect(DYNAMODB, Endpoint(self.settings.region, url)))


vars(farebox.bootstrap.chat)["Parts"] = BotoParts

from functions.chat.handler import app  # noqa: E402 - it builds its parts when it is imported

__all__ = ["app"]
