"""What became of one request: its hold, its entry and how the cost came about."""

from collections.abc import Mapping
from dataclasses import dataclass

from farebox.domain.errors import NotFound
from farebox.domain.ids import is_ulid, time_of
from farebox.domain.ledger import Entry, EntryKind, Fact, Hold
from farebox.services.ports.answer_store import AnswerStore, StoredAnswer
from farebox.services.ports.ledger_store import LedgerStore

_STATES = {
    EntryKind.SETTLEMENT: "settled",
    EntryKind.VOID: "voided",
    EntryKind.EXPIRY: "expired",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """One request, as the ledger knows it."""

    rid: str
    account_id: str
    state: str
    """`pending`, `settled`, `voided` or `expired`."""
    held_nanousd: int
    cost_nanousd: int
    started_ms: int
    ended_ms: int | None
    expires_at: int | None
    """Unix seconds at which a pending hold gives itself back."""
    facts: Mapping[str, Fact]


class Receipts:
    """Finds receipts and stored answers, of one's own account only."""

    def __init__(self, store: LedgerStore, answers: AnswerStore) -> None:
        self._store = store
        self._answers = answers

    def find(self, account_id: str, rid: str) -> Receipt:
        """Find the receipt of a request.

        Raises:
            NotFound: Not an id of ours, or none of this account's requests has it.
        """
        if not is_ulid(rid):
            raise _unknown(rid)
        # Once more in the end: it may have been resolved since we looked.
        receipt = (
            self._resolved(account_id, rid)
            or self._pending(account_id, rid)
            or self._resolved(account_id, rid)
        )
        if receipt is None:
            raise _unknown(rid)
        return receipt

    def content(self, account_id: str, rid: str) -> StoredAnswer:
        """Fetch an answer that was stored because its request asked for it.

        Raises:
            NotFound: There is none, or its 24 hours are over.
        """
        answer = self._answers.find(account_id, rid) if is_ulid(rid) else None
        if answer is None:
            raise NotFound(
                "No answer is stored for this generation. Answers are kept for 24 hours when the "
                "request carries Idempotency-Key or X-Store-Answer.",
                "id",
            )
        return answer

    def _resolved(self, account_id: str, rid: str) -> Receipt | None:
        entry = self._store.entry(account_id, rid)
        return _of_entry(entry) if entry is not None and entry.kind in _STATES else None

    def _pending(self, account_id: str, rid: str) -> Receipt | None:
        account = self._store.account(account_id)
        if account is None or rid not in account.holds:
            return None
        hold = Hold.parse(account.holds[rid])
        return Receipt(
            rid=rid,
            account_id=account_id,
            state="pending",
            held_nanousd=hold.amount_nanousd,
            cost_nanousd=0,
            started_ms=time_of(rid),
            ended_ms=None,
            expires_at=hold.expires_at,
            facts={},
        )


def _of_entry(entry: Entry) -> Receipt:
    return Receipt(
        rid=entry.rid,
        account_id=entry.account_id,
        state=_STATES[entry.kind],
        held_nanousd=entry.hold_nanousd,
        cost_nanousd=entry.amount_nanousd,
        started_ms=time_of(entry.rid),
        ended_ms=entry.at_ms,
        expires_at=None,
        facts=entry.facts,
    )


def _unknown(rid: str) -> NotFound:
    return NotFound(f"There is no generation '{rid}'.", "id")
