"""The App table in memory, as far as one item at a time is concerned."""

from collections.abc import Mapping
from typing import Any

from farebox.adapters.aws_wire import CONDITION_FAILED, AwsError, AwsWireError, Json


class AppTable:
    """Puts, gets and deletes items; evaluates conditions whose clauses are joined by OR."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Json] = {}
        self.calls: list[tuple[str, Json]] = []
        self.fails_with: AwsWireError | None = None

    def call(self, operation: str, payload: Mapping[str, Any]) -> Json:
        """Make one call."""
        self.calls.append((operation, dict(payload)))
        if self.fails_with is not None:
            raise self.fails_with
        there = payload.get("Item") or payload["Key"]
        place = (there["pk"]["S"], there["sk"]["S"])
        item = self.items.get(place)
        if operation == "GetItem":
            return {} if item is None else {"Item": item}
        _check(item, payload)
        if operation == "PutItem":
            self.items[place] = payload["Item"]
        else:
            self.items.pop(place, None)
        return {}


def _check(item: Json | None, payload: Mapping[str, Any]) -> None:
    condition = payload.get("ConditionExpression")
    if condition is not None and not any(
        _holds(clause, item or {}, payload) for clause in condition.split(" OR ")
    ):
        shown = item if payload.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else None
        raise AwsError(CONDITION_FAILED, "no", 400, item=shown)


def _holds(clause: str, item: Json, payload: Mapping[str, Any]) -> bool:
    if clause == "attribute_not_exists(pk)":
        return "pk" not in item
    name, comparison, value = clause.split(" ")
    name = payload.get("ExpressionAttributeNames", {}).get(name, name)
    ((kind, wanted),) = payload["ExpressionAttributeValues"][value].items()
    there = item.get(name, {}).get(kind)
    if there is None:
        return False
    return bool(int(there) <= int(wanted) if comparison == "<=" else there == wanted)
