"""A queue of decisions that keeps what it was given until a consumer finished it."""

from farebox.domain.errors import StoreUnavailable
from farebox.domain.protocol import Deciding
from farebox.services.ledger import Ledger


class FakeSettlementQueue:
    """At-least-once, in order; `down` makes it refuse."""

    def __init__(self) -> None:
        self.waiting: list[Deciding] = []
        self.down = False

    def put(self, deciding: Deciding) -> None:
        """Keep the decision."""
        if self.down:
            raise StoreUnavailable("The queue is down.")
        self.waiting.append(deciding)

    def drain(self, ledger: Ledger) -> int:
        """Let a consumer finish what waits; what fails stays, as on a real queue."""
        done = 0
        while self.waiting:
            ledger.finish(self.waiting[0])
            self.waiting.pop(0)
            done += 1
        return done
