"""The ledger in DynamoDB: every command is one conditional write, sent once."""

import itertools
from collections.abc import Iterator
from typing import Any, Final

from farebox.adapters.aws_wire import (
    CONDITION_FAILED,
    TRANSACTION_CANCELED,
    AwsError,
    AwsJson,
    Json,
    call_store,
)
from farebox.adapters.dynamodb_items import (
    SWEEP_SHARDS,
    Item,
    account_id_of,
    account_item,
    account_key,
    account_of,
    entry_item,
    entry_key,
    entry_of,
    entry_partition,
    months_between,
    number,
    text,
)
from farebox.adapters.dynamodb_writes import creation_of, grant_of, reset_of, update_of
from farebox.adapters.tables import HOLDS_BY_EXPIRY
from farebox.domain.ledger import Account, Entry
from farebox.domain.protocol import Applied, Command, Decide, Declined, Reply, Stands
from farebox.services.ports.clock import Clock

_SKEW_MS: Final = 3_600_000
"""Clocks differ: an entry may lie in a month that ended, or begins, this near."""

_REASON_CONDITION: Final = "ConditionalCheckFailed"


class DynamoLedgerStore:
    """The `LedgerStore` of a deployment.

    Args:
        wire: DynamoDB.
        accounts_table: Where accounts are.
        entries_table: Where entries are.
        clock: Tells how far an account's history may reach.
    """

    def __init__(
        self, wire: AwsJson, accounts_table: str, entries_table: str, clock: Clock
    ) -> None:
        self._wire = wire
        self._accounts_table = accounts_table
        self._entries_table = entries_table
        self._clock = clock

    def send(self, command: Command) -> Reply:
        """Carry out one command, once.

        Raises:
            StoreUnavailable: It may have been applied, and may even be applied later.
            StoreConflict: A transaction is in the way; it was not applied.
        """
        if isinstance(command, Decide):
            return self._decide(command.entry)
        try:
            answer = self._call("UpdateItem", update_of(command, self._accounts_table))
        except AwsError as error:
            was = _item_that_refused(error)
            return Declined(account_of(was) if was else None)
        return Applied(account_of(answer["Attributes"]))

    def _decide(self, entry: Entry) -> Stands:
        payload = creation_of(entry_item(entry), self._entries_table)
        try:
            self._call("PutItem", payload | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
        except AwsError as error:
            first = _item_that_refused(error)
            if not first:
                raise
            return Stands(entry_of(first))
        return Stands(entry)

    def account(self, account_id: str) -> Account | None:
        """Read an account, consistently."""
        item = self._get(self._accounts_table, account_key(account_id))
        return account_of(item) if item else None

    def entry(self, account_id: str, rid: str) -> Entry | None:
        """Read the entry of a request, consistently."""
        item = self._get(self._entries_table, entry_key(account_id, rid))
        return entry_of(item) if item else None

    def accounts(self, *, part: int = 0, parts: int = 1) -> Iterator[Account]:
        """Scan all accounts, or a part of them, in no order, page by page as they are consumed."""
        scan: Json = {
            "TableName": self._accounts_table,
            "ConsistentRead": True,
            "Segment": part,
            "TotalSegments": parts,
            "FilterExpression": "sk = :balance",
            "ExpressionAttributeValues": {":balance": account_key("")["sk"]},
        }
        return map(account_of, self._pages("Scan", scan))

    def entries(self, account_id: str) -> Iterator[Entry]:
        """Read all entries of an account, oldest first, page by page as they are consumed."""
        account = self.account(account_id)
        if account is None:
            return
        now_ms = self._clock.now_ms()
        for month in months_between(account.created_ms - _SKEW_MS, now_ms + _SKEW_MS):
            query = {
                "TableName": self._entries_table,
                "ConsistentRead": True,
                "KeyConditionExpression": "pk = :month",
                "ExpressionAttributeValues": {":month": text(entry_partition(account_id, month))},
            }
            yield from map(entry_of, self._pages("Query", query))

    def expiring(self, before_seconds: int, limit: int) -> list[str]:
        """List accounts whose index says a hold expired, the longest overdue first.

        The index follows the account with a delay, so an account may be missing or need nothing.
        """
        due: list[Item] = []
        for shard in SWEEP_SHARDS:
            query = {
                "TableName": self._accounts_table,
                "IndexName": HOLDS_BY_EXPIRY,
                "KeyConditionExpression": "hs = :shard AND hx <= :before",
                "ExpressionAttributeValues": {
                    ":shard": text(shard),
                    ":before": number(before_seconds),
                },
                "Limit": limit,
            }
            due.extend(itertools.islice(self._pages("Query", query), limit))
        due.sort(key=lambda item: int(item["hx"]["N"]))
        return [account_id_of(item) for item in due[:limit]]

    def reset_next_expiry(self, account_id: str, seen: int, following: int | None) -> bool:
        """Set the index to the expiry that comes next, if it still says `seen`."""
        payload = reset_of(account_id, seen, following, self._accounts_table)
        return self._applied("UpdateItem", payload)

    def open_account(self, account: Account) -> bool:
        """Create an account without credits; `False` if it exists, which is left as it is."""
        empty = Account(
            account_id=account.account_id,
            tier=account.tier,
            status=account.status,
            created_ms=account.created_ms,
        )
        payload = creation_of(account_item(empty), self._accounts_table)
        return self._applied("PutItem", payload)

    def grant(self, entry: Entry) -> bool:
        """Write the entry and raise what its account has, in one transaction.

        Returns `False`, with nothing changed, if the entry was there already.

        Raises:
            StoreUnavailable: It may have been applied.
            StoreConflict: Another transaction is in the way; it was not applied.
            LookupError: There is no such account.
        """
        payload = grant_of(entry, self._accounts_table, self._entries_table)
        try:
            self._call("TransactWriteItems", payload)
        except AwsError as error:
            if error.code != TRANSACTION_CANCELED or _REASON_CONDITION not in error.reasons:
                raise
            if error.reasons[0] == _REASON_CONDITION:
                return False
            raise LookupError(f"a grant to {entry.account_id}, which does not exist") from error
        return True

    def _applied(self, operation: str, payload: Json) -> bool:
        try:
            self._call(operation, payload)
        except AwsError as error:
            if error.code != CONDITION_FAILED:
                raise
            return False
        return True

    def _get(self, table: str, key: Item) -> Item | None:
        payload = {"TableName": table, "Key": key, "ConsistentRead": True}
        item: Item | None = self._call("GetItem", payload).get("Item")
        return item

    def _pages(self, operation: str, payload: Json) -> Iterator[Item]:
        start: Json = {}
        while True:
            answer = self._call(operation, payload | start)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _call(self, operation: str, payload: Json) -> Json:
        return call_store(self._wire, operation, payload)


def _item_that_refused(error: AwsError) -> dict[str, dict[str, Any]] | None:
    """Give the item a condition failed on, `None` if there was none; anything else is raised."""
    if error.code != CONDITION_FAILED:
        raise error
    return error.item
