"""The boto3 client keeps the same promises as the slim one, retries above all."""

import pytest

from farebox.adapters.aws_boto import BotoAwsJson
from farebox.adapters.aws_wire import DYNAMODB, AwsError, AwsUnreachable, Endpoint
from tests.contract import engines
from tests.contract.scripted_server import SILENCE, ScriptedServer, answer

GET_ITEM = {"TableName": "accounts", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}


def make_wire(server: ScriptedServer) -> BotoAwsJson:
    """Make a client that waits a tenth of a second for answers."""
    endpoint = Endpoint(engines.REGION, server.url, read_seconds=0.1)
    return BotoAwsJson.connect(DYNAMODB, endpoint, engines.CREDENTIALS)


def test_an_answer_comes_without_what_boto3_adds_to_it() -> None:
    with ScriptedServer([answer(b'{"Item":{"n":{"N":"5"}}}')], stays=True) as server:
        reply = make_wire(server).call("GetItem", GET_ITEM)

    assert reply == {"Item": {"n": {"N": "5"}}}


def test_without_credentials_of_ours_boto3_finds_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with ScriptedServer([answer(b"{}")], stays=True) as server:
        wire = BotoAwsJson.connect(DYNAMODB, Endpoint(engines.REGION, server.url))

        wire.call("GetItem", GET_ITEM)

    assert b"Credential=AKIAENVIRONMENT/" in server.requests[0]


def test_a_cut_connection_is_not_retried() -> None:
    with ScriptedServer([SILENCE], [answer(b"{}")]) as server, pytest.raises(AwsUnreachable):
        make_wire(server).call("GetItem", GET_ITEM)

    assert len(server.requests) == 1


def test_silence_ends_after_the_time_it_was_given() -> None:
    with (
        ScriptedServer([SILENCE], stays=True) as server,
        pytest.raises(AwsUnreachable, match="Read timeout"),
    ):
        make_wire(server).call("GetItem", GET_ITEM)


def test_a_host_that_does_not_listen_is_unreachable() -> None:
    with ScriptedServer() as server:
        pass

    with pytest.raises(AwsUnreachable):
        make_wire(server).call("GetItem", GET_ITEM)


def test_throttling_is_told_and_not_retried() -> None:
    busy = answer(b'{"__type":"a#ThrottlingException","message":"slow"}', "400 Bad Request")
    with (
        ScriptedServer([busy, answer(b"{}")], stays=True) as server,
        pytest.raises(AwsError, match="slow") as caught,
    ):
        make_wire(server).call("GetItem", GET_ITEM)

    assert caught.value.is_unavailable
    assert len(server.requests) == 1


def test_a_failed_condition_carries_the_item() -> None:
    body = b'{"__type":"a#ConditionalCheckFailedException","message":"no","Item":{"n":{"N":"5"}}}'
    with (
        ScriptedServer([answer(body, "400 Bad Request")], stays=True) as server,
        pytest.raises(AwsError) as caught,
    ):
        make_wire(server).call("GetItem", GET_ITEM)

    assert caught.value.code == "ConditionalCheckFailedException"
    assert caught.value.item == {"n": {"N": "5"}}
    assert caught.value.status == 400


def test_a_cancelled_transaction_carries_its_reasons() -> None:
    body = (
        b'{"__type":"a#TransactionCanceledException","message":"no",'
        b'"CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]}'
    )
    put = {"Put": {"TableName": "accounts", "Item": {"pk": {"S": "a"}}}}
    with (
        ScriptedServer([answer(body, "400 Bad Request")], stays=True) as server,
        pytest.raises(AwsError) as caught,
    ):
        make_wire(server).call("TransactWriteItems", {"TransactItems": [put]})

    assert caught.value.reasons == ("None", "TransactionConflict")
    assert caught.value.is_conflict


def test_a_payload_boto3_finds_fault_with_is_a_fault_of_ours() -> None:
    with ScriptedServer() as server:
        wire = make_wire(server)

    with pytest.raises(Exception, match="Missing required parameter") as caught:
        wire.call("GetItem", {})

    assert not isinstance(caught.value, AwsUnreachable)
