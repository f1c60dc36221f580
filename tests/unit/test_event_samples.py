"""events/*.json: samples for `sam local invoke`, of the shape AWS sends."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from farebox.adapters.settlement_queue import deciding_of
from farebox.api.routes import match
from farebox.domain.chat_request import parse_chat_request
from farebox.domain.identity import user_key_id
from farebox.domain.ledger import Hold
from farebox.runtime.event import http_scope, request_body
from farebox.runtime.runtime_api import InvocationContext
from local.template_routes import TemplateRoutes, functions, read_template

ROOT = Path(__file__).parents[2]
TEMPLATE = read_template(ROOT / "template.yaml")
SERVED = TemplateRoutes.of(TEMPLATE)
STAGE = TEMPLATE["Resources"]["Api"]["Properties"]["StageName"]
OPERATIONS = {
    "chat": "create_chat_completion",
    "credits": "get_balance",
    "account": "get_key",
    "system": "get_health",
}
"""The operation each function's sample asks for."""


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def test_every_function_has_a_sample_and_every_sample_a_function() -> None:
    samples = {file.stem for file in ROOT.glob("events/*.json")}

    assert samples - {"sweep_holds_settlements"} == set(functions(TEMPLATE))
    assert samples == {*OPERATIONS, "sweep_holds", "sweep_holds_settlements"}


@pytest.mark.parametrize(("function", "operation"), OPERATIONS.items())
class TestHttpSamples:
    def test_it_reaches_its_function_through_the_event_it_names(
        self, function: str, operation: str
    ) -> None:
        event = sample(function)

        assert SERVED.route_for(event["httpMethod"], event["path"]) == function
        assert match(event["httpMethod"], event["path"]).route.name == operation
        assert event["resource"] in {each.path for each in SERVED.events}

    def test_it_says_everything_twice_as_api_gateway_does(
        self, function: str, operation: str
    ) -> None:
        event = sample(function)
        context = event["requestContext"]

        assert event["multiValueHeaders"] == {
            name: [value] for name, value in event["headers"].items()
        }
        assert context["resourcePath"] == event["resource"]
        assert (context["httpMethod"], context["stage"]) == (event["httpMethod"], STAGE)
        assert context["path"] == f"/{STAGE}{event['path']}", operation

    def test_the_runtime_understands_it(self, function: str, operation: str) -> None:
        event = sample(function)

        scope = http_scope(event, InvocationContext("id", 0, "arn"))

        assert match(scope["method"], scope["path"]).route.name == operation

    def test_its_key_is_well_formed_and_nobodys(self, function: str, operation: str) -> None:
        header = sample(function)["headers"].get("authorization")

        if operation == "get_health":
            assert header is None
        else:
            assert user_key_id(header.removeprefix("Bearer ")) == "000000000000"


def test_the_chat_sample_is_a_streamed_conversation() -> None:
    body = json.loads(request_body(sample("chat")))

    asked = parse_chat_request(body)

    assert asked.stream
    assert body["model"] == "gpt-4o-mini"


def test_the_schedules_sample_carries_no_records() -> None:
    event = sample("sweep_holds")

    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert "Records" not in event


def test_the_queues_sample_settles_the_hold_it_names() -> None:
    (record,) = sample("sweep_holds_settlements")["Records"]

    deciding = deciding_of(record["body"])

    hold = Hold.parse(deciding.hold)
    assert (deciding.entry.kind, deciding.entry.amount_nanousd) == ("settlement", 84_500)
    assert (deciding.entry.nonce, deciding.entry.hold_nanousd) == (hold.nonce, hold.amount_nanousd)
    assert hold.amount_nanousd == 120_000
    assert record["eventSource"] == "aws:sqs"
    assert record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest()  # noqa: S324
