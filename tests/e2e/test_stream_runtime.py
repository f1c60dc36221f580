"""The streaming runtime end to end: real processes, a Runtime API, API Gateway's events."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.events import rest_event, scheduled_event
from tests.e2e.runtime_api import Answer, Disturbance, LambdaProcess, ProcessExited

APPS = Path(__file__).parent / "apps"


@pytest.fixture(scope="module")
def function() -> Iterator[LambdaProcess]:
    with LambdaProcess.streamed(APPS / "blocking") as process:
        yield process


@pytest.fixture(scope="module")
def looping() -> Iterator[LambdaProcess]:
    with LambdaProcess.streamed(APPS / "looping") as process:
        yield process


@pytest.fixture
def open_gate(tmp_path: Path) -> str:
    gate = tmp_path / "gate"
    gate.touch()
    return str(gate)


def get(process: LambdaProcess, path: str) -> Answer:
    return process.invoke(rest_event("GET", path))


class TestStreaming:
    def test_a_part_arrives_while_the_application_is_still_at_work(
        self, function: LambdaProcess, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        invocation = function.api.submit(rest_event("GET", f"/gated?gate={gate}"))
        prelude, first = (invocation.arrived.get(timeout=10) for _ in range(2))
        gate.touch()
        answer = invocation.wait()

        assert prelude.endswith(bytes(8))
        assert first == b"first"
        assert [chunk.data for chunk in answer.chunks] == [b"first", b"second"]

    def test_an_empty_first_part_sends_the_head_alone(
        self, function: LambdaProcess, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        invocation = function.api.submit(rest_event("GET", f"/early-head?gate={gate}"))
        prelude = invocation.arrived.get(timeout=10)
        gate.touch()
        answer = invocation.wait()

        assert prelude == b'{"statusCode": 201, "headers": {}}' + bytes(8)
        assert answer.body == b"late"
        assert answer.head_at_seconds < answer.chunks[0].at_seconds

    def test_an_application_on_an_event_loop_streams_too(
        self, looping: LambdaProcess, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        invocation = looping.api.submit(rest_event("GET", f"/gated?gate={gate}"))
        _, first = (invocation.arrived.get(timeout=10) for _ in range(2))
        gate.touch()

        assert first == b"first"
        assert invocation.wait().status == 200

    def test_an_application_on_an_event_loop_hears_of_the_end_of_its_exchange_not_earlier(
        self, looping: LambdaProcess, open_gate: str
    ) -> None:
        during = get(looping, f"/watched?gate={open_gate}")
        after = get(looping, f"/next?gate={open_gate}")

        assert "/watched http.disconnect" not in json.loads(during.chunks[1].data)
        assert json.loads(after.chunks[1].data)[-1] == "/watched http.disconnect"

    def test_an_answer_of_20_megabytes_passes(self, function: LambdaProcess) -> None:
        answer = get(function, "/large")

        assert answer.body == b"a" * 20_000_000

    def test_the_post_says_what_lambda_wants_to_know(self, function: LambdaProcess) -> None:
        answer = get(function, "/echo")

        assert answer.posted["content-type"] == [
            "application/vnd.awslambda.http-integration-response"
        ]
        assert answer.posted["lambda-runtime-function-response-mode"] == ["streaming"]
        assert answer.posted["transfer-encoding"] == ["chunked"]
        assert answer.posted["trailer"] == [
            "Lambda-Runtime-Function-Error-Type",
            "Lambda-Runtime-Function-Error-Body",
        ]
        assert answer.posted["connection"] == ["close"]


class TestPrelude:
    def test_it_separates_cookies_and_repeated_headers_from_single_ones(
        self, function: LambdaProcess
    ) -> None:
        answer = get(function, "/cookies")

        assert answer.prelude == {
            "statusCode": 200,
            "headers": {"x-name": "café"},
            "multiValueHeaders": {"vary": ["Origin", "Accept"]},
            "cookies": ["session=1", "theme=dark"],
        }
        assert answer.body.decode() == "naïve ✓"

    def test_an_answer_without_body_says_so(self, function: LambdaProcess) -> None:
        answer = get(function, "/redirect")

        assert answer.prelude == {
            "statusCode": 302,
            "headers": {"location": "/elsewhere", "content-length": "0"},
        }
        assert answer.chunks == ()


class TestRequest:
    def test_it_reaches_the_application_as_it_was_sent(self, function: LambdaProcess) -> None:
        event = rest_event(
            "POST",
            "/v1/models/openai%2Fgpt-4o?tag=a&tag=b%26c&q=caf%C3%A9+cr%C3%A8me",
            headers=[("X-Twice", "one"), ("X-Twice", "two")],
            body="grüezi",
        )
        answer = function.invoke(event)

        seen = answer.json()
        assert seen["method"] == "POST"
        assert seen["path"] == "/v1/models/openai/gpt-4o"
        assert seen["raw_path"] == "/v1/models/openai%2Fgpt-4o"
        assert seen["query_string"] == "tag=a&tag=b%26c&q=caf%C3%A9+cr%C3%A8me"
        assert ["x-twice", "one"] in seen["headers"]
        assert ["x-twice", "two"] in seen["headers"]
        assert seen["client"] == ["203.0.113.7", 0]
        assert seen["body"].encode("latin-1").decode() == "grüezi"

    def test_a_binary_body_arrives_as_its_bytes(self, function: LambdaProcess) -> None:
        answer = function.invoke(rest_event("POST", "/echo", body=b"\x00\xff\x89PNG"))

        assert answer.json()["body"].encode("latin-1") == b"\x00\xff\x89PNG"

    def test_an_event_of_six_megabytes_arrives(self, function: LambdaProcess) -> None:
        answer = function.invoke(rest_event("POST", "/echo", body="x" * 6_000_000))

        assert len(answer.json()["body"]) == 6_000_000

    def test_the_application_knows_its_invocation_and_deadline(
        self, function: LambdaProcess
    ) -> None:
        invocation = function.api.submit(rest_event("GET", "/context"), seconds=20)
        seen = invocation.wait().json()

        assert seen["request_id"] == invocation.id
        assert seen["function_arn"] == "arn:aws:lambda:us-east-1:123456789012:function:tested"
        assert seen["deadline_ms"] == invocation.deadline_ms
        assert 15_000 < seen["remaining_ms"] <= 20_000

    def test_the_trace_is_in_the_environment_while_there_is_one(
        self, function: LambdaProcess
    ) -> None:
        traced = function.invoke(rest_event("GET", "/context"), trace_id="Root=1-abc;Sampled=0")
        untraced = function.invoke(rest_event("GET", "/context"), trace_id=None)

        assert traced.json()["trace_id"] == "Root=1-abc;Sampled=0"
        assert untraced.json()["trace_id"] is None


class TestFailure:
    @pytest.mark.parametrize(
        ("path", "error_type"),
        [
            ("/raise-before", "Function.ValueError"),
            ("/say-nothing", "Function.AnswerIncomplete"),
            ("/heavy-head", "Function.PreludeTooLarge"),
            ("/suspend", "Function.RuntimeError"),
            ("/read-twice", "Function.RuntimeError"),
        ],
    )
    def test_before_the_first_byte_it_becomes_a_500_that_tells_nothing(
        self, function: LambdaProcess, path: str, error_type: str
    ) -> None:
        invocation = function.api.submit(rest_event("GET", path))
        answer = invocation.wait()

        assert answer.status == 500
        assert answer.headers == {
            "content-type": ["application/json"],
            "x-request-id": [invocation.id],
        }
        assert answer.json() == {
            "error": {
                "message": "The server failed to process the request;"
                " quote x-request-id to its operator.",
                "type": "api_error",
                "param": None,
                "code": "internal_error",
            }
        }
        assert answer.error is None
        assert function.log_lines()[-1]["error_type"] == error_type

    @pytest.mark.parametrize(
        ("path", "error_type"),
        [
            ("/raise-after", "Function.ValueError"),
            ("/stop-short", "Function.AnswerIncomplete"),
        ],
    )
    def test_after_the_first_byte_it_goes_into_the_trailers(
        self, function: LambdaProcess, path: str, error_type: str
    ) -> None:
        answer = get(function, path)

        assert answer.status == 200
        assert answer.body == b"half"
        assert answer.error is not None
        assert answer.error.type == error_type
        assert answer.error.description == {
            "errorType": error_type,
            "errorMessage": "The answer was cut short by an internal error.",
        }

    def test_after_the_last_byte_it_is_only_logged(self, function: LambdaProcess) -> None:
        answer = get(function, "/raise-at-end")

        assert answer.body == b"whole"
        assert answer.error is None
        assert function.log_lines()[-1]["message"] == "the application failed"

    def test_it_is_logged_in_one_line_with_the_traceback_and_nothing_of_the_request(
        self, function: LambdaProcess
    ) -> None:
        event = rest_event(
            "POST", "/raise-before", headers={"Authorization": "Bearer fbk-1"}, body="private"
        )
        invocation = function.api.submit(event)
        invocation.wait()

        line = function.log_lines()[-1]
        assert line["level"] == "ERROR"
        assert line["request_id"] == invocation.id
        assert line["traceback"].startswith("Traceback (most recent call last):")
        assert line["traceback"].endswith("ValueError: secret detail\n")
        assert "fbk-1" not in function.logs()
        assert "private" not in function.logs()

    @pytest.mark.parametrize(
        "path", ["/raise-before", "/raise-after", "/raise-at-end", "/stop-short", "/suspend"]
    )
    def test_the_next_invocation_is_served_as_if_nothing_had_been(
        self, function: LambdaProcess, path: str
    ) -> None:
        get(function, path)
        answer = get(function, "/echo")

        assert answer.status == 200

    @pytest.mark.parametrize("event", [b"{", b"[]", b"null", b'{"httpMethod": 1, "path": 2}'])
    def test_an_event_that_is_no_request_is_answered_with_a_400(
        self, function: LambdaProcess, event: bytes
    ) -> None:
        answer = function.invoke(event)

        assert answer.status == 400
        assert answer.json()["error"]["code"] == "invalid_event"

    def test_a_scheduled_event_is_answered_with_a_400(self, function: LambdaProcess) -> None:
        answer = function.invoke(scheduled_event())

        assert answer.status == 400
        assert answer.json()["error"]["type"] == "invalid_request_error"

    def test_an_application_that_overran_its_deadline_does_not_stop_the_next(
        self, function: LambdaProcess
    ) -> None:
        late = function.invoke(rest_event("GET", "/overrun"), seconds=0.1)
        answer = get(function, "/echo")

        assert late.error is not None
        assert late.error.type == "Sandbox.Timedout"
        assert function.log_lines()[-1]["message"] == "the answer did not reach Lambda"
        assert answer.status == 200

    def test_an_application_that_exits_takes_its_process_along(self) -> None:
        with (
            LambdaProcess.streamed(APPS / "blocking") as process,
            pytest.raises(ProcessExited),
        ):
            get(process, "/leave")

    def test_a_task_that_waited_for_the_end_hears_of_it_too(
        self, looping: LambdaProcess, open_gate: str
    ) -> None:
        failed = get(looping, "/raise")
        answer = get(looping, f"/after?gate={open_gate}")

        assert failed.status == 500
        assert "/raise http.disconnect" in json.loads(answer.chunks[1].data)


class TestLostConnection:
    def test_the_application_runs_to_its_end_when_the_connection_drops(
        self, function: LambdaProcess
    ) -> None:
        event = rest_event("GET", "/many")
        answer = function.invoke(event, disturbance=Disturbance(drop_after=3))
        report = get(function, "/report")

        assert answer.is_cut
        assert answer.body == b"b" * 2000
        assert report.json()[-1] == "many"
        assert function.log_lines()[-1]["message"] == "the answer did not reach Lambda"

    def test_the_application_gets_time_to_end_when_nobody_reads_any_more(
        self, function: LambdaProcess
    ) -> None:
        event = rest_event("GET", "/large")
        invocation = function.api.submit(event, seconds=2.5, disturbance=Disturbance(stall_after=1))
        report = get(function, "/report")

        assert not invocation.answer.done()
        assert report.json()[-1] == "large"

    def test_an_application_on_an_event_loop_hears_of_it(
        self, looping: LambdaProcess, open_gate: str
    ) -> None:
        event = rest_event("GET", f"/dropped?gate={open_gate}")
        looping.invoke(event, disturbance=Disturbance(drop_after=1))
        answer = get(looping, f"/after?gate={open_gate}")

        assert json.loads(answer.chunks[1].data)[-1] == "/dropped http.disconnect"

    def test_the_process_asks_once_more_when_the_waiting_connection_drops(self) -> None:
        with LambdaProcess.streamed(APPS / "blocking") as process:
            process.wait_ready()
            process.api.drop_waiting()
            answer = get(process, "/echo")

        assert answer.status == 200
