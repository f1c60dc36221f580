"""Decisions the store would not take, kept in SQS until a consumer can carry them out.

The queue may deliver a message twice or late. That is harmless: the steps of a decision may be run
again at any time, and the first entry written for a request stands.
"""

import json
from dataclasses import fields
from typing import Final

from farebox.adapters.aws_wire import AwsJson, call_store
from farebox.domain.ledger import Entry, EntryKind
from farebox.domain.protocol import Deciding

_FIELDS: Final = tuple(each.name for each in fields(Entry))


class SqsSettlementQueue:
    """The `SettlementQueue` of a deployment.

    Args:
        wire: SQS.
        queue_url: Which queue.
    """

    def __init__(self, wire: AwsJson, queue_url: str) -> None:
        self._wire = wire
        self._queue_url = queue_url

    def put(self, deciding: Deciding) -> None:
        """Keep the decision; raises `StoreUnavailable` if even that fails."""
        message = {"QueueUrl": self._queue_url, "MessageBody": message_of(deciding)}
        call_store(self._wire, "SendMessage", message)


def message_of(deciding: Deciding) -> str:
    """Write a decision as the body of a message."""
    entry = {name: getattr(deciding.entry, name) for name in _FIELDS}
    entry["facts"] = dict(deciding.entry.facts)
    return json.dumps({"entry": entry, "hold": deciding.hold})


def deciding_of(body: str) -> Deciding:
    """Read a decision back from the body of a message."""
    message = json.loads(body)
    entry = message["entry"]
    return Deciding(Entry(**{**entry, "kind": EntryKind(entry["kind"])}), message["hold"])
