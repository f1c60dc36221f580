"""A process that serves requests until it is killed, and writes down what it was told.

Run as `python -m tests.simulation.kill_worker URL START_MS SEED`.
"""

import os
import random
import sys

from farebox.adapters.aws_wire import DYNAMODB
from farebox.adapters.ledger_store import DynamoLedgerStore
from farebox.domain.errors import StoreError
from farebox.domain.ledger import EntryKind, Hold
from farebox.domain.protocol import Held
from farebox.services.ledger import Ledger
from tests.builders import make_admission
from tests.contract import engines
from tests.fakes.randomness import FakeRandomness
from tests.simulation.hurried_clock import HurriedClock

HOLDERS = ("usr_ada", "usr_bob", "usr_eve")
ACCOUNTS_TABLE = "accounts"
ENTRIES_TABLE = "entries"


def serve(ledger: Ledger, chance: random.Random) -> None:
    """Serve one request, or sweep: every call of it is where a kill may come."""
    if chance.random() < 0.05:
        ledger.sweep_due()
        return
    admission = make_admission(
        ledger.new_rid(), account_id=chance.choice(HOLDERS), quote_nanousd=chance.randint(1, 500)
    )
    held = ledger.reserve(admission)
    if not isinstance(held, Held):
        return
    if chance.random() < 0.3:
        held = ledger.renew(admission, held) or held
    if chance.random() < 0.2:
        held = ledger.enlarge(admission, held, Hold.parse(held.hold).amount_nanousd + 50) or held
    if chance.random() < 0.2:
        ledger.void(admission, held, {})
        return
    cost_nanousd = chance.randint(0, Hold.parse(held.hold).amount_nanousd)
    resolved = ledger.settle(admission, held, cost_nanousd, {})
    if resolved.entry.kind is EntryKind.SETTLEMENT:
        line = f"{admission.account_id} {admission.rid} {resolved.entry.amount_nanousd}\n"
        os.write(sys.stdout.fileno(), line.encode())


def main(url: str, start_ms: str, seed: str) -> None:
    """Serve until killed."""
    clock = HurriedClock(int(start_ms))
    wire = engines.signed_wire(DYNAMODB, url)
    store = DynamoLedgerStore(wire, ACCOUNTS_TABLE, ENTRIES_TABLE, clock)
    ledger = Ledger(store, clock, FakeRandomness(int(seed)))
    chance = random.Random(int(seed))  # noqa: S311 - repeatable is what a test wants
    while True:
        try:
            serve(ledger, chance)
        except StoreError:
            continue


if __name__ == "__main__":
    main(*sys.argv[1:])
