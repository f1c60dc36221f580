"""Where accounts and entries live: single-item writes that are conditional and durable."""

from collections.abc import Iterator
from typing import Protocol

from farebox.domain.ledger import Account, Entry
from farebox.domain.protocol import Command, Reply


class LedgerStore(Protocol):
    """A store of the ledger.

    Every method may raise `StoreUnavailable` (the write may or may not have been applied, and may
    even be applied later); the writes also `StoreConflict` (nothing was applied).
    """

    def send(self, command: Command) -> Reply:
        """Carry out one command, once: no retry of its own, for the protocol decides on that."""
        ...

    def account(self, account_id: str) -> Account | None:
        """Read an account, consistently."""
        ...

    def entry(self, account_id: str, rid: str) -> Entry | None:
        """Read the entry of a request, consistently."""
        ...

    def accounts(self, *, part: int = 0, parts: int = 1) -> Iterator[Account]:
        """Scan all accounts, in no order, or one of `parts` that are all of them together."""
        ...

    def entries(self, account_id: str) -> Iterator[Entry]:
        """Read all entries of an account, oldest first."""
        ...

    def expiring(self, before_seconds: int, limit: int) -> list[str]:
        """List accounts whose index says a hold expired before then; the index may be stale."""
        ...

    def reset_next_expiry(self, account_id: str, seen: int, following: int | None) -> bool:
        """Set the index to the expiry that comes next, if it still says `seen`.

        `None` removes it, and is applied only while the account has no hold: one that was made
        in between would never be swept. Returns whether it was applied.
        """
        ...

    def open_account(self, account: Account) -> bool:
        """Create an account without credits; `False` if it exists, which is left as it is."""
        ...

    def grant(self, entry: Entry) -> bool:
        """Write the entry and raise `available` and `granted` by its amount, in one transaction.

        Returns `False`, with nothing changed, if the entry was there already; raises `LookupError`
        if there is no such account.
        """
        ...
