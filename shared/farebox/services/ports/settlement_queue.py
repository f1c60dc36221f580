"""Where a decision waits that the store would not take in time."""

from typing import Protocol

from farebox.domain.protocol import Deciding


class SettlementQueue(Protocol):
    """A durable queue whose consumer runs the same idempotent steps again."""

    def put(self, deciding: Deciding) -> None:
        """Keep the decision; raises `StoreUnavailable` if even that fails."""
        ...
