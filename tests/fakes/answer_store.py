"""Stored answers and idempotency records in memory, each call of which may go wrong."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from farebox.domain.errors import StoreUnavailable
from farebox.services.ports.answer_store import KEEP_SECONDS, IdempotencyRecord, StoredAnswer
from tests.fakes.clock import FakeClock
from tests.fakes.ledger_store import Crash, Fault


@dataclass
class FakeAnswerStore:
    """Keeps answers by account and request for their day."""

    clock: FakeClock
    faults: dict[int, Fault] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    there: dict[tuple[str, str], tuple[StoredAnswer, int]] = field(default_factory=dict)
    breaks_with: Exception | None = None
    """A fault no store should have, and one might."""

    def keep(self, account_id: str, rid: str, answer: StoredAnswer) -> None:
        """Keep an answer."""
        fault = _before(self.calls, "keep", self.faults)
        if self.breaks_with is not None:
            raise self.breaks_with
        self.there[account_id, rid] = (answer, self.clock.now_seconds + KEEP_SECONDS)
        _after(fault)

    def find(self, account_id: str, rid: str) -> StoredAnswer | None:
        """Fetch an answer."""
        _after(_before(self.calls, "find", self.faults))
        answer, until = self.there.get((account_id, rid), (None, 0))
        return answer if self.clock.now_seconds < until else None


@dataclass
class FakeIdempotencyStore:
    """Keeps records by account and key; its writes are atomic, and call k meets `faults[k]`."""

    clock: FakeClock
    faults: dict[int, Fault] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    there: dict[tuple[str, str], tuple[IdempotencyRecord, int]] = field(default_factory=dict)
    worker_is_dead: Callable[[], bool] = field(default=lambda: False)
    """Says of the worker that calls whether it has died elsewhere, and so cannot call."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(
        self, account_id: str, record: IdempotencyRecord, instead_of: str | None
    ) -> IdempotencyRecord:
        """Write a record if its key is free, or still stands for `instead_of`."""
        with self._lock:
            fault = self._before("claim")
            key = (account_id, record.key_hash)
            standing, until = self.there.get(key, (None, 0))
            is_free = standing is None or until <= self.clock.now_seconds
            if standing is None or is_free or standing.rid == instead_of:
                self.there[key] = (record, self.clock.now_seconds + KEEP_SECONDS)
                standing = record
            _after(fault)
            return standing

    def release(self, account_id: str, record: IdempotencyRecord) -> None:
        """Free the key, if it still stands for this record's rid."""
        with self._lock:
            fault = self._before("release")
            key = (account_id, record.key_hash)
            standing, _ = self.there.get(key, (None, 0))
            if standing is not None and standing.rid == record.rid:
                del self.there[key]
            _after(fault)

    def _before(self, call: str) -> Fault | None:
        if self.worker_is_dead():
            raise Crash("this worker died before")
        return _before(self.calls, call, self.faults)


def _before(calls: list[str], call: str, faults: dict[int, Fault]) -> Fault | None:
    calls.append(call)
    fault = faults.get(len(calls) - 1)
    if fault in (Fault.CRASH_BEFORE, Fault.THROTTLE):
        _fail(fault)
    return fault


def _after(fault: Fault | None) -> None:
    if fault in (Fault.CRASH_AFTER, Fault.LOST_REPLY):
        _fail(fault)


def _fail(fault: Fault) -> NoReturn:
    if fault in (Fault.THROTTLE, Fault.LOST_REPLY):
        raise StoreUnavailable("The store did not answer.")
    raise Crash(fault)
