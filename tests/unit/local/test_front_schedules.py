"""The queue that feeds a function, over a scripted SQS."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from farebox.adapters.aws_wire import Json
from local.schedules import Function, Handler, Queue

QUEUE_URL = "http://127.0.0.1:1/000000000000/farebox-settlements"


class ScriptedSqs:
    """Gives two messages once, and notes what is deleted."""

    def __init__(self) -> None:
        self.messages = [
            {"MessageId": "m1", "ReceiptHandle": "r1", "Body": "first"},
            {"MessageId": "m2", "ReceiptHandle": "r2", "Body": "second"},
        ]
        self.deleted: list[str] = []

    def call(self, operation: str, payload: Mapping[str, Any]) -> Json:
        if operation == "DeleteMessage":
            self.deleted.append(payload["ReceiptHandle"])
            return {}
        return {"Messages": self.messages}


def deliver(sqs: ScriptedSqs, handler: Handler) -> None:
    Queue(sqs, QUEUE_URL).deliver(Function("sweep_holds", handler, 50))


def test_messages_arrive_as_lambda_has_them() -> None:
    events: list[Mapping[str, Any]] = []

    def handler(event: Mapping[str, Any], context: Any) -> None:  # noqa: ANN401 - as Lambda's is
        events.append(event)
        assert 49_000 < context.get_remaining_time_in_millis() <= 50_000

    deliver(ScriptedSqs(), handler)

    assert events[0]["Records"][0] == {
        "messageId": "m1",
        "receiptHandle": "r1",
        "body": "first",
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:farebox-settlements",
        "awsRegion": "us-east-1",
    }
    assert len(events[0]["Records"]) == 2


def test_only_messages_that_did_not_fail_are_deleted() -> None:
    sqs = ScriptedSqs()

    deliver(sqs, lambda _event, _context: {"batchItemFailures": [{"itemIdentifier": "m1"}]})

    assert sqs.deleted == ["r2"]


def test_a_function_that_raises_keeps_every_message(capfd: pytest.CaptureFixture[str]) -> None:
    sqs = ScriptedSqs()

    def handler(_event: Mapping[str, Any], _context: object) -> None:
        raise RuntimeError("store is down")

    deliver(sqs, handler)

    assert sqs.deleted == []
    assert "store is down" in capfd.readouterr().err


def test_a_function_runs_one_event_at_a_time() -> None:
    at_once = 0
    most = 0

    def handler(_event: Mapping[str, Any], _context: object) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        threading.Event().wait(0.02)
        at_once -= 1

    function = Function("sweep_holds", handler, 50)
    threads = [threading.Thread(target=function.invoke, args=({},)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1
