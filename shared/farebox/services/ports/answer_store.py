"""Answers kept for a day, encrypted, for those who asked for it; and the keys that name them."""

from dataclasses import dataclass
from typing import Final, Protocol

KEEP_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was sent."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What an Idempotency-Key stands for."""

    key_hash: str
    body_hash: str
    rid: str
    made_ms: int


class AnswerStore(Protocol):
    """Keeps answers by account and request; every method may raise `StoreUnavailable`."""

    def keep(self, account_id: str, rid: str, answer: StoredAnswer) -> None:
        """Keep an answer for `KEEP_SECONDS`."""
        ...

    def find(self, account_id: str, rid: str) -> StoredAnswer | None:
        """Fetch an answer, `None` if none was kept or its time is over."""
        ...


class IdempotencyStore(Protocol):
    """Keeps idempotency records by account; every method may raise `StoreUnavailable`."""

    def claim(
        self, account_id: str, record: IdempotencyRecord, instead_of: str | None
    ) -> IdempotencyRecord:
        """Write a record if its key is free, or still stands for the rid `instead_of`.

        Returns:
            The record that stands: this one, or the one that was there.
        """
        ...

    def release(self, account_id: str, record: IdempotencyRecord) -> None:
        """Free the key again, if it still stands for this record's rid."""
        ...
