"""Fault orders that leave the connection whole; `test_simulator_server.py` has the others."""

import json
from typing import Any

import pytest
from starlette.types import ASGIApp

from local.simulator.app import create_app
from local.simulator.delivery import ConnectionCutError
from local.simulator.faults import Fault, FaultOrder, FaultQueue
from tests.unit.local.test_simulator_app import CHAT, EMBEDDINGS, QUESTION, call

STREAM = {**QUESTION, "stream": True}
BROKEN = {"status": 500}


def simulator() -> ASGIApp:
    """Build a simulator that does not wait between the chunks."""
    return create_app(pace_seconds=0)


def fail(fault: dict[str, object], body: object = QUESTION, path: str = CHAT) -> Any:  # noqa: ANN401
    """Return the response to a request that orders a fault in its header."""
    return call(simulator(), "POST", path, body, {"x-simulate": json.dumps(fault)})


def usages(text: str) -> list[object]:
    """Return the usage of each chunk that has one."""
    events = [line.removeprefix("data: ") for line in text.splitlines() if line]
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    return [chunk["usage"] for chunk in chunks if "usage" in chunk]


class TestErrors:
    def test_429_carries_retry_after(self) -> None:
        answer = fail({"status": 429})

        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["error"]["code"] == "rate_limit_exceeded"

    def test_any_error_may_carry_retry_after_and_headers(self) -> None:
        answer = fail(
            {"status": 503, "retry_after_seconds": 7, "headers": {"X-Should-Retry": "false"}}
        )

        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["x-should-retry"] == "false"

    def test_the_envelope_is_complete_and_its_fields_can_be_replaced(self) -> None:
        answer = fail({"status": 400, "error": {"message": "Too long.", "param": "messages"}})

        assert answer.json() == {
            "error": {
                "message": "Too long.",
                "type": "invalid_request_error",
                "param": "messages",
                "code": None,
            }
        }

    def test_an_error_event_ends_a_stream_without_done(self) -> None:
        text = fail({"error_after_chunks": 2}, STREAM).text

        *_, first, second, last = text.removesuffix("\n\n").split("\n\n")
        assert "choices" in json.loads(first.removeprefix("data: "))
        assert "choices" in json.loads(second.removeprefix("data: "))
        assert json.loads(last.removeprefix("data: "))["error"]["type"] == "server_error"
        assert text.count("data: ") == 3

    def test_a_plain_answer_becomes_an_error_under_status_200(self) -> None:
        answer = fail({"error_after_chunks": 1})

        assert answer.status_code == 200
        assert answer.json()["error"]["type"] == "server_error"


class TestBodies:
    def test_garbage_is_no_json(self) -> None:
        answer = fail({"body": "garbage"})

        assert answer.headers["content-type"] == "application/json"
        assert answer.content.startswith(b"<html>")

    def test_garbage_in_a_stream_is_an_event_that_is_no_json(self) -> None:
        lines = fail({"body": "garbage"}, STREAM).text.splitlines()

        with pytest.raises(json.JSONDecodeError):
            json.loads(lines[0].removeprefix("data: "))
        assert lines[2] == "data: [DONE]"

    @pytest.mark.parametrize("body", [QUESTION, STREAM])
    def test_empty_is_nothing_at_all(self, body: object) -> None:
        answer = fail({"body": "empty"}, body)

        assert (answer.status_code, answer.content) == (200, b"")

    def test_the_content_type_can_lie(self) -> None:
        answer = fail({"content_type": "text/html"})

        assert answer.headers["content-type"] == "text/html"
        assert answer.json()["object"] == "chat.completion"

    def test_a_trickle_leaves_the_body_unchanged(self) -> None:
        slow = fail({"trickle_bytes": 7, "trickle_delay_seconds": 0}, STREAM)

        assert usages(slow.text) == []
        assert slow.text.endswith("data: [DONE]\n\n")

    def test_a_stream_can_end_without_done(self) -> None:
        text = fail({"done": False}, STREAM).text

        assert '"finish_reason":"stop"' in text
        assert "[DONE]" not in text

    def test_a_text_can_be_ordered_in_length(self) -> None:
        answer = fail({"answer_tokens": 1000}).json()

        assert answer["usage"]["completion_tokens"] == 1000
        assert answer["choices"][0]["finish_reason"] == "stop"


def test_a_cut_raises_where_there_is_no_connection_to_cut() -> None:
    with pytest.raises(ConnectionCutError):
        fail({"cut_after_chunks": 1}, STREAM)


class TestUsage:
    @pytest.mark.parametrize(
        ("fault", "prompt_tokens"),
        [("negative", -5), ("huge", 10**12), ("strings", "4"), ("nulls", None)],
    )
    def test_counts_can_be_absurd(self, fault: str, prompt_tokens: object) -> None:
        assert fail({"usage": fault}).json()["usage"]["prompt_tokens"] == prompt_tokens

    def test_it_can_be_left_out_null_or_anything(self) -> None:
        assert "usage" not in fail({"usage": "none"}).json()
        assert fail({"usage": "null"}).json()["usage"] is None
        assert fail({"usage": {"tokens": [1]}}).json()["usage"] == {"tokens": [1]}

    def test_embeddings_have_the_same_faults(self) -> None:
        body = {"model": "text-embedding-3-small", "input": "hello", "dimensions": 2}

        answer = fail({"usage": "negative"}, body, EMBEDDINGS)

        assert answer.json()["usage"] == {"prompt_tokens": -3, "total_tokens": -3}

    def test_a_stream_can_report_it_twice(self) -> None:
        first, second = usages(fail({"usage": "twice"}, STREAM).text)

        assert first == second
        assert isinstance(first, dict)

    def test_a_stream_can_report_it_inside_the_last_chunk_with_choices(self) -> None:
        *_, last, done = fail({"usage": "inside"}, STREAM).text.removesuffix("\n\n").split("\n\n")

        chunk = json.loads(last.removeprefix("data: "))
        assert chunk["choices"][0]["finish_reason"] == "stop"
        assert chunk["usage"]["prompt_tokens"] == 4
        assert done == "data: [DONE]"

    def test_a_stream_can_lack_it_though_it_was_asked_for(self) -> None:
        asked = {**STREAM, "stream_options": {"include_usage": True}}

        assert usages(fail({"usage": "none"}, asked).text) == []


class TestOrders:
    @pytest.mark.parametrize(
        "fault",
        [
            "not json",
            '{"unheard_of": 1}',
            '{"status": 200}',
            '{"status": 304}',
            '{"delay_seconds": -1}',
            '{"delay_seconds": 601}',
            '{"headers": {"a": "b\\r\\nc: d"}}',
            '{"cut_after_chunks": 1, "error_after_chunks": 1}',
        ],
    )
    def test_an_impossible_fault_is_refused(self, fault: str) -> None:
        answer = call(simulator(), "POST", CHAT, QUESTION, {"x-simulate": fault})

        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "X-Simulate"

    def test_an_order_lasts_for_as_many_requests_as_it_says(self) -> None:
        app = simulator()
        call(app, "POST", "/simulator/faults", {"fault": BROKEN, "times": 2})

        statuses = [call(app, "POST", CHAT, QUESTION).status_code for _ in range(3)]

        assert statuses == [500, 500, 200]

    def test_an_order_without_times_lasts_for_one_request(self) -> None:
        app = simulator()
        call(app, "POST", "/simulator/faults", {"fault": BROKEN})

        statuses = [call(app, "POST", CHAT, QUESTION).status_code for _ in range(2)]

        assert statuses == [500, 200]

    def test_an_order_for_all_requests_lasts_until_cleared(self) -> None:
        app = simulator()
        call(app, "POST", "/simulator/faults", {"fault": BROKEN, "times": None})
        before = [call(app, "POST", CHAT, QUESTION).status_code for _ in range(3)]

        cleared = call(app, "DELETE", "/simulator/faults")

        assert before == [500, 500, 500]
        assert cleared.json() == {"queued": []}
        assert call(app, "POST", CHAT, QUESTION).status_code == 200

    def test_the_header_wins_and_uses_up_no_order(self) -> None:
        app = simulator()
        call(app, "POST", "/simulator/faults", {"fault": BROKEN})

        answer = call(app, "POST", CHAT, QUESTION, {"x-simulate": '{"status": 418}'})

        assert answer.status_code == 418
        queued = call(app, "GET", "/simulator/faults").json()
        assert queued == {"queued": [{"fault": {"status": 500}}]}

    def test_a_refused_key_uses_up_no_order(self) -> None:
        app = simulator()
        call(app, "POST", "/simulator/faults", {"fault": BROKEN})

        call(app, "POST", CHAT, QUESTION, {"authorization": "Bearer invalid"})

        assert call(app, "POST", CHAT, QUESTION).status_code == 500

    def test_a_malformed_order_is_refused(self) -> None:
        answer = call(simulator(), "POST", "/simulator/faults", {"fault": {"status": "500"}})

        assert answer.status_code == 400
        assert "fault.status" in answer.json()["error"]["message"]


class TestFaultQueue:
    def test_an_order_for_a_model_leaves_the_others_alone(self) -> None:
        queue = FaultQueue()
        queue.add(FaultOrder(fault=Fault(status=500), model="gpt-4o"))

        assert queue.take("POST", CHAT, "gpt-4o-mini") == Fault()
        assert queue.take("POST", CHAT, "gpt-4o") == Fault(status=500)

    def test_an_order_without_a_path_concerns_posts_only(self) -> None:
        queue = FaultQueue()
        queue.add(FaultOrder(fault=Fault(status=500)))

        assert queue.take("GET", "/v1/models", None) == Fault()
        assert queue.take("POST", EMBEDDINGS, None) == Fault(status=500)

    def test_an_order_with_a_path_concerns_that_path_only(self) -> None:
        queue = FaultQueue()
        queue.add(FaultOrder(fault=Fault(status=500), path="/v1/models"))

        assert queue.take("POST", CHAT, "gpt-4o") == Fault()
        assert queue.take("GET", "/v1/models", None) == Fault(status=500)

    def test_the_oldest_order_that_fits_comes_first(self) -> None:
        queue = FaultQueue()
        queue.add(FaultOrder(fault=Fault(status=500), model="gpt-4o"))
        queue.add(FaultOrder(fault=Fault(status=501)))
        queue.add(FaultOrder(fault=Fault(status=502)))

        taken = [queue.take("POST", CHAT, "o1").status for _ in range(3)]

        assert taken == [501, 502, None]
        assert len(queue.orders) == 1
