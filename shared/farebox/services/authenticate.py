"""Who is calling: from the Authorization header to a principal, or 401.

A store that is down is never an invalid key: its error passes through, and becomes a 503.
"""

from dataclasses import dataclass
from typing import Final

from farebox.domain.errors import AccountSuspended, InsufficientPermissions, InvalidCredential
from farebox.domain.identity import (
    Principal,
    UserKeyRecord,
    key_matches,
    service_of_key,
    user_key_id,
)
from farebox.services.ports.clock import Clock
from farebox.services.ports.key_ring import KeyRing
from farebox.services.ports.key_store import KeyStore

REVOCATION_BOUND_SECONDS: Final = 20
"""A revoked key may be accepted this much longer by an environment that has seen it."""

_CACHE_LIMIT: Final = 10_000
_BAD_KEY: Final = "Invalid or expired API key."
_BAD_SERVICE_KEY: Final = "Invalid service key"


@dataclass(frozen=True, slots=True)
class _Seen:
    record: UserKeyRecord
    until_ms: int


class Authenticate:
    """Checks credentials; remembers records, never keys, for `REVOCATION_BOUND_SECONDS`."""

    def __init__(self, key_store: KeyStore, key_ring: KeyRing, clock: Clock) -> None:
        self._key_store = key_store
        self._key_ring = key_ring
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def __call__(self, authorization: str | None, scope: str | None) -> Principal:
        """Authenticate a request and check the scope its route asks for.

        Raises:
            InvalidCredential: No header, not `Bearer`, a malformed or unknown key, an expired or
                revoked one.
            AccountSuspended: The key is known and has been suspended.
            InsufficientPermissions: The key lacks the scope.
            StoreUnavailable: The key cannot be checked now.
        """
        principal = self._principal(_bearer_token(authorization))
        if not principal.may(scope):
            raise InsufficientPermissions(f"This key lacks the scope '{scope}'.")
        return principal

    def _principal(self, key: str) -> Principal:
        if key.startswith("sk-"):
            return self._service(key)
        key_id = user_key_id(key)
        if key_id is None:
            raise InvalidCredential(_BAD_KEY)
        record = self._record(key_id)
        if record is None or not key_matches(
            key, record.hash, record.pepper, self._key_ring.peppers()
        ):
            raise InvalidCredential(_BAD_KEY)
        self._check_expiry(record.principal, _BAD_KEY)
        if record.status == "suspended":
            raise AccountSuspended("This account is suspended.")
        if record.status != "active":
            raise InvalidCredential(_BAD_KEY)
        return record.principal

    def _service(self, key: str) -> Principal:
        service = service_of_key(key)
        if service is None:
            raise InvalidCredential(_BAD_SERVICE_KEY)
        peppers = self._key_ring.peppers()
        for record in self._key_ring.service_keys(service):
            if key_matches(key, record.hash, record.pepper, peppers):
                principal = record.principal()
                self._check_expiry(principal, _BAD_SERVICE_KEY)
                return principal
        raise InvalidCredential(_BAD_SERVICE_KEY)

    def _record(self, key_id: str) -> UserKeyRecord | None:
        now_ms = self._clock.now_ms()
        seen = self._seen.get(key_id)
        if seen is not None and now_ms < seen.until_ms:
            return seen.record
        record = self._key_store.find(key_id)
        if record is None:
            self._seen.pop(key_id, None)
            return None
        if len(self._seen) >= _CACHE_LIMIT:
            self._seen.clear()
        self._seen[key_id] = _Seen(record, now_ms + REVOCATION_BOUND_SECONDS * 1000)
        return record

    def _check_expiry(self, principal: Principal, message: str) -> None:
        expires_at = principal.expires_at
        if expires_at is not None and expires_at <= self._clock.now_ms() // 1000:
            raise InvalidCredential(message)


def _bearer_token(authorization: str | None) -> str:
    if authorization is None:
        raise InvalidCredential(
            "You didn't provide an API key. Send it as: Authorization: Bearer <key>."
        )
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidCredential("Invalid authorization format. Use: Authorization: Bearer <key>.")
    if not token.strip():
        raise InvalidCredential("The API key is empty. Use: Authorization: Bearer <key>.")
    return token.strip()
