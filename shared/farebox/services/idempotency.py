"""Idempotency-Key: at most one provider call a key, and the answer again for who asks again.

A key is claimed before anything is reserved, and points at the request it stands for; what became
of that request is read from its entry, so there is no second record of it to disagree.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from farebox.domain.errors import (
    Conflict,
    IdempotencyKeyReused,
    InvalidValue,
    StoreError,
    StoreUnavailable,
)
from farebox.domain.ledger import LEASE_SECONDS, EntryKind
from farebox.services.ports.answer_store import (
    AnswerStore,
    IdempotencyRecord,
    IdempotencyStore,
    StoredAnswer,
)
from farebox.services.ports.clock import Clock
from farebox.services.ports.ledger_store import LedgerStore
from farebox.services.ports.metrics import Metrics

LONGEST_KEY: Final = 255

FRESH_SECONDS: Final = 100
"""A request that claimed a key calls no provider later than this: by `LEASE_SECONDS` after the
claim another may take the key over, if nothing was reserved for it."""

_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer an earlier request with this key got."""

    rid: str
    answer: StoredAnswer


class Ticket:
    """Leave to run; knows whether the answer is to be kept, and under what."""

    def __init__(
        self,
        idempotency: "Idempotency",
        account_id: str,
        rid: str,
        record: IdempotencyRecord | None,
        *,
        keeps: bool,
    ) -> None:
        self._idempotency = idempotency
        self._account_id = account_id
        self._rid = rid
        self._record = record
        self._keeps = keeps

    def give_back(self) -> None:
        """Free the key: the request was refused before it was reserved."""
        if self._record is not None:
            self._idempotency.give_back(self._account_id, self._record)

    def check_fresh(self) -> None:
        """Refuse to go on when another may have taken the key over.

        Raises:
            StoreUnavailable: The claim is older than `FRESH_SECONDS`.
        """
        if self._record is not None:
            self._idempotency.check_fresh(self._record)

    def keeper(self, content_type: str) -> Callable[[bytes], None] | None:
        """Give what keeps the answer's body, `None` if it is not to be kept."""
        if not self._keeps:
            return None
        return lambda body: self._idempotency.keep(
            self._account_id, self._rid, StoredAnswer(_OK, content_type, body)
        )


class Idempotency:
    """Hands out tickets."""

    def __init__(
        self,
        ledger_store: LedgerStore,
        records: IdempotencyStore,
        answers: AnswerStore,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._ledger_store = ledger_store
        self._records = records
        self._answers = answers
        self._clock = clock
        self._metrics = metrics

    def begin(
        self, account_id: str, rid: str, *, key: str | None, body: bytes, store_answer: bool
    ) -> Ticket | Replay:
        """Claim the key for this request, or find out what became of the one it stands for.

        Without a key this touches no store.

        Raises:
            InvalidValue: The key is empty, too long or not printable ASCII.
            IdempotencyKeyReused: It stands for another body.
            Conflict: Its request is in progress, or its answer is not to be had.
            StoreUnavailable: The key cannot be claimed now.
        """
        if key is None:
            return Ticket(self, account_id, rid, None, keeps=store_answer)
        if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
            raise InvalidValue(
                f"Idempotency-Key must be 1 to {LONGEST_KEY} printable ASCII characters.",
                "Idempotency-Key",
            )
        record = IdempotencyRecord(
            key_hash=hashlib.sha256(key.encode()).hexdigest(),
            body_hash=hashlib.sha256(body).hexdigest(),
            rid=rid,
            made_ms=self._clock.now_ms(),
        )
        standing = self._records.claim(account_id, record, None)
        if standing.rid == rid:
            return Ticket(self, account_id, rid, record, keeps=True)
        if standing.body_hash != record.body_hash:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used with another body.", "Idempotency-Key"
            )
        replay = self._earlier(account_id, standing)
        if replay is not None:
            return replay
        if self._records.claim(account_id, record, standing.rid).rid != rid:
            raise _in_progress(standing)
        return Ticket(self, account_id, rid, record, keeps=True)

    def _earlier(self, account_id: str, standing: IdempotencyRecord) -> Replay | None:
        """Find the earlier answer; `None` if its request is proven to have called no provider."""
        entry = self._ledger_store.entry(account_id, standing.rid)
        if entry is None:
            self._refuse_unless_dead(account_id, standing)
            # It has no hold now: it never had one, or its entry was written since we looked.
            entry = self._ledger_store.entry(account_id, standing.rid)
        if entry is None or entry.kind is EntryKind.VOID:
            return None
        if entry.kind is EntryKind.SETTLEMENT:
            answer = self._answers.find(account_id, standing.rid)
            if answer is not None:
                return Replay(standing.rid, answer)
        raise Conflict(
            "A request with this Idempotency-Key ended without an answer that could be kept. "
            "See GET /v1/generation.",
            "idempotency_no_answer",
            standing.rid,
        )

    def _refuse_unless_dead(self, account_id: str, standing: IdempotencyRecord) -> None:
        account = self._ledger_store.account(account_id)
        is_open = account is not None and standing.rid in account.holds
        age_ms = self._clock.now_ms() - standing.made_ms
        if is_open or age_ms < LEASE_SECONDS * 1000:
            raise _in_progress(standing)

    def give_back(self, account_id: str, record: IdempotencyRecord) -> None:
        """Free a key whose request was refused; one that cannot be freed now frees itself."""
        try:
            self._records.release(account_id, record)
        except StoreError:
            self._metrics.count("IdempotencyKeyNotReleased")

    def keep(self, account_id: str, rid: str, answer: StoredAnswer) -> None:
        """Keep an answer; one that cannot be kept is given all the same."""
        try:
            self._answers.keep(account_id, rid, answer)
        except Exception:  # noqa: BLE001 - it is paid for, and worth more than its copy
            self._metrics.count("AnswerNotStored")

    def check_fresh(self, record: IdempotencyRecord) -> None:
        """See `Ticket.check_fresh`."""
        if self._clock.now_ms() - record.made_ms > FRESH_SECONDS * 1000:
            raise StoreUnavailable("The request took too long to be admitted.")


def _in_progress(standing: IdempotencyRecord) -> Conflict:
    return Conflict(
        "A request with this Idempotency-Key is in progress.",
        "idempotency_in_progress",
        standing.rid,
    )
