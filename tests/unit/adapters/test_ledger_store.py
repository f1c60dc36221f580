"""The store's own decisions, over a wire that answers from a list; the rest is the contract's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from farebox.adapters.aws_wire import AwsError, AwsUnreachable, AwsWireError, Json
from farebox.adapters.dynamodb_items import account_item, entry_item
from farebox.adapters.ledger_store import DynamoLedgerStore
from farebox.domain.errors import StoreConflict, StoreUnavailable
from farebox.domain.protocol import Decide, Reserve
from tests.builders import ACCOUNT, make_account, make_admission, make_entry, make_grant, make_hold
from tests.fakes.clock import NOON_MS, FakeClock

CONDITION_FAILED = AwsError("ConditionalCheckFailedException", "no", 400)
FORBIDDEN = AwsError("AccessDeniedException", "no", 400)
THROTTLED = AwsError("ThrottlingException", "no", 400)
CONFLICT = AwsError("TransactionConflictException", "no", 400)
DECEMBER_1ST_MS = 1_796_083_200_000


def canceled(*reasons: str) -> AwsError:
    """Make the error of a transaction that was not carried out."""
    return AwsError("TransactionCanceledException", "no", 400, reasons=reasons)


@dataclass(slots=True)
class ListedWire:
    """A wire whose answers are known beforehand."""

    answers: list[Json | AwsWireError]
    calls: list[tuple[str, Json]] = field(default_factory=list)

    def call(self, operation: str, payload: Mapping[str, Any]) -> Json:
        """Give the next answer, or raise it."""
        self.calls.append((operation, dict(payload)))
        answer = self.answers.pop(0)
        if isinstance(answer, AwsWireError):
            raise answer
        return answer


def make_store(*answers: Json | AwsWireError, now_ms: int = NOON_MS) -> DynamoLedgerStore:
    """Make a store that gets these answers."""
    return DynamoLedgerStore(ListedWire([*answers]), "accounts", "entries", FakeClock(now_ms))


RESERVE = Reserve(make_admission(), make_hold())
DECIDE = Decide(make_entry())


class TestSend:
    @pytest.mark.parametrize("command", [RESERVE, DECIDE])
    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (AwsUnreachable("cut short"), StoreUnavailable),
            (THROTTLED, StoreUnavailable),
            (CONFLICT, StoreConflict),
            (FORBIDDEN, AwsError),
        ],
    )
    def test_what_is_no_answer_to_the_command_is_raised_after_one_attempt(
        self, command: Reserve | Decide, error: AwsWireError, expected: type[Exception]
    ) -> None:
        wire = ListedWire([error])
        store = DynamoLedgerStore(wire, "accounts", "entries", FakeClock())

        with pytest.raises(expected):
            store.send(command)

        assert len(wire.calls) == 1

    def test_a_decision_refused_without_the_entry_that_stands_is_an_error(self) -> None:
        store = make_store(CONDITION_FAILED)

        with pytest.raises(AwsError):
            store.send(DECIDE)


class TestPaging:
    def test_a_scan_goes_on_where_its_last_page_ended(self) -> None:
        ada, bob = make_account(), make_account("usr_bob")
        last = {"pk": {"S": "A#usr_ada#0"}, "sk": {"S": "BAL"}}
        wire = ListedWire(
            [
                {"Items": [account_item(ada)], "LastEvaluatedKey": last},
                {"Items": [], "LastEvaluatedKey": last},
                {"Items": [account_item(bob)]},
            ]
        )
        store = DynamoLedgerStore(wire, "accounts", "entries", FakeClock())

        found = list(store.accounts())

        assert found == [ada, bob]
        starts = [payload.get("ExclusiveStartKey") for _, payload in wire.calls]
        assert starts == [None, last, last]

    def test_pages_are_asked_for_as_they_are_consumed(self) -> None:
        page = {"Items": [account_item(make_account())], "LastEvaluatedKey": {"pk": {"S": "x"}}}
        wire = ListedWire([page])

        next(DynamoLedgerStore(wire, "accounts", "entries", FakeClock()).accounts())

        assert len(wire.calls) == 1


class TestEntries:
    def test_every_month_since_the_account_was_made_is_read_and_no_other(self) -> None:
        account = make_account(created_ms=NOON_MS)
        wire = ListedWire([{"Item": account_item(account)}, {"Items": []}, {"Items": []}])
        store = DynamoLedgerStore(wire, "accounts", "entries", FakeClock(DECEMBER_1ST_MS))

        assert list(store.entries(ACCOUNT)) == []

        asked = [payload["ExpressionAttributeValues"] for _, payload in wire.calls[1:]]
        assert asked == [
            {":month": {"S": "E#usr_ada#0#202611"}},
            {":month": {"S": "E#usr_ada#0#202612"}},
        ]

    def test_a_clock_just_behind_the_turn_of_the_month_misses_nothing(self) -> None:
        account = make_account(created_ms=NOON_MS)
        early = make_entry()
        wire = ListedWire(
            [{"Item": account_item(account)}, {"Items": []}, {"Items": [entry_item(early)]}]
        )
        store = DynamoLedgerStore(wire, "accounts", "entries", FakeClock(DECEMBER_1ST_MS - 60_000))

        assert list(store.entries(ACCOUNT)) == [early]


class TestGrant:
    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (AwsUnreachable("cut short"), StoreUnavailable),
            (canceled("None", "TransactionConflict"), StoreConflict),
            (canceled("ThrottlingError", "None"), StoreUnavailable),
            (canceled("None", "ConditionalCheckFailed"), LookupError),
            (canceled("None", "ValidationError"), AwsError),
            (FORBIDDEN, AwsError),
        ],
    )
    def test_what_kept_it_from_being_made_is_raised(
        self, error: AwsWireError, expected: type[Exception]
    ) -> None:
        with pytest.raises(expected):
            make_store(error).grant(make_grant(5))

    def test_an_entry_that_was_there_is_no_error(self) -> None:
        granted = make_store(canceled("ConditionalCheckFailed", "None")).grant(make_grant(5))

        assert not granted


class TestConditionalWrites:
    def test_any_refusal_but_the_condition_is_raised(self) -> None:
        with pytest.raises(AwsError):
            make_store(FORBIDDEN).open_account(make_account())
        with pytest.raises(AwsError):
            make_store(FORBIDDEN).reset_next_expiry(ACCOUNT, 1, 2)
