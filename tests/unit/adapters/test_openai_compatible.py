"""The provider's wire: what goes out with which key, and what comes back as which error."""

import json

import pytest

from farebox.adapters.providers.openai_compatible import (
    Endpoint,
    OpenAICompatibleProvider,
    OpenAICompatibleReply,
)
from farebox.domain.errors import ProviderFailed, ProviderTimedOut
from tests.fakes.clock import FakeClock
from tests.unit.adapters.paced_server import HANG_UP, PacedServer

DONE = b"HTTP/1.1 200 OK\r\nX-Request-Id: r\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"


def provider_at(url: str, key: str | None = "sk-ours") -> OpenAICompatibleProvider:
    """Make the way to a provider at this address."""
    endpoints = {"openai": Endpoint(f"{url}/v1", key)}
    return OpenAICompatibleProvider(lambda: endpoints, FakeClock(), silence_seconds=0.1)


def headers_of(request: bytes) -> dict[str, str]:
    """Give the headers of a request."""
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


def read(reply: OpenAICompatibleReply) -> list[bytes | None]:
    """Read a reply to its end."""
    while not reply.started(0.04):
        pass
    return list(reply.chunks(0.04))


class TestRequest:
    def send(self, body: dict[str, object], key: str | None = "sk-ours") -> bytes:
        """Send a request and give what arrived."""
        with PacedServer([DONE, HANG_UP]) as server:
            reply = provider_at(server.url, key).send_chat("openai", body)
            reply.started(1.0)
            list(reply.chunks(1.0))
            reply.close()
        return server.requests[0]

    def test_the_body_goes_out_as_it_is_with_our_key(self) -> None:
        request = self.send({"model": "m", "messages": [{"content": "Grüße"}]})

        head, _, body = request.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
        assert body == '{"model":"m","messages":[{"content":"Grüße"}]}'.encode()
        headers = headers_of(request)
        assert headers["Authorization"] == "Bearer sk-ours"
        assert headers["Content-Type"] == "application/json"
        assert headers["Accept"] == "application/json"
        assert headers["User-Agent"] == "farebox"

    def test_a_stream_is_asked_for_as_one(self) -> None:
        assert headers_of(self.send({"stream": True}))["Accept"] == "text/event-stream"

    def test_a_machine_of_our_own_gets_no_key(self) -> None:
        assert "Authorization" not in headers_of(self.send({}, key=None))

    def test_half_a_surrogate_pair_goes_out_escaped(self) -> None:
        body = self.send({"messages": ["\ud83d"]}).partition(b"\r\n\r\n")[2]

        assert json.loads(body) == {"messages": ["\ud83d"]}

    def test_a_key_with_a_line_break_is_not_sent(self) -> None:
        with PacedServer() as server, pytest.raises(ProviderFailed) as failure:
            provider_at(server.url, "sk-ours\r\nX-Other: 1").send_chat("openai", {})

        assert "sk-ours" not in failure.value.message


class TestConfiguration:
    def test_only_what_is_configured_is(self) -> None:
        provider = provider_at("http://127.0.0.1:9")

        assert provider.is_configured("openai")
        assert not provider.is_configured("groq")
        with pytest.raises(ProviderFailed, match="The provider groq is not configured"):
            provider.send_chat("groq", {})

    def test_a_rotated_key_is_used_over_the_same_connections(self) -> None:
        keep = DONE.replace(b"Connection: close\r\n", b"")
        with PacedServer([keep], [DONE, HANG_UP]) as server:
            endpoints = {"openai": Endpoint(server.url, "old")}
            provider = OpenAICompatibleProvider(lambda: endpoints, FakeClock())
            for key in ("old", "new"):
                endpoints["openai"] = Endpoint(server.url, key)
                reply = provider.send_chat("openai", {})
                reply.started(1.0)
                list(reply.chunks(1.0))
                reply.close()

        sent = [headers_of(request)["Authorization"] for request in server.requests]
        assert sent == ["Bearer old", "Bearer new"]
        assert server.connections == 1


class TestReply:
    def test_status_headers_and_body_come_through(self) -> None:
        with PacedServer([DONE, HANG_UP]) as server:
            reply = provider_at(server.url).send_chat("openai", {})
            started = reply.started(1.0)
            status, header = reply.status, reply.header("x-request-id")
            body = list(reply.chunks(1.0))
            reply.close()

        assert started
        assert (status, header) == (200, "r")
        assert body == [b"{}"]

    @pytest.mark.parametrize(
        ("steps", "kind", "message"),
        [
            ([HANG_UP], ProviderFailed, "The connection to the provider openai failed."),
            ([b"junk\r\n\r\n"], ProviderFailed, "The connection to the provider openai failed."),
            ([HEAD, HANG_UP], ProviderFailed, "The connection to the provider openai failed."),
            ([0.3], ProviderTimedOut, "The provider openai did not answer in time."),
            ([HEAD, 0.3], ProviderTimedOut, "The provider openai did not answer in time."),
        ],
    )
    def test_what_fails_on_the_way_is_the_providers_failure(
        self, steps: list[bytes | float | None], kind: type[Exception], message: str
    ) -> None:
        with PacedServer([*steps, HANG_UP]) as server:
            reply = provider_at(server.url).send_chat("openai", {})
            with pytest.raises(kind) as failure:
                read(reply)
            reply.close()

        assert str(failure.value) == message

    def test_a_provider_nobody_answers_for_has_failed(self) -> None:
        with PacedServer() as server:
            url = server.url

        with pytest.raises(ProviderFailed) as failure:
            provider_at(url).send_chat("openai", {})

        assert failure.value.message == "The connection to the provider openai failed."
