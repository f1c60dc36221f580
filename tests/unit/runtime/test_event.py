"""From whole REST proxy events, as API Gateway sends them, to ASGI scopes."""

from typing import Any

import pytest

from farebox.runtime.event import NotAnHttpEvent, http_scope, request_body
from farebox.runtime.runtime_api import InvocationContext

CONTEXT = InvocationContext(
    request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    deadline_ms=1795172460000,
    function_arn="arn:aws:lambda:us-east-1:123456789012:function:chat",
)


def chat_event() -> dict[str, Any]:
    return {
        "resource": "/v1/chat/completions",
        "path": "/v1/chat/completions",
        "httpMethod": "POST",
        "headers": {
            "Accept": "application/json",
            "Authorization": "Bearer fbk-1",
            "content-type": "application/json",
            "Host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "X-Forwarded-For": "203.0.113.7, 10.0.0.1",
            "X-Forwarded-Port": "443",
            "X-Forwarded-Proto": "https",
        },
        "multiValueHeaders": {
            "Accept": ["application/json", "text/event-stream"],
            "Authorization": ["Bearer fbk-1"],
            "content-type": ["application/json"],
            "Host": ["a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"],
            "X-Forwarded-For": ["203.0.113.7, 10.0.0.1"],
            "X-Forwarded-Port": ["443"],
            "X-Forwarded-Proto": ["https"],
        },
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "7f3k2a",
            "resourcePath": "/v1/chat/completions",
            "httpMethod": "POST",
            "extendedRequestId": "TjrYzE3poAMEiGg=",
            "requestTime": "20/Nov/2026:11:00:00 +0000",
            "path": "/Prod/v1/chat/completions",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "Prod",
            "domainPrefix": "a1b2c3d4e5",
            "requestTimeEpoch": 1795172400000,
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {
                "cognitoIdentityPoolId": None,
                "accountId": None,
                "cognitoIdentityId": None,
                "caller": None,
                "sourceIp": "203.0.113.7",
                "principalOrgId": None,
                "accessKey": None,
                "cognitoAuthenticationType": None,
                "cognitoAuthenticationProvider": None,
                "userArn": None,
                "userAgent": "OpenAI/Python 3.52.0",
                "user": None,
            },
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "apiId": "a1b2c3d4e5",
        },
        "body": '{"model": "gpt-4o-mini"}',
        "isBase64Encoded": False,
    }


class TestHttpScope:
    def test_a_whole_event_becomes_a_whole_scope(self) -> None:
        event = chat_event()

        scope = http_scope(event, CONTEXT)

        assert scope == {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "https",
            "path": "/v1/chat/completions",
            "raw_path": b"/v1/chat/completions",
            "root_path": "",
            "query_string": b"",
            "headers": [
                (b"accept", b"application/json"),
                (b"accept", b"text/event-stream"),
                (b"authorization", b"Bearer fbk-1"),
                (b"content-type", b"application/json"),
                (b"host", b"a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"),
                (b"x-forwarded-for", b"203.0.113.7, 10.0.0.1"),
                (b"x-forwarded-port", b"443"),
                (b"x-forwarded-proto", b"https"),
            ],
            "client": ("203.0.113.7", 0),
            "server": ("a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", 443),
            "aws.event": event,
            "aws.context": CONTEXT,
        }

    @pytest.mark.parametrize(
        ("sent", "path", "raw_path"),
        [
            ("/v1/models/openai%2Fgpt-4o", "/v1/models/openai/gpt-4o", None),
            ("/v1/models/caf%C3%A9", "/v1/models/café", None),
            ("/v1/models/a+b", "/v1/models/a+b", None),
            ("/v1/models/100%25", "/v1/models/100%", None),
            ("/v1/models/meta-llama/Llama-3:free", "/v1/models/meta-llama/Llama-3:free", None),
            ("/v1/models/café", "/v1/models/café", b"/v1/models/caf%C3%A9"),
        ],
    )
    def test_the_path_is_decoded_once_and_kept_raw_beside_it(
        self, sent: str, path: str, raw_path: bytes | None
    ) -> None:
        scope = http_scope(chat_event() | {"path": sent}, CONTEXT)

        assert scope["path"] == path
        assert scope["raw_path"] == (raw_path or sent.encode())

    @pytest.mark.parametrize(
        ("parameters", "query_string"),
        [
            ({"limit": ["20"]}, b"limit=20"),
            ({"tag": ["a", "b&c"], "q": ["café crème"]}, b"tag=a&tag=b%26c&q=caf%C3%A9+cr%C3%A8me"),
            ({"empty": [""]}, b"empty="),
        ],
    )
    def test_decoded_query_parameters_are_encoded_again(
        self, parameters: dict[str, list[str]], query_string: bytes
    ) -> None:
        event = chat_event() | {"multiValueQueryStringParameters": parameters}

        assert http_scope(event, CONTEXT)["query_string"] == query_string

    def test_single_values_do_where_the_multiple_ones_are_missing(self) -> None:
        event = chat_event() | {
            "headers": {"X-One": "1"},
            "multiValueHeaders": None,
            "queryStringParameters": {"limit": "20"},
        }

        scope = http_scope(event, CONTEXT)

        assert scope["headers"] == [(b"x-one", b"1")]
        assert scope["query_string"] == b"limit=20"

    def test_a_console_test_event_with_nulls_everywhere_has_a_scope(self) -> None:
        event = chat_event() | {
            "headers": None,
            "multiValueHeaders": None,
            "requestContext": None,
            "body": None,
        }

        scope = http_scope(event, CONTEXT)

        assert scope["headers"] == []
        assert scope["client"] == ("", 0)
        assert request_body(event) == b""

    @pytest.mark.parametrize("event", [{}, {"httpMethod": "GET"}, {"path": "/"}, [], None, 7])
    def test_anything_without_method_and_path_is_refused(self, event: Any) -> None:  # noqa: ANN401 - any JSON
        with pytest.raises(NotAnHttpEvent):
            http_scope(event, CONTEXT)


class TestRequestBody:
    @pytest.mark.parametrize(
        ("body", "is_base64", "sent"),
        [
            ('{"name": "grüezi"}', False, '{"name": "grüezi"}'.encode()),
            ("AP+JUE5H", True, b"\x00\xff\x89PNG"),
            ("AP+JUE5H", False, b"AP+JUE5H"),
            ("", True, b""),
            (None, False, b""),
            (None, True, b""),
        ],
    )
    def test_it_is_what_the_client_sent(
        self, body: str | None, is_base64: bool, sent: bytes
    ) -> None:
        event = chat_event() | {"body": body, "isBase64Encoded": is_base64}

        assert request_body(event) == sent

    @pytest.mark.parametrize("body", ["A", "****", "AP+JUE5"])
    def test_a_body_that_is_not_base64_though_said_to_be_is_refused(self, body: str) -> None:
        event = chat_event() | {"body": body, "isBase64Encoded": True}

        with pytest.raises(NotAnHttpEvent):
            request_body(event)


class TestInvocationContext:
    def test_no_time_remains_after_the_deadline(self) -> None:
        context = InvocationContext("id", 1_000, "arn")

        assert context.remaining_ms() == 0

    def test_time_remains_before_the_deadline(self) -> None:
        context = InvocationContext("id", 33_000_000_000_000, "arn")

        assert context.remaining_ms() > 30_000_000_000_000
