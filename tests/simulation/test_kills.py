"""Real processes on a real engine, killed without warning in the middle of their requests.

Time runs sixty times as fast for them, so that their leases end while the test waits.
"""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from farebox.adapters.aws_wire import DYNAMODB, AwsJson
from farebox.adapters.ledger_store import DynamoLedgerStore
from farebox.adapters.tables import ACCOUNTS, ENTRIES
from farebox.domain.errors import StoreError
from farebox.domain.ledger import EntryKind
from farebox.services.ledger import Ledger
from tests.builders import open_with_credits
from tests.contract import engines
from tests.fakes.books import check_books
from tests.fakes.randomness import FakeRandomness
from tests.simulation.hurried_clock import HURRY, HurriedClock
from tests.simulation.kill_worker import ACCOUNTS_TABLE, ENTRIES_TABLE, HOLDERS

ROOT: Final = Path(__file__).parents[2]
ENGINES: Final = {"dynoxide": engines.dynoxide, "ministack": engines.ministack}
CREDITS_NANOUSD: Final = 10_000_000


@dataclass(slots=True)
class Arena:
    """An engine with tables, and the processes that fight over them."""

    url: str
    wire: AwsJson
    directory: Path
    seed: int
    start_ms: int = field(default_factory=lambda: int(time.time() * 1_000))
    logs: list[Path] = field(default_factory=list)

    @property
    def clock(self) -> HurriedClock:
        """The clock everybody shares."""
        return HurriedClock(self.start_ms)

    @property
    def store(self) -> DynamoLedgerStore:
        """A store of our own over the same tables."""
        return DynamoLedgerStore(self.wire, ACCOUNTS_TABLE, ENTRIES_TABLE, self.clock)

    @property
    def ledger(self) -> Ledger:
        """A ledger of our own over the same tables."""
        return Ledger(self.store, self.clock, FakeRandomness(self.seed))

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start one more process, with a seed and a log of its own."""
        log = self.directory / f"told-{len(self.logs)}"
        self.logs.append(log)
        arguments = [self.url, self.start_ms, self.seed * 10_000 + len(self.logs)]
        with log.open("wb") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.simulation.kill_worker", *map(str, arguments)],
                stdout=out,
                cwd=ROOT,
                env={"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}"},
            )

    def told(self) -> Iterator[tuple[str, str, int]]:
        """Give every settlement a worker was told of: account, request, cost."""
        for log in self.logs:
            for line in log.read_text().splitlines(keepends=True):
                if line.endswith("\n"):
                    account_id, rid, cost_nanousd = line.split()
                    yield account_id, rid, int(cost_nanousd)


@contextmanager
def make_arena(url: str, directory: Path, seed: int) -> Iterator[Arena]:
    """Create the tables, and accounts with plenty of credits."""
    with closing(engines.signed_wire(DYNAMODB, url)) as wire:
        wire.call("CreateTable", ACCOUNTS.creation(ACCOUNTS_TABLE))
        wire.call("CreateTable", ENTRIES.creation(ENTRIES_TABLE))
        arena = Arena(url, wire, directory, seed)
        for account_id in HOLDERS:
            open_with_credits(arena.store, CREDITS_NANOUSD, account_id=account_id)
        yield arena


@contextmanager
def every_minute(act: Callable[[], object]) -> Iterator[None]:
    """Run something once a minute of the hurried clock while the block lasts."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(60 / HURRY):
            try:
                act()
            except StoreError:
                continue

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def kill_at_random(arena: Arena, *, workers: int, kills: int) -> None:
    """Keep so many workers running, and kill one after the other."""
    chance = random.Random(arena.seed)  # noqa: S311 - repeatable is what a test wants
    with ExitStack() as stack:
        running = [stack.enter_context(arena.start_worker()) for _ in range(workers)]
        for _ in range(kills):
            time.sleep(chance.uniform(0.1, 0.4))
            victim = chance.randrange(workers)
            running[victim].kill()
            running[victim] = stack.enter_context(arena.start_worker())
        time.sleep(0.6)
        for worker in running:
            worker.kill()


def seconds_until_no_hold_is_left(arena: Arena) -> float:
    """Wait for the sweeper; gives how long it took by the arena's clock."""
    died_ms = arena.clock.now_ms()
    store = arena.store
    while any(account.holds for account in store.accounts()):
        if arena.clock.now_ms() - died_ms > 600_000:
            break
        time.sleep(0.05)
    return (arena.clock.now_ms() - died_ms) / 1_000


def check_a_massacre(arena: Arena, *, workers: int, kills: int) -> None:
    with every_minute(arena.ledger.sweep_due):
        kill_at_random(arena, workers=workers, kills=kills)
        recovered_seconds = seconds_until_no_hold_is_left(arena)

    store, told = arena.store, list(arena.told())
    kinds = {entry.kind for each in HOLDERS for entry in store.entries(each)}
    check_books(store)
    assert recovered_seconds <= 240
    assert len(told) > kills
    assert kinds >= {EntryKind.SETTLEMENT, EntryKind.VOID, EntryKind.EXPIRY}
    for account_id, rid, cost_nanousd in told:
        entry = store.entry(account_id, rid)
        assert entry is not None
        assert (entry.kind, entry.amount_nanousd) == (EntryKind.SETTLEMENT, cost_nanousd)


def test_workers_that_are_killed_leave_clean_books(tmp_path: Path) -> None:
    with engines.dynoxide(tmp_path) as url, make_arena(url, tmp_path, seed=1) as arena:
        check_a_massacre(arena, workers=3, kills=10)


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_five_hundred_kills_leave_clean_books(engine: str, tmp_path: Path) -> None:
    with ENGINES[engine](tmp_path) as url, make_arena(url, tmp_path, seed=2) as arena:
        check_a_massacre(arena, workers=16, kills=500)
