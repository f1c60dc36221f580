"""The secrets that credentials are checked against."""

from collections.abc import Mapping
from typing import Protocol

from farebox.domain.identity import ServiceKeyRecord


class KeyRing(Protocol):
    """Peppers and service keys, kept in memory for a bounded time.

    Every method raises `StoreUnavailable` when nothing is kept and the secret store is down.
    """

    def peppers(self) -> Mapping[str, bytes]:
        """Give the peppers by version."""
        ...

    def service_keys(self, service: str) -> tuple[ServiceKeyRecord, ...]:
        """Give the records of a service's keys: two while it is being rotated."""
        ...
