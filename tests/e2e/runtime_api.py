"""Functions in processes of their own, started as Lambda starts them.

A function that streams starts through `exec-wrapper`, any other on awslambdaric, so that what is
tested is what is deployed:

    with LambdaProcess.streamed(Path("functions/chat")) as chat:
        answer = chat.invoke(rest_event("GET", "/v1/models"))
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, Self

from tests.e2e.answers import Answer, Chunk, FunctionError
from tests.e2e.runtime_server import TRACE_ID, Disturbance, Invocation, RuntimeApi

__all__ = [
    "Answer",
    "Chunk",
    "Disturbance",
    "FunctionError",
    "Invocation",
    "LambdaProcess",
    "ProcessExited",
    "RuntimeApi",
]

SHARED: Final = Path(__file__).resolve().parents[2] / "shared"
EXEC_WRAPPER: Final = SHARED / "farebox" / "runtime" / "exec-wrapper"

_POLL_SECONDS: Final = 0.1
_GRACE_SECONDS: Final = 10


class ProcessExited(RuntimeError):
    """The process ended where it was still needed; the message is all it has logged."""


class LambdaProcess:
    """One execution environment: a process and the Runtime API it asks for events."""

    def __init__(
        self,
        command: list[str],
        task_root: Path,
        handler: str,
        environment: Mapping[str, str],
        api: RuntimeApi | None,
    ) -> None:
        self.api = api or RuntimeApi()
        self._owns_api = api is None
        self._log = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            command,
            cwd=task_root,
            env=_lambda_variables(task_root, handler, self.api) | dict(environment),
            stdout=self._log,
            stderr=self._log,
        )

    @classmethod
    def streamed(
        cls,
        task_root: Path,
        handler: str = "handler.app",
        *,
        environment: Mapping[str, str] | None = None,
        api: RuntimeApi | None = None,
    ) -> Self:
        """Start a function by `exec-wrapper`, as AWS_LAMBDA_EXEC_WRAPPER has it started.

        Args:
            task_root: the folder that Lambda would unpack to /var/task.
            handler: the template's Handler, an ASGI application.
            environment: the function's own variables.
            api: the Runtime API of a fleet to join; one of its own when left out.
        """
        command = [str(EXEC_WRAPPER), sys.executable, "/var/runtime/bootstrap.py"]
        return cls(command, task_root, handler, environment or {}, api)

    @classmethod
    def buffered(
        cls,
        task_root: Path,
        handler: str = "handler.handler",
        *,
        environment: Mapping[str, str] | None = None,
        api: RuntimeApi | None = None,
    ) -> Self:
        """Start a function on awslambdaric; the arguments are those of `streamed`."""
        command = [sys.executable, "-m", "awslambdaric", handler]
        variables = {"PYTHONPATH": str(SHARED)} | dict(environment or {})
        return cls(command, task_root, handler, variables, api)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def invoke(
        self,
        event: Mapping[str, Any] | bytes,
        *,
        seconds: float = 30,
        trace_id: str | None = TRACE_ID,
        disturbance: Disturbance | None = None,
    ) -> Answer:
        """Have an event answered; the arguments are those of `RuntimeApi.submit`.

        Raises:
            ProcessExited: the process ended instead.
            TimeoutError: no answer came; the message is all the process has logged.
        """
        invocation = self.api.submit(
            event, seconds=seconds, trace_id=trace_id, disturbance=disturbance
        )
        return self._await(invocation.answer, seconds + _GRACE_SECONDS)

    def wait_ready(self, seconds: float = 30) -> None:
        """Wait until the process (or, in a fleet, the first one) asks for an event.

        Raises:
            ProcessExited: it ended instead.
            TimeoutError: it did not ask in `seconds`; the message is all it has logged.
        """
        self._await(self.api.ready, seconds)

    def wait_exit(self, seconds: float = 30) -> int:
        """Wait until the process has ended by itself, and give its exit code."""
        return self._process.wait(seconds)

    def logs(self) -> str:
        """Give everything the process has written to stdout and stderr."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def log_lines(self) -> list[dict[str, Any]]:
        """Give the log's lines, each parsed as JSON."""
        return [json.loads(line) for line in self.logs().splitlines()]

    def cpu_seconds(self) -> float:
        """Give the processor time, user and system, the process has used so far (Linux only).

        The clock's number is what clock_getcpuclockid(3) computes; Python does not offer that call.
        """
        return time.clock_gettime((~self.pid << 3) | 2)

    def peak_memory_bytes(self) -> int:
        """Give the most memory the process has had resident so far (Linux only)."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        kibibytes = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(kibibytes.split()[1]) * 1024

    def kill(self) -> None:
        """End the process as a crash or a timeout does: at once. The API stays."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the process, and its Runtime API unless that is a fleet's."""
        self._process.terminate()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        if self._owns_api:
            self.api.close()
        self._log.close()

    def _await[Result](self, future: Future[Result], seconds: float) -> Result:
        give_up_at = time.monotonic() + seconds
        while True:
            try:
                return future.result(_POLL_SECONDS)
            except TimeoutError:
                has_exited = self._process.poll() is not None and not future.done()
            if has_exited:
                raise ProcessExited(self.logs())
            if time.monotonic() > give_up_at:
                raise TimeoutError(self.logs())


def _lambda_variables(task_root: Path, handler: str, api: RuntimeApi) -> dict[str, str]:
    """Give the variables Lambda sets, and of the tests' own only what measures coverage.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (2026-11)
    """
    inherited = os.environ.items()  # noqa: TID251 - no setting of ours
    measuring = {name: value for name, value in inherited if name.startswith("COVERAGE_")}
    return measuring | {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_NAME": "tested",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/tested",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/20/[1]0123456789abcdef",
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_REGION": "us-east-1",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(task_root.resolve()),
        "LANG": "en_US.UTF-8",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "TZ": ":UTC",
        "_HANDLER": handler,
    }
