"""User keys in memory."""

from collections.abc import Iterable

from farebox.domain.errors import StoreUnavailable
from farebox.domain.identity import UserKeyRecord


class FakeKeyStore:
    """Finds records by key id; `down` makes it fail, `reads` counts what reached it."""

    def __init__(self, records: Iterable[UserKeyRecord] = ()) -> None:
        self.records = {record.key_id: record for record in records}
        self.reads = 0
        self.down = False

    def find(self, key_id: str) -> UserKeyRecord | None:
        """Read a record."""
        self.reads += 1
        if self.down:
            raise StoreUnavailable("The key store is down.")
        return self.records.get(key_id)
