"""User key records in the App table: `K#<key id>` / `KEY`."""

from farebox.adapters.aws_wire import AwsJson, call_store
from farebox.adapters.dynamodb_items import Item, text
from farebox.domain.identity import CallerKind, Principal, UserKeyRecord
from farebox.domain.tiers import parse_tier
from farebox.services.ports.clock import Clock


class DynamoKeyStore:
    """Implements the `KeyStore` port."""

    def __init__(self, wire: AwsJson, app_table: str, clock: Clock) -> None:
        self._wire = wire
        self._table = app_table
        self._clock = clock

    def find(self, key_id: str) -> UserKeyRecord | None:
        """Read a key's record; see the port.

        The table's own expiry is late by up to days, so it is checked on every read.
        """
        key = {"pk": text(f"K#{key_id}"), "sk": text("KEY")}
        answer = call_store(self._wire, "GetItem", {"TableName": self._table, "Key": key})
        item: Item | None = answer.get("Item")
        if item is None:
            return None
        record = _record(key_id, item)
        expires_at = record.principal.expires_at
        if expires_at is not None and expires_at <= self._clock.now_ms() // 1000:
            return None
        return record


def _record(key_id: str, item: Item) -> UserKeyRecord:
    return UserKeyRecord(
        key_id=key_id,
        hash=item["hash"]["S"],
        pepper=item["pepper"]["S"],
        status=item["status"]["S"],
        principal=Principal(
            user_id=item["user_id"]["S"],
            account_id=item["account"]["S"],
            tier=parse_tier(item["tier"]["S"]),
            kind=CallerKind.USER,
            key_id=key_id,
            scopes=frozenset(_texts(item, "scopes") or ()),
            key_name=item["name"]["S"] if "name" in item else "",
            models=_texts(item, "models"),
            keyslot=item["keyslot"]["S"] if "keyslot" in item else "",
            budget_nanousd=_integer(item, "budget"),
            expires_at=_integer(item, "exp"),
            created_ms=_integer(item, "created") or 0,
        ),
    )


def _integer(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None


def _texts(item: Item, name: str) -> frozenset[str] | None:
    return frozenset(each["S"] for each in item[name]["L"]) if name in item else None
