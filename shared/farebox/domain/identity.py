"""Who calls: the shape of keys, what a key record says, and the principal it makes.

User keys are `uc_` and 64 hexadecimal digits: 12 of id, 44 of secret (176 bits), 8 of CRC-32 over
what stands before. The checksum refuses typos and garbage without a look-up; it proves nothing.
Service keys are `sk-<service>-` and 43 base-62 digits (256 bits).
"""

import hashlib
import hmac
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from farebox.domain.tiers import Tier

_USER_KEY: Final = re.compile(r"uc_[0-9a-f]{64}", re.ASCII)
_SERVICE_KEY: Final = re.compile(r"sk-([a-z0-9]+(?:-[a-z0-9]+)*)-([0-9A-Za-z]{43})", re.ASCII)
_ID_DIGITS: Final = 12
_SECRET_DIGITS: Final = 44
_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SERVICE_DIGITS: Final = 43
ADMIN_SCOPE: Final = "admin"

USER_SCOPES: Final = ("llm:inference", "llm:models", "credits:read", "keys:manage", "byok:manage")
"""What a user's own key may do unless it was made for less."""


class CallerKind(StrEnum):
    """What sort of caller a credential names."""

    USER = "user"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller and the account that pays for it."""

    user_id: str
    account_id: str
    tier: Tier
    kind: CallerKind
    key_id: str
    scopes: frozenset[str]
    key_name: str = ""
    models: frozenset[str] | None = None
    """The models the key may use; `None` means every model of the tier."""
    keyslot: str = ""
    budget_nanousd: int | None = None
    expires_at: int | None = None
    """Unix seconds."""
    created_ms: int = 0
    """When the user signed up; a trial counts from here."""
    organisation: str | None = None

    @property
    def quota_exempt(self) -> bool:
        """Service keys have no quota; their organisation's credits bound them."""
        return self.kind is CallerKind.SERVICE

    def may(self, scope: str | None) -> bool:
        """Tell whether the credential carries a scope; admin keys carry all."""
        return scope is None or scope in self.scopes or ADMIN_SCOPE in self.scopes


@dataclass(frozen=True, slots=True)
class UserKeyRecord:
    """What is stored of a user key: never the key itself."""

    key_id: str
    hash: str
    pepper: str
    """The version of the pepper the hash was made with."""
    status: str
    principal: Principal


@dataclass(frozen=True, slots=True)
class ServiceKeyRecord:
    """What is stored of a service key."""

    service: str
    hash: str
    pepper: str
    account_id: str
    organisation: str
    expires_at: int | None

    def principal(self) -> Principal:
        """Make the principal of the service: it pays from its organisation."""
        return Principal(
            user_id=f"{self.service}-service",
            account_id=self.account_id,
            tier=Tier.ENTERPRISE,
            kind=CallerKind.SERVICE,
            key_id=f"sk-{self.service}",
            key_name=self.service,
            scopes=frozenset({"llm:inference", "llm:models", "credits:read"}),
            expires_at=self.expires_at,
            organisation=self.organisation,
        )


def make_user_key(randomness: int) -> str:
    """Make a user key of at least 224 random bits: 48 of id, 176 of secret."""
    id_and_secret = f"{randomness:0{_ID_DIGITS + _SECRET_DIGITS}x}"[
        -(_ID_DIGITS + _SECRET_DIGITS) :
    ]
    body = "uc_" + id_and_secret
    return f"{body}{zlib.crc32(body.encode()):08x}"


def user_key_id(key: str) -> str | None:
    """Give the id inside a user key, `None` if it is not one (shape or checksum)."""
    if _USER_KEY.fullmatch(key) is None:
        return None
    body, checksum = key[:-8], key[-8:]
    if f"{zlib.crc32(body.encode()):08x}" != checksum:
        return None
    return key[3 : 3 + _ID_DIGITS]


def make_service_key(service: str, randomness: int) -> str:
    """Make a service key of 256 random bits."""
    digits = []
    for _ in range(_SERVICE_DIGITS):
        randomness, digit = divmod(randomness, len(_BASE62))
        digits.append(_BASE62[digit])
    return f"sk-{service}-{''.join(digits)}"


def service_of_key(key: str) -> str | None:
    """Give the service a service key names, `None` if it does not have the shape of one."""
    found = _SERVICE_KEY.fullmatch(key)
    return found.group(1) if found else None


def hash_key(key: str, pepper: bytes) -> str:
    """Hash a key for storage: HMAC-SHA256 under a pepper, in hexadecimal.

    Keys are random, so a slow hash would add nothing but a way to exhaust the CPU.
    """
    return hmac.digest(pepper, key.encode(), hashlib.sha256).hex()


def key_matches(key: str, stored_hash: str, version: str, peppers: Mapping[str, bytes]) -> bool:
    """Compare a key with a stored hash, in constant time; `False` if the pepper is retired."""
    pepper = peppers.get(version)
    return pepper is not None and hmac.compare_digest(hash_key(key, pepper), stored_hash)
