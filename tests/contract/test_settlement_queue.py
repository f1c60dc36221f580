"""Decisions over a real queue: what is put there is what a consumer reads."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from farebox.adapters.aws_boto import BotoAwsJson
from farebox.adapters.aws_json import HttpAwsJson
from farebox.adapters.aws_wire import SQS, AwsJson, Endpoint
from farebox.adapters.settlement_queue import SqsSettlementQueue, deciding_of
from farebox.domain.errors import StoreUnavailable
from farebox.domain.ledger import Fact
from farebox.domain.protocol import Deciding
from tests.builders import make_entry, make_hold
from tests.contract import engines
from tests.contract.scripted_server import ScriptedServer

_numbers: Final = itertools.count(1)


@pytest.fixture(scope="module")
def slim_queue_wire(ministack_url: str) -> Iterator[HttpAwsJson]:
    wire = engines.signed_wire(SQS, ministack_url)
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def boto_queue_wire(ministack_url: str) -> BotoAwsJson:
    endpoint = Endpoint(engines.REGION, ministack_url)
    return BotoAwsJson.connect(SQS, endpoint, engines.CREDENTIALS)


@pytest.fixture(params=["slim_queue_wire", "boto_queue_wire"])
def queue_wire(request: pytest.FixtureRequest) -> AwsJson:
    wire: AwsJson = request.getfixturevalue(request.param)
    return wire


def test_a_decision_comes_back_as_it_was_put(queue_wire: AwsJson) -> None:
    created = queue_wire.call("CreateQueue", {"QueueName": f"settlements-{next(_numbers)}"})
    facts: dict[str, Fact] = {"model": "gpt-5", "note": "Zoë", "tokens": 1_234, "estimated": True}
    deciding = Deciding(replace(make_entry(amount_nanousd=40), facts=facts), str(make_hold(100)))

    SqsSettlementQueue(queue_wire, created["QueueUrl"]).put(deciding)

    received = queue_wire.call("ReceiveMessage", {"QueueUrl": created["QueueUrl"]})
    assert [deciding_of(each["Body"]) for each in received["Messages"]] == [deciding]


def test_a_queue_that_is_down_says_so() -> None:
    with ScriptedServer() as server:
        pass
    queue = SqsSettlementQueue(engines.signed_wire(SQS, server.url), f"{server.url}/settlements")

    with pytest.raises(StoreUnavailable):
        queue.put(Deciding(make_entry(), ""))
