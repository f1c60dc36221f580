import json
from dataclasses import replace

import pytest

from farebox.api.asgi import Answer, Application, Request, json_answer
from farebox.domain.errors import InsufficientCredits, InvalidValue, StoreUnavailable
from farebox.domain.identity import Principal
from tests.chat_world import make_principal
from tests.unit.api.asgi_client import AUTH, CHAT, Exchange, Server, answering, call, raising, run
from tests.unit.services.test_authenticate import HOSTILE

MEGABYTE = 1024 * 1024


def envelope(exchange: Exchange) -> dict[str, object]:
    """Give the error in an answer, which must have all its keys."""
    value = json.loads(exchange.body)
    assert list(value) == ["error"]
    assert list(value["error"]) == ["message", "type", "param", "code"]
    error: dict[str, object] = value["error"]
    return error


class TestDispatch:
    @pytest.mark.parametrize(
        "path", [CHAT, CHAT + "/", "/api/v1/llm/chat/completions", CHAT + "//"]
    )
    def test_an_operation_is_served_under_every_base(self, path: str) -> None:
        server = Server()

        answered = call(server.app, "POST", path, headers=AUTH)

        assert answered.status == 200
        assert json.loads(answered.body) == {"route": "create_chat_completion"}
        assert server.observed == [("create_chat_completion", 200, "NoneType")]

    def test_an_operation_is_given_the_request(self) -> None:
        server = Server()
        headers = AUTH | {"X-Power-Level": "eco"}
        exchange = Exchange(chunks=[b'{"a":', b"1}"])

        call(server.app, "POST", CHAT, headers=headers, query="a=1&a=2&b=", exchange=exchange)

        (request,) = server.requests
        assert request.caller == make_principal()
        assert request.headers["x-power-level"] == "eco"
        assert request.query == {"a": "2", "b": ""}
        assert request.body == b'{"a":1}'
        assert request.json() == {"a": 1}
        assert request.remaining_ms() == 900_000

    def test_the_environment_says_how_long_there_is(self) -> None:
        class Context:
            def remaining_ms(self) -> int:
                return 1_234

        server = Server()

        call(server.app, "POST", CHAT, headers=AUTH, scope={"aws.context": Context()})

        assert server.requests[0].remaining_ms() == 1_234

    def test_an_id_may_contain_slashes(self) -> None:
        server = Server()

        call(server.app, "GET", "/v1/models/openai/gpt-4o", headers=AUTH)

        assert server.requests[0].match.parameters == {"model": "openai/gpt-4o"}

    def test_a_public_route_has_no_caller(self) -> None:
        server = Server()

        call(server.app, "GET", "/", headers={"Authorization": "garbage"})

        assert server.requests[0].principal is None
        with pytest.raises(RuntimeError):
            _ = server.requests[0].caller

    def test_what_is_not_http_is_not_answered(self) -> None:
        exchange = Exchange()

        run(Server().app({"type": "lifespan"}, exchange.receive, exchange.send))

        assert exchange.sent == []
        assert exchange.received == 0


class TestHeaders:
    @pytest.mark.parametrize("headers", [AUTH, {}])
    def test_every_answer_is_open_to_browsers_and_kept_by_none(
        self, headers: dict[str, str]
    ) -> None:
        answered = call(Server().app, "POST", CHAT, headers=headers)

        assert answered.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answered.headers
        assert answered.headers["cache-control"] == "no-store"
        assert answered.headers["x-content-type-options"] == "nosniff"
        exposed = answered.headers["access-control-expose-headers"].split(", ")
        assert set(exposed) >= {
            "X-Provider-Used",
            "X-Cost-Incurred",
            "X-Credits-Remaining",
            "X-Credits-Held",
            "X-Output-Cap",
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "x-request-id",
            "X-Generation-Id",
            "openai-processing-ms",
            "Retry-After",
            "x-should-retry",
        }

    def test_a_whole_answer_tells_its_length_and_its_own_headers(self) -> None:
        answered = call(Server().app, "POST", CHAT, headers=AUTH)

        assert answered.headers["content-length"] == str(len(answered.body))
        assert [message.get("more_body") for message in answered.sent] == [None, False]
        assert answered.headers["content-type"] == "application/json"
        assert answered.headers["x-generation-id"] == "g"

    def test_every_answer_has_an_id_and_its_log_line_the_same(self) -> None:
        server = Server({"get_model": lambda _: json_answer({}, {"x-request-id": "its-own"})})

        named = call(server.app, "GET", "/v1/models/gpt-4o", headers=AUTH)
        nameless = call(server.app, "GET", "/v1/models", headers=AUTH)
        refused = call(server.app, "GET", "/v1/models")

        ids = [answered.headers["x-request-id"] for answered in (named, nameless, refused)]
        assert ids == ["its-own", "rid-of-an-error", "rid-of-an-error"]
        assert server.request_ids == ids

    def test_head_is_get_without_the_body(self) -> None:
        server = Server()

        got = call(server.app, "GET", "/v1/models", headers=AUTH)
        headed = call(server.app, "HEAD", "/v1/models", headers=AUTH)

        assert headed.headers == got.headers
        assert headed.body == b""
        assert headed.headers["content-length"] == "23"

    def test_an_error_to_head_has_no_body_either(self) -> None:
        answered = call(Server().app, "HEAD", "/v1/models")

        assert answered.status == 401
        assert answered.body == b""


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nothing", 404, "not_found"),
            ("GET", "/v1", 404, "not_found"),
            ("GET", "/v1/models/", 200, None),
            ("GET", CHAT, 405, "method_not_allowed"),
            ("DELETE", "/v1/models/gpt-4o", 405, "method_not_allowed"),
            ("GET", "/v1/key", 404, "not_found"),
            ("BREW", "/", 405, "method_not_allowed"),
            ("GET", "/\ud800", 404, "not_found"),
        ],
    )
    def test_what_is_not_served_here_is_said_in_the_envelope(
        self, method: str, path: str, status: int, code: str | None
    ) -> None:
        answered = call(Server().app, method, path, headers=AUTH)

        assert answered.status == status
        if code is not None:
            assert envelope(answered)["code"] == code
            assert answered.headers["x-request-id"] == "rid-of-an-error"

    def test_405_says_what_is_allowed(self) -> None:
        answered = call(Server().app, "GET", CHAT, headers=AUTH)

        assert answered.headers["allow"] == "POST"

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (InvalidValue("Bad.", "n"), 400, "invalid_value"),
            (InsufficientCredits("Poor."), 402, "payment_required"),
            (StoreUnavailable("PutItem: no answer"), 503, "service_unavailable"),
            (ZeroDivisionError("secret"), 500, "internal_error"),
            (RecursionError("secret"), 500, "internal_error"),
        ],
    )
    def test_an_operations_error_is_answered_and_observed(
        self, error: Exception, status: int, code: str
    ) -> None:
        server = raising(error)

        answered = call(server.app, "POST", CHAT, headers=AUTH)

        assert answered.status == status
        assert envelope(answered)["code"] == code
        assert b"secret" not in answered.body
        assert b"PutItem" not in answered.body
        assert server.observed == [("create_chat_completion", status, type(error).__name__)]

    def test_half_a_surrogate_pair_in_a_message_breaks_nothing(self) -> None:
        answered = call(raising(InvalidValue("Bad '\ud800'.")).app, "POST", CHAT, headers=AUTH)

        assert answered.status == 400
        assert envelope(answered)["message"] == "Bad '\ud800'."

    @pytest.mark.parametrize("header", HOSTILE, ids=lambda header: header[:24])
    def test_hostile_credentials_are_401_and_never_5xx(self, header: str) -> None:
        server = Server()

        answered = call(server.app, "POST", CHAT, headers={"Authorization": header})

        assert answered.status == 401
        assert envelope(answered)["code"] == "invalid_api_key"
        assert answered.headers["www-authenticate"] == "Bearer"
        assert server.requests == []

    def test_a_key_store_that_is_down_is_503_and_not_401(self) -> None:
        server = Server()
        server.keys.down = True

        answered = call(server.app, "POST", CHAT, headers=AUTH)

        assert answered.status == 503
        assert answered.headers["retry-after"] == "1"

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b'{"a":NaN}',
            b"\xff",
            b"[" * 10_000 + b"]" * 10_000,
            b"[" * 9_997 + b"]" * 9_997,
        ],
        ids=lambda body: repr(body[:10]),
    )
    def test_a_body_that_is_no_json_is_400(self, body: bytes) -> None:
        server = answering(lambda request: json_answer(request.json()))

        answered = call(server.app, "POST", CHAT, headers=AUTH, exchange=Exchange(chunks=[body]))

        assert answered.status == 400
        assert envelope(answered)["message"] == "The body is not valid JSON."


class TestBody:
    def test_who_is_not_let_in_is_not_read(self) -> None:
        exchange = Exchange(chunks=[b"{}"])

        answered = call(Server().app, "POST", CHAT, exchange=exchange)

        assert answered.status == 401
        assert exchange.received == 0

    def test_six_megabytes_are_taken(self) -> None:
        server = Server()
        exchange = Exchange(chunks=[b" " * MEGABYTE] * 6)

        answered = call(server.app, "POST", CHAT, headers=AUTH, exchange=exchange)

        assert answered.status == 200
        assert len(server.requests[0].body) == 6_291_456

    def test_a_byte_more_is_too_large_and_not_read_on(self) -> None:
        exchange = Exchange(chunks=[b" " * MEGABYTE] * 6 + [b" "] * 3)

        answered = call(Server().app, "POST", CHAT, headers=AUTH, exchange=exchange)

        assert answered.status == 413
        assert envelope(answered)["code"] == "request_too_large"
        assert exchange.received == 7

    def test_a_body_that_breaks_off_reaches_no_operation(self) -> None:
        server = Server()
        exchange = Exchange(chunks=[b"{}", b" "], disconnects_after=1)

        answered = call(server.app, "POST", CHAT, headers=AUTH, exchange=exchange)

        assert answered.status == 400
        assert server.requests == []


def test_a_principal_is_what_authentication_says() -> None:
    bob = replace(make_principal(), user_id="bob")
    seen: list[Principal] = []

    def note(request: Request) -> Answer:
        seen.append(request.caller)
        return json_answer({})

    app = Application(
        {"list_models": note},
        authenticate=lambda header, scope: replace(bob, key_name=f"{header} {scope}"),
        observe=Server().observe,
        new_request_id=lambda: "",
    )

    call(app, "GET", "/v1/models", headers={"Authorization": "anything"})

    assert seen == [replace(bob, key_name="anything llm:models")]
