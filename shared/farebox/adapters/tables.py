"""The three DynamoDB tables as data.

Local seeding and the tests create them from it, and the deployed template is checked against it.
"""

from dataclasses import dataclass
from typing import Any, Final

from farebox.adapters.aws_wire import Json

HOLDS_BY_EXPIRY: Final = "holds-by-expiry"
"""Accounts that may have holds, by the second the first of them expires."""


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index that copies the keys only."""

    name: str
    hash_key: str
    """Always a string."""
    range_key: str
    """Always a number."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, paid by the request, with the string keys `pk` and `sk`."""

    setting: str
    """The environment variable that names it."""
    indexes: tuple[Index, ...] = ()
    keeps_money: bool = False
    """Whether it has point-in-time recovery and deletion protection."""
    expiry_attribute: str | None = None
    """Names the attribute after whose time an item may disappear; `None` keeps everything."""

    def creation(self, name: str) -> Json:
        """Compose the CreateTable call for a table of this kind."""
        attributes = {"pk": "S", "sk": "S"}
        for index in self.indexes:
            attributes |= {index.hash_key: "S", index.range_key: "N"}
        creation: Json = {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": attribute, "AttributeType": kind}
                for attribute, kind in attributes.items()
            ],
            "KeySchema": _key_schema("pk", "sk"),
        }
        if self.indexes:
            creation["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": index.name,
                    "KeySchema": _key_schema(index.hash_key, index.range_key),
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
                for index in self.indexes
            ]
        return creation


ACCOUNTS: Final = Table(
    "ACCOUNTS_TABLE", indexes=(Index(HOLDS_BY_EXPIRY, "hs", "hx"),), keeps_money=True
)
ENTRIES: Final = Table("ENTRIES_TABLE", keeps_money=True)
APP: Final = Table("APP_TABLE", expiry_attribute="exp")
TABLES: Final = (ACCOUNTS, ENTRIES, APP)


def _key_schema(hash_key: str, range_key: str) -> list[dict[str, Any]]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]
