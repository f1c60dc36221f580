"""Whether what a request needs is there."""

from farebox.domain.errors import StoreError
from farebox.domain.ledger import HOUSE
from farebox.services.ports.ledger_store import LedgerStore


class CheckHealth:
    """Asks the ledger's store for something small."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    def __call__(self) -> bool:
        """Tell whether the ledger answers."""
        try:
            self._store.account(HOUSE)
        except StoreError:
            return False
        return True
