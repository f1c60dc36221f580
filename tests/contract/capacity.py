"""What DynamoDB charges for a write, computed from its documented rules.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
(read 2026-11).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from farebox.adapters.aws_wire import AwsJson, Json
from farebox.adapters.dynamodb_items import Item

WRITE_UNIT_BYTES = 1_024


def item_bytes(item: Item) -> int:
    """Give the size of an item, which is what its writes are charged by."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(item: Item) -> int:
    """Give the write request units of putting this item, or updating it to or from this."""
    return -(-item_bytes(item) // WRITE_UNIT_BYTES)


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        digits = content.lstrip("-").strip("0")
        return 1 + -(-len(digits) // 2)
    if kind == "BOOL":
        return 1
    if kind == "M":
        return 3 + item_bytes(content) + len(content)
    raise ValueError(f"a {kind} is nothing the ledger stores")


@dataclass(slots=True)
class MeteredWire:
    """A wire that asks what every call consumed, and adds it up."""

    wire: AwsJson
    consumed: list[float] = field(default_factory=list)

    def call(self, operation: str, payload: Mapping[str, Any]) -> Json:
        """Make the call; its capacity goes to `consumed`."""
        answer = self.wire.call(operation, {**payload, "ReturnConsumedCapacity": "TOTAL"})
        self.consumed.append(answer["ConsumedCapacity"]["CapacityUnits"])
        return answer
