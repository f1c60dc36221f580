"""How functions start: initialisation and its failures, SnapStart, fleets, Lambda's own runtime."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.e2e.events import rest_event
from tests.e2e.runtime_api import Answer, LambdaProcess, RuntimeApi

APPS = Path(__file__).parent / "apps"


class Refusal(BaseHTTPRequestHandler):
    """Answers as a Runtime API that is beyond recovery."""

    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def refusing_address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Refusal) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def get(process: LambdaProcess, path: str) -> Answer:
    return process.invoke(rest_event("GET", path))


class TestInitialisation:
    @pytest.mark.parametrize(
        ("app", "handler", "error_type", "message"),
        [
            ("broken", "handler.app", "Function.ConnectionError", "no database"),
            ("blocking", "absent.app", "Runtime.ImportModuleError", "No module named 'absent'"),
            ("blocking", "handler.absent", "Runtime.HandlerNotFound", "handler has no 'absent'"),
            ("blocking", "app", "Runtime.MalformedHandlerName", "'app' is not module.attribute"),
        ],
    )
    def test_its_failure_is_reported_and_ends_the_process(
        self, app: str, handler: str, error_type: str, message: str
    ) -> None:
        with LambdaProcess.streamed(APPS / app, handler) as process:
            exit_code = process.wait_exit()
            (report,) = process.api.reports
            line = process.log_lines()[-1]

        assert exit_code == 1
        assert process.api.calls == ["POST /init/error"]
        assert report.type == error_type
        assert report.description["errorType"] == error_type
        assert report.description["errorMessage"] == message
        assert report.description["stackTrace"]
        assert line["error_type"] == error_type

    def test_nothing_but_the_next_event_is_asked_for_without_snapstart(self) -> None:
        with LambdaProcess.streamed(APPS / "blocking") as process:
            process.wait_ready()

        assert process.api.calls == ["GET /invocation/next"]

    def test_a_runtime_api_beyond_recovery_ends_the_process(self, refusing_address: str) -> None:
        environment = {"AWS_LAMBDA_RUNTIME_API": refusing_address}
        with LambdaProcess.streamed(APPS / "blocking", environment=environment) as process:
            exit_code = process.wait_exit()
            logs = process.logs()

        assert exit_code == 1
        assert "RuntimeApiRefused: GET /invocation/next: 500" in logs

    def test_the_handler_is_looked_up_in_the_task_root_first(self) -> None:
        environment = {"LAMBDA_TASK_ROOT": str(APPS / "snapshot")}
        with LambdaProcess.streamed(APPS / "blocking", environment=environment) as process:
            answer = get(process, "/")

        assert answer.json() == []

    def test_two_processes_of_a_fleet_work_at_the_same_time(self, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        api = RuntimeApi()
        with (
            LambdaProcess.streamed(APPS / "blocking", api=api),
            LambdaProcess.streamed(APPS / "blocking", api=api),
        ):
            first = api.submit(rest_event("GET", f"/gated?gate={gate}"))
            second = api.submit(rest_event("GET", f"/gated?gate={gate}"))
            preludes = [first.arrived.get(timeout=10), second.arrived.get(timeout=10)]
            gate.touch()
            answers = [first.wait(), second.wait()]
        api.close()

        assert preludes[0] == preludes[1]
        assert [answer.body for answer in answers] == [b"firstsecond", b"firstsecond"]


class TestSnapStart:
    def test_hooks_run_around_the_snapshot(self) -> None:
        environment = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
        with LambdaProcess.streamed(APPS / "snapshot", environment=environment) as process:
            answer = get(process, "/")

        assert process.api.calls[:2] == ["GET /restore/next", "GET /invocation/next"]
        assert answer.json() == ["before, registered last", "before, registered first", "after"]

    def test_a_handler_without_hooks_only_waits(self) -> None:
        environment = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
        with LambdaProcess.streamed(APPS / "blocking", environment=environment) as process:
            process.wait_ready()

        assert process.api.calls == ["GET /restore/next", "GET /invocation/next"]

    @pytest.mark.parametrize(
        ("phase", "exit_code", "calls", "error_type"),
        [
            (
                "before, registered last",
                64,
                ["POST /init/error"],
                "Runtime.BeforeSnapshotError",
            ),
            (
                "after",
                65,
                ["GET /restore/next", "POST /restore/error"],
                "Runtime.AfterRestoreError",
            ),
        ],
    )
    def test_a_failing_hook_is_reported_and_ends_the_process(
        self, phase: str, exit_code: int, calls: list[str], error_type: str
    ) -> None:
        environment = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "FAILING_PHASE": phase}
        with LambdaProcess.streamed(APPS / "snapshot", environment=environment) as process:
            ended_with = process.wait_exit()

        assert ended_with == exit_code
        assert process.api.calls == calls
        assert process.api.reports[0].type == error_type
        assert process.api.reports[0].description["errorMessage"] == f"no database {phase}"


class TestBuffered:
    def test_a_function_on_lambdas_own_runtime_answers_in_one_piece(self) -> None:
        with LambdaProcess.buffered(APPS / "buffered") as process:
            answer = get(process, "/")
            failed = get(process, "/raise")

        assert answer.status == 201
        assert answer.headers == {"content-type": ["image/png"], "set-cookie": ["a=1", "b=2"]}
        assert answer.body == b"\x89PNG"
        assert failed.error is not None
        assert failed.error.type == "ValueError"
