import asyncio
import json
from typing import Any

import pytest

from farebox.runtime.asgi import AnswerIncomplete, Exchange, UnexpectedMessage, run_to_end

START = {"type": "http.response.start", "status": 200, "headers": []}
PRELUDE = b'{"statusCode": 200, "headers": {}}' + bytes(8)


class Recorder:
    """An outlet that keeps what it is given."""

    def __init__(self) -> None:
        self.loss: OSError | None = None
        self.parts: list[bytes] = []
        self.is_ended = False
        self.failures: list[str] = []

    def write(self, *parts: bytes, last: bool) -> None:
        self.parts += [part for part in parts if part]
        self.is_ended = self.is_ended or last

    def fail(self, error_type: str, message: str) -> None:
        assert message == "The answer was cut short by an internal error."
        self.failures.append(error_type)


def body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def send(exchange: Exchange, *messages: dict[str, Any]) -> None:
    async def send_all() -> None:
        for message in messages:
            await exchange.send(message)

    run_to_end(send_all())


class TestSend:
    def test_the_head_waits_for_the_first_part(self) -> None:
        outlet = Recorder()
        exchange = Exchange(b"", outlet)

        send(exchange, START)

        assert outlet.parts == []

    def test_parts_leave_one_by_one_behind_the_head(self) -> None:
        outlet = Recorder()
        exchange = Exchange(b"", outlet)

        send(exchange, START, body(b"one", more=True), body(b"two", more=True))

        assert outlet.parts == [PRELUDE, b"one", b"two"]
        assert not outlet.is_ended
        assert not exchange.complete

    def test_the_last_part_ends_the_answer(self) -> None:
        outlet = Recorder()
        exchange = Exchange(b"", outlet)

        send(exchange, START, body(b"whole"))

        assert outlet.is_ended
        assert exchange.complete

    def test_a_message_may_leave_out_what_has_a_default(self) -> None:
        outlet = Recorder()
        exchange = Exchange(b"", outlet)

        send(exchange, {"type": "http.response.start", "status": 204})
        send(exchange, {"type": "http.response.body"})

        assert outlet.parts == [b'{"statusCode": 204, "headers": {}}' + bytes(8)]
        assert outlet.is_ended

    @pytest.mark.parametrize(
        "messages",
        [
            [body(b"before the head")],
            [START, START],
            [START, body(b"whole"), body(b"more")],
            [START, {"type": "http.response.push"}],
            [{"type": "websocket.accept"}],
        ],
    )
    def test_a_message_out_of_place_is_refused(self, messages: list[dict[str, Any]]) -> None:
        exchange = Exchange(b"", Recorder())

        with pytest.raises(UnexpectedMessage):
            send(exchange, *messages)


class TestReceive:
    def test_the_request_comes_whole_and_once(self) -> None:
        exchange = Exchange(b"question", Recorder())
        send(exchange, START, body(b"answer"))

        first, second = asyncio.run(_receive_twice(exchange))

        assert first == {"type": "http.request", "body": b"question", "more_body": False}
        assert second == {"type": "http.disconnect"}

    def test_a_lost_connection_is_a_disconnect(self) -> None:
        outlet = Recorder()
        outlet.loss = BrokenPipeError()
        exchange = Exchange(b"", outlet)

        _, second = asyncio.run(_receive_twice(exchange))

        assert second == {"type": "http.disconnect"}


class TestFail:
    def test_nothing_sent_yet_makes_it_a_500(self) -> None:
        outlet = Recorder()
        exchange = Exchange(b"", outlet)
        send(exchange, START)

        exchange.fail("Function.ValueError", "id-1")

        prelude, envelope = outlet.parts
        assert json.loads(prelude[:-8])["statusCode"] == 500
        assert json.loads(envelope)["error"]["code"] == "internal_error"
        assert outlet.is_ended
        assert outlet.failures == []

    def test_a_begun_answer_is_cut_short(self) -> None:
        outlet = Recorder()
        exchange = Exchange(b"", outlet)
        send(exchange, START, body(b"half", more=True))

        exchange.fail("Function.ValueError", "id-1")

        assert outlet.parts == [PRELUDE, b"half"]
        assert outlet.failures == ["Function.ValueError"]

    def test_a_complete_answer_stays_as_it_is(self) -> None:
        outlet = Recorder()
        exchange = Exchange(b"", outlet)
        send(exchange, START, body(b"whole"))

        exchange.fail("Function.ValueError", "id-1")

        assert outlet.parts == [PRELUDE, b"whole"]
        assert outlet.failures == []


class TestRequireComplete:
    def test_a_complete_answer_passes(self) -> None:
        exchange = Exchange(b"", Recorder())
        send(exchange, START, body(b"whole"))

        exchange.require_complete()

    def test_an_answer_without_its_end_does_not(self) -> None:
        exchange = Exchange(b"", Recorder())
        send(exchange, START, body(b"half", more=True))

        with pytest.raises(AnswerIncomplete):
            exchange.require_complete()


async def _receive_twice(exchange: Exchange) -> tuple[Any, Any]:
    return await exchange.receive(), await exchange.receive()
