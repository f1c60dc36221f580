"""Streams to clients that stay, and to those that leave."""

from collections.abc import Iterator

import pytest

from farebox.api.asgi import Answer, Request
from farebox.api.chat import chat_answer, read_conditions
from farebox.domain.chat_request import parse_chat_request
from farebox.domain.json_text import encode_json
from tests.chat_world import PARIS_STREAM, QUESTION, ChatWorld, make_world, streamed
from tests.fakes.books import check_books
from tests.fakes.chat_provider import DONE
from tests.unit.api.asgi_client import AUTH, CHAT, Exchange, Server, answering, call


class TestStreams:
    def streaming(self, *parts: bytes) -> tuple[Server, list[bytes]]:
        """Make a server that streams these parts, and the list of those it came to."""
        made: list[bytes] = []

        def produce() -> Iterator[bytes]:
            for part in parts:
                made.append(part)
                yield part

        return answering(lambda _: Answer(produce(), content_type="text/event-stream")), made

    def test_parts_go_out_as_they_come_and_an_empty_one_ends_them(self) -> None:
        server, _ = self.streaming(b"a", b"b")

        answered = call(server.app, "POST", CHAT, headers=AUTH)

        assert answered.parts == [b"a", b"b", b""]
        assert [message.get("more_body") for message in answered.sent[1:]] == [True, True, False]
        assert "content-length" not in answered.headers
        assert answered.headers["content-type"] == "text/event-stream"

    @pytest.mark.parametrize("leaves_at", range(5))
    def test_a_client_that_leaves_does_not_stop_them(self, leaves_at: int) -> None:
        server, made = self.streaming(b"a", b"b", b"c")
        exchange = Exchange(leaves_at=leaves_at)

        call(server.app, "POST", CHAT, headers=AUTH, exchange=exchange)

        assert made == [b"a", b"b", b"c"]
        assert len(exchange.sent) == leaves_at
        assert exchange.attempts == leaves_at + 1
        assert server.observed == [("create_chat_completion", 200, "NoneType")]

    @pytest.mark.parametrize("leaves_at", [0, 1])
    def test_nor_does_it_trouble_a_whole_answer(self, leaves_at: int) -> None:
        server = Server()

        call(server.app, "POST", CHAT, headers=AUTH, exchange=Exchange(leaves_at=leaves_at))

        assert server.observed == [("create_chat_completion", 200, "NoneType")]

    def test_a_fault_between_parts_cuts_the_answer_and_is_observed(self) -> None:
        def produce() -> Iterator[bytes]:
            yield b"a"
            raise ZeroDivisionError

        server = answering(lambda _: Answer(produce()))

        with pytest.raises(ZeroDivisionError):
            call(server.app, "POST", CHAT, headers=AUTH)

        assert server.observed == [("create_chat_completion", 200, "ZeroDivisionError")]


def serving(world: ChatWorld) -> Server:
    """Make a server over the use case itself."""

    def chat(request: Request) -> Answer:
        asked = parse_chat_request(request.json())
        conditions = read_conditions(
            request, stream=asked.stream, unit=world.unit, now_ms=world.clock.now_ms()
        )
        return chat_answer(world.complete_chat(asked, request.caller, conditions), world.unit)

    return answering(chat)


class TestChat:
    BODY = encode_json({"model": "gpt-4o-mini", "max_tokens": 100, "stream": True, **QUESTION})

    def test_a_stream_reaches_its_client_with_the_hold_in_front(self) -> None:
        world = make_world(streamed())

        answered = call(
            serving(world).app, "POST", CHAT, headers=AUTH, exchange=Exchange([self.BODY])
        )

        assert answered.body == b"".join([*PARIS_STREAM[:3], DONE])
        assert answered.headers["x-credits-held"] == "0.10032"
        assert answered.headers["content-type"] == "text/event-stream"

    @pytest.mark.parametrize("leaves_at", range(7))
    def test_who_leaves_after_any_part_is_charged_the_real_usage(self, leaves_at: int) -> None:
        world = make_world(streamed())
        exchange = Exchange([self.BODY], leaves_at=leaves_at)

        call(serving(world).app, "POST", CHAT, headers=AUTH, exchange=exchange)

        assert len(exchange.sent) == min(leaves_at, 6)
        assert world.account.spent_nanousd == 3_630
        assert world.account.holds == {}
        assert world.entry.facts["finish"] == "complete"
        assert world.provider.replies[0].closed
        check_books(world.store)
