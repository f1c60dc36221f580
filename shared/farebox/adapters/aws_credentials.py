"""Who we are to AWS: fixed credentials, or the container endpoint's, refreshed before they expire.

Lambda sets fixed ones in the environment, except under SnapStart: a snapshot outlives them, so
there the function asks a local endpoint instead.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html and
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html (read 2026-11).
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import SplitResult, urlsplit, urlunsplit

from farebox.adapters.aws_wire import AwsUnreachable
from farebox.domain.errors import ConfigurationError
from farebox.services.ports.clock import Clock

_REFRESH_AHEAD_SECONDS: Final = 300
_TIMEOUT_SECONDS: Final = 2.0
_OK: Final = 200
_LINK_LOCAL_HOSTS: Final = frozenset({"169.254.170.2", "169.254.170.23", "fd00:ec2::23"})
"""Where ECS and EKS serve credentials; besides loopback the only hosts plain http may reach."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key pair, and the session token of a temporary one."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


class CredentialsProvider(Protocol):
    """Whoever knows the credentials of the moment."""

    def current(self) -> Credentials:
        """Give credentials that are valid now; raises `AwsUnreachable` if there are none."""
        ...


@dataclass(frozen=True, slots=True)
class FixedCredentials:
    """The same credentials for the life of the process."""

    credentials: Credentials

    def current(self) -> Credentials:
        """Give them."""
        return self.credentials


class ContainerCredentials:
    """Credentials of a local endpoint.

    Args:
        uri: `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
        token: `AWS_CONTAINER_AUTHORIZATION_TOKEN`, if set.
        token_file: `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`, read at every refresh, if set.
        clock: Tells when they expire.
    """

    def __init__(self, uri: str, token: str | None, token_file: str | None, clock: Clock) -> None:
        self._uri = _checked(uri)
        self._token = token
        self._token_file = token_file
        self._clock = clock
        self._lock = threading.Lock()
        self._at_hand = Credentials("", "")
        self._expires_at = 0.0

    def current(self) -> Credentials:
        """Give the credentials at hand, after a refresh when they end within five minutes.

        An endpoint that fails is forgiven for as long as the credentials at hand are valid.
        """
        with self._lock:
            now_seconds = self._clock.now_ms() / 1000
            if now_seconds >= self._expires_at - _REFRESH_AHEAD_SECONDS:
                self._refresh(now_seconds)
            return self._at_hand

    def _refresh(self, now_seconds: float) -> None:
        try:
            self._at_hand, self._expires_at = self._fetch()
        except (OSError, ValueError, KeyError, TypeError) as error:
            if now_seconds >= self._expires_at:
                raise AwsUnreachable("no credentials: the container endpoint fails") from error

    def _fetch(self) -> tuple[Credentials, float]:
        answer = json.loads(_read(self._uri, self._authorization()))
        fresh = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer.get("Token"))
        return fresh, datetime.fromisoformat(answer["Expiration"]).timestamp()

    def _authorization(self) -> dict[str, str]:
        if self._token_file:
            return {"authorization": Path(self._token_file).read_text(encoding="utf-8").strip()}
        return {"authorization": self._token} if self._token else {}


def credentials_from(environment: Mapping[str, str], clock: Clock) -> CredentialsProvider:
    """Choose the provider the standard variables ask for: a key pair first, then the endpoint.

    Raises:
        ConfigurationError: Neither is there, or the endpoint is one that secrets must not come
            from.
    """
    access_key_id = environment.get("AWS_ACCESS_KEY_ID")
    secret_access_key = environment.get("AWS_SECRET_ACCESS_KEY")
    if access_key_id and secret_access_key:
        session_token = environment.get("AWS_SESSION_TOKEN") or None
        return FixedCredentials(Credentials(access_key_id, secret_access_key, session_token))
    uri = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not uri:
        raise ConfigurationError(
            "No AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return ContainerCredentials(
        uri,
        environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        clock,
    )


def _read(uri: SplitResult, headers: Mapping[str, str]) -> bytes:
    # Imported here: only a function that has such an endpoint pays for the general client.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415

    kind = HTTPSConnection if uri.scheme == "https" else HTTPConnection
    connection = kind(uri.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(
            "GET", urlunsplit(("", "", uri.path or "/", uri.query, "")), None, headers
        )
        response = connection.getresponse()
        if response.status != _OK:
            raise ConnectionError(f"status {response.status}")
        return response.read()
    except HTTPException as error:
        raise ConnectionError(type(error).__name__) from error
    finally:
        connection.close()


def _checked(uri: str) -> SplitResult:
    parts = urlsplit(uri)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_local(parts.hostname or "")):
        return parts
    raise ConfigurationError(f"AWS credentials are not fetched from {parts.hostname!r} over http.")


def _is_local(host: str) -> bool:
    if host == "localhost" or host in _LINK_LOCAL_HOSTS:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
