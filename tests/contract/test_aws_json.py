"""The slim client over real sockets: what it sends, what it reads, and what it will not trust."""

import json

import pytest

from farebox.adapters.aws_credentials import Credentials, FixedCredentials
from farebox.adapters.aws_json import HttpAwsJson
from farebox.adapters.aws_wire import (
    DYNAMODB,
    SECRETS_MANAGER,
    SQS,
    AwsError,
    AwsUnreachable,
    Endpoint,
    JsonService,
    call_store,
)
from farebox.adapters.clock import SystemClock
from farebox.domain.errors import StoreConflict, StoreUnavailable
from tests.contract import engines
from tests.contract.scripted_server import SILENCE, ScriptedServer, answer
from tests.fakes.clock import FakeClock

EMPTY = answer(b"{}")
BAD = "400 Bad Request"
CANCELED = "TransactionCanceledException"


def make_wire(
    server: ScriptedServer,
    service: JsonService = DYNAMODB,
    clock: FakeClock | None = None,
    token: str | None = None,
) -> HttpAwsJson:
    """Make a client that waits a tenth of a second for answers."""
    endpoint = Endpoint("eu-central-1", server.url, read_seconds=0.1)
    credentials = FixedCredentials(Credentials("AKID", "secret", token))
    return HttpAwsJson(service, endpoint, credentials, clock or FakeClock())


def head_of(request: bytes) -> list[str]:
    """Split a request's head into lines."""
    return request.partition(b"\r\n\r\n")[0].decode().split("\r\n")


def refusal(code: str, *reasons: str) -> bytes:
    """Compose the body of an error as DynamoDB does."""
    listed = [{"Code": reason} for reason in reasons]
    named = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "Message": "No."}
    return json.dumps(named | ({"CancellationReasons": listed} if listed else {})).encode()


class TestRequest:
    def test_names_its_operation_its_host_and_its_date(self) -> None:
        with ScriptedServer([EMPTY]) as server:
            wire = make_wire(server)

            wire.call("GetItem", {"TableName": "accounts"})

            wire.close()
        head = head_of(server.requests[0])
        assert head[0] == "POST / HTTP/1.1"
        assert "x-amz-target: DynamoDB_20120810.GetItem" in head
        assert "content-type: application/x-amz-json-1.0" in head
        assert f"host: {server.url.removeprefix('http://')}" in head
        assert "x-amz-date: 20261120T120000Z" in head
        assert server.requests[0].endswith(b'\r\n\r\n{"TableName":"accounts"}')

    @pytest.mark.parametrize(
        ("service", "target", "content_type"),
        [
            (SECRETS_MANAGER, "secretsmanager.Do", "application/x-amz-json-1.1"),
            (SQS, "AmazonSQS.Do", "application/x-amz-json-1.0"),
        ],
    )
    def test_each_service_has_its_own_target_and_version(
        self, service: JsonService, target: str, content_type: str
    ) -> None:
        with ScriptedServer([EMPTY]) as server:
            wire = make_wire(server, service)

            wire.call("Do", {})

            wire.close()
        head = head_of(server.requests[0])
        assert f"x-amz-target: {target}" in head
        assert f"content-type: {content_type}" in head

    def test_the_token_of_temporary_credentials_is_signed(self) -> None:
        with ScriptedServer([EMPTY]) as server:
            wire = make_wire(server, token="TOKEN")

            wire.call("GetItem", {})

            wire.close()
        head = head_of(server.requests[0])
        assert "x-amz-security-token: TOKEN" in head
        signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,"
        assert any(signed in line for line in head)

    def test_text_beyond_ascii_arrives_as_it_was(self) -> None:
        with ScriptedServer([answer('{"name":"Zoë"}'.encode())]) as server:
            wire = make_wire(server)

            reply = wire.call("GetItem", {"name": "Zoë"})

            wire.close()
        assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]) == {"name": "Zoë"}
        assert reply == {"name": "Zoë"}


class TestConnections:
    def test_one_connection_carries_call_after_call(self) -> None:
        with ScriptedServer([EMPTY, EMPTY, EMPTY]) as server:
            wire = make_wire(server)

            for _ in range(3):
                wire.call("GetItem", {})

            wire.close()
        assert server.connections == 1

    def test_one_the_server_closed_while_idle_is_replaced_unnoticed(self) -> None:
        with ScriptedServer([EMPTY], [EMPTY]) as server:
            wire = make_wire(server)
            wire.call("GetItem", {})
            server.wait_until_it_hung_up()

            reply = wire.call("GetItem", {})

            wire.close()
        assert reply == {}
        assert server.connections == 2

    def test_one_with_bytes_nobody_asked_for_is_not_used_again(self) -> None:
        with ScriptedServer([EMPTY + answer(b'{"Item":"of another"}')], [EMPTY]) as server:
            wire = make_wire(server)

            replies = [wire.call("GetItem", {}) for _ in range(2)]

            wire.close()
        assert replies == [{}, {}]
        assert server.connections == 2

    def test_one_that_was_idle_for_long_is_not_used_again(self) -> None:
        clock = FakeClock()
        with ScriptedServer([EMPTY], [EMPTY], stays=True) as server:
            wire = make_wire(server, clock=clock)
            wire.call("GetItem", {})
            clock.tick(51)

            wire.call("GetItem", {})

            wire.close()
        assert server.connections == 2

    def test_one_the_server_wants_to_close_is_not_kept(self) -> None:
        last = answer(b"{}", extra="Connection: close\r\n")
        with ScriptedServer([last], [EMPTY], stays=True) as server:
            wire = make_wire(server)
            wire.call("GetItem", {})

            wire.call("GetItem", {})

            wire.close()
        assert server.connections == 2

    def test_warming_opens_the_one_the_first_call_takes(self) -> None:
        with ScriptedServer([EMPTY]) as server:
            wire = make_wire(server)

            wire.warm()
            wire.call("GetItem", {})

            wire.close()
        assert server.connections == 1

    def test_closing_ends_the_idle_ones_and_later_calls_open_new_ones(self) -> None:
        with ScriptedServer([EMPTY], [EMPTY], stays=True) as server:
            wire = make_wire(server)
            wire.call("GetItem", {})

            wire.close()
            server.wait_until_it_hung_up()
            wire.call("GetItem", {})

            wire.close()
        assert server.connections == 2


class TestUnreachable:
    @pytest.mark.parametrize(
        ("reply", "fault"),
        [
            (b"HTTP/1.1 200 OK\r\nContent-Le", "cut short"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "cut short"),
            (b"HTTP/1.1 200 OK\r\n\r\n{}", "cut short"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "unknown length"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "unknown length"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "no size"),
            (b"HTTP/1.1 100 Continue\r\n\r\n", "cut short"),
            (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "not an HTTP/1.1 answer"),
            (b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 0123456789\r\n" * 4_000, "without end"),
            (answer(b"{"), "not JSON"),
            (answer(b"[]"), "not an object"),
        ],
    )
    def test_what_is_no_complete_answer_is_none(self, reply: bytes, fault: str) -> None:
        with ScriptedServer([reply]) as server:
            wire = make_wire(server)

            with pytest.raises(AwsUnreachable, match=fault):
                wire.call("UpdateItem", {})

            wire.close()
        assert len(server.requests) == 1

    def test_a_connection_cut_before_any_answer_is_not_retried(self) -> None:
        with ScriptedServer([SILENCE], [EMPTY]) as server:
            wire = make_wire(server)

            with pytest.raises(AwsUnreachable, match="cut short"):
                wire.call("UpdateItem", {})

            wire.close()
        assert len(server.requests) == 1

    def test_silence_ends_after_the_time_it_was_given(self) -> None:
        with ScriptedServer([SILENCE], stays=True) as server:
            wire = make_wire(server)

            with pytest.raises(AwsUnreachable, match="timed out"):
                wire.call("UpdateItem", {})

    def test_a_host_that_does_not_listen_is_unreachable(self) -> None:
        with ScriptedServer() as server:
            pass
        wire = make_wire(server)

        with pytest.raises(AwsUnreachable):
            wire.warm()
        with pytest.raises(AwsUnreachable):
            wire.call("UpdateItem", {})


class TestErrors:
    def test_a_failed_condition_carries_the_item(self) -> None:
        body = (
            b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",'
            b'"message":"The conditional request failed","Item":{"pk":{"S":"A#usr_ada#0"}}}'
        )
        with ScriptedServer([answer(body, BAD)]) as server:
            wire = make_wire(server)

            with pytest.raises(AwsError, match="The conditional request failed") as caught:
                wire.call("UpdateItem", {})

            wire.close()
        assert caught.value.code == "ConditionalCheckFailedException"
        assert caught.value.status == 400
        assert caught.value.item == {"pk": {"S": "A#usr_ada#0"}}

    def test_a_cancelled_transaction_carries_its_reasons(self) -> None:
        body = refusal(CANCELED, "None", "TransactionConflict")
        with ScriptedServer([answer(body, BAD)]) as server:
            wire = make_wire(server)

            with pytest.raises(AwsError) as caught:
                wire.call("TransactWriteItems", {})

            wire.close()
        assert caught.value.reasons == ("None", "TransactionConflict")

    @pytest.mark.parametrize(
        ("status", "body", "expected"),
        [
            ("500 Internal Server Error", refusal("InternalServerError"), StoreUnavailable),
            ("503 Service Unavailable", b"<html>busy</html>", StoreUnavailable),
            (BAD, refusal("ThrottlingException"), StoreUnavailable),
            (BAD, refusal("ProvisionedThroughputExceededException"), StoreUnavailable),
            (BAD, refusal(CANCELED, "ThrottlingError", "None"), StoreUnavailable),
            (BAD, refusal("TransactionConflictException"), StoreConflict),
            (BAD, refusal(CANCELED, "None", "TransactionConflict"), StoreConflict),
            (BAD, refusal(CANCELED, "ConditionalCheckFailed", "None"), AwsError),
            (BAD, refusal("ValidationException"), AwsError),
            ("403 Forbidden", refusal("AccessDeniedException"), AwsError),
            (BAD, b'"no object"', AwsError),
        ],
    )
    def test_a_store_hears_its_own_errors(
        self, status: str, body: bytes, expected: type[Exception]
    ) -> None:
        with ScriptedServer([answer(body, status)]) as server:
            wire = make_wire(server)

            with pytest.raises(expected):
                call_store(wire, "UpdateItem", {})

            wire.close()

    def test_a_store_that_cannot_be_reached_is_unavailable(self) -> None:
        with ScriptedServer() as server:
            pass

        with pytest.raises(StoreUnavailable):
            call_store(make_wire(server), "UpdateItem", {})


class TestAgainstAnEngine:
    def test_an_access_key_nobody_issued_is_refused(self, ministack_url: str) -> None:
        stranger = FixedCredentials(Credentials("AKIASTRANGER", "secret"))
        endpoint = Endpoint(engines.REGION, ministack_url)
        wire = HttpAwsJson(DYNAMODB, endpoint, stranger, SystemClock())

        with pytest.raises(AwsError) as caught:
            wire.call("ListTables", {})

        wire.close()
        assert caught.value.code == "UnrecognizedClientException"
