"""Secrets from AWS Secrets Manager, kept for a while: a request must not wait for one."""

import json
from collections.abc import Mapping
from typing import Final

from farebox.adapters.aws_wire import AwsError, AwsJson, call_store
from farebox.domain.errors import ConfigurationError
from farebox.services.ports.clock import Clock

CACHE_SECONDS: Final = 300
"""A rotated secret is seen within this time; the old one must stay good for as long."""

_NOT_FOUND: Final = "ResourceNotFoundException"


class AwsSecretStore:
    """The `SecretStore` of a deployment.

    Args:
        wire: Secrets Manager.
        prefix: Put before every name, as in `farebox/`.
        clock: Tells how old a cached secret is.
        cache_seconds: How old it may get.
    """

    def __init__(
        self, wire: AwsJson, prefix: str, clock: Clock, cache_seconds: int = CACHE_SECONDS
    ) -> None:
        self._wire = wire
        self._prefix = prefix
        self._clock = clock
        self._cache_ms = cache_seconds * 1000
        self._cache: dict[str, tuple[Mapping[str, object], int]] = {}

    def get(self, name: str, *, fresh: bool = False) -> Mapping[str, object]:
        """Give a secret, from the cache while it is young enough and `fresh` is not asked for.

        Raises:
            StoreUnavailable: Secrets Manager did not answer.
            ConfigurationError: There is no such secret, or it is not a JSON object.
        """
        now_ms = self._clock.now_ms()
        secret, read_ms = self._cache.get(name, ({}, 0))
        if fresh or now_ms >= read_ms + self._cache_ms:
            secret = self._read(name)
            self._cache[name] = (secret, now_ms)
        return secret

    def _read(self, name: str) -> Mapping[str, object]:
        full_name = f"{self._prefix}{name}"
        try:
            answer = call_store(self._wire, "GetSecretValue", {"SecretId": full_name})
        except AwsError as error:
            if error.code != _NOT_FOUND:
                raise
            raise ConfigurationError(f"There is no secret {full_name!r}.") from error
        try:
            secret = json.loads(answer["SecretString"])
        except (KeyError, ValueError):
            secret = None
        if not isinstance(secret, dict):
            # Without its cause, which would quote the secret.
            raise ConfigurationError(f"The secret {full_name!r} is not a JSON object.")
        return secret
