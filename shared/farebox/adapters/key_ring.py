"""Peppers and service keys from Secrets Manager, parsed once a fetch."""

import base64
from collections.abc import Mapping
from typing import Final

from farebox.domain.errors import ConfigurationError
from farebox.domain.identity import ServiceKeyRecord
from farebox.services.ports.clock import Clock
from farebox.services.ports.secret_store import SecretStore

KEYRING: Final = "keyring"
SERVICE_KEYS: Final = "service-keys"

_REFETCH_AFTER_MS: Final = 30_000
"""A service nobody knows makes us look again, but no more often than this."""


class SecretsKeyRing:
    """Implements the `KeyRing` port."""

    def __init__(self, secrets: SecretStore, clock: Clock) -> None:
        self._secrets = secrets
        self._clock = clock
        self._peppers: tuple[Mapping[str, object], Mapping[str, bytes]] | None = None
        self._looked_again_ms = 0

    def peppers(self) -> Mapping[str, bytes]:
        """Give the peppers by version; see the port."""
        secret = self._secrets.get(KEYRING)
        if self._peppers is None or self._peppers[0] is not secret:
            self._peppers = (secret, versions_of(secret, "pepper"))
        return self._peppers[1]

    def service_keys(self, service: str) -> tuple[ServiceKeyRecord, ...]:
        """Give the records of a service's keys; see the port.

        A key minted a moment ago is not in what is cached, so an unknown service is looked for
        once more, at most every half minute, whoever asks.
        """
        records = self._records(service, fresh=False)
        now_ms = self._clock.now_ms()
        if not records and now_ms - self._looked_again_ms >= _REFETCH_AFTER_MS:
            self._looked_again_ms = now_ms
            records = self._records(service, fresh=True)
        return records

    def _records(self, service: str, *, fresh: bool) -> tuple[ServiceKeyRecord, ...]:
        keys = self._secrets.get(SERVICE_KEYS, fresh=fresh).get("keys")
        if not isinstance(keys, list):
            raise ConfigurationError(f"the secret '{SERVICE_KEYS}' has no list 'keys'")
        return tuple(
            _record(key) for key in keys if isinstance(key, dict) and key.get("service") == service
        )


def versions_of(secret: Mapping[str, object], name: str) -> Mapping[str, bytes]:
    """Decode all versions of a key in the `keyring` secret.

    Raises:
        ConfigurationError: It is not there, or not base64.
    """
    bundle = secret.get(name)
    versions = bundle.get("versions") if isinstance(bundle, dict) else None
    if not isinstance(versions, dict) or not versions:
        raise ConfigurationError(f"the secret '{KEYRING}' has no versions of '{name}'")
    try:
        return {str(k): base64.b64decode(str(v), validate=True) for k, v in versions.items()}
    except ValueError as error:
        raise ConfigurationError(f"the secret '{KEYRING}' has a bad '{name}'") from error


def current_version(secret: Mapping[str, object], name: str) -> str:
    """Name the version of a key that new things are made with.

    Raises:
        ConfigurationError: None is named.
    """
    bundle = secret.get(name)
    current = bundle.get("current") if isinstance(bundle, dict) else None
    if not isinstance(current, str):
        raise ConfigurationError(f"the secret '{KEYRING}' names no current '{name}'")
    return current


def _record(key: Mapping[str, object]) -> ServiceKeyRecord:
    try:
        return ServiceKeyRecord(
            service=str(key["service"]),
            hash=str(key["hash"]),
            pepper=str(key["pepper"]),
            account_id=str(key["account"]),
            organisation=str(key["organisation"]),
            expires_at=_expiry(key.get("expires_at")),
        )
    except KeyError as error:
        raise ConfigurationError(f"a key in the secret '{SERVICE_KEYS}' lacks {error}") from error


def _expiry(value: object) -> int | None:
    """Read when a key expires; what cannot be read must not mean never."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ConfigurationError(f"a key in the secret '{SERVICE_KEYS}' has a bad 'expires_at'")
