"""Where user keys are looked up by their id."""

from typing import Protocol

from farebox.domain.identity import UserKeyRecord


class KeyStore(Protocol):
    """Finds what is stored of a user key."""

    def find(self, key_id: str) -> UserKeyRecord | None:
        """Read a record, `None` if there is none or it has expired; `StoreUnavailable` if down."""
        ...
