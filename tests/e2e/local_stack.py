"""The whole local stack for end-to-end tests: `make serve` on free ports, with a state of its own.

with local_stack(tmp_path) as stack:
    client = OpenAI(base_url=stack.openai_base_url, api_key=stack.user_key)
"""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY = "Farebox is ready at "
_READY_SECONDS = 60.0
_STOP_SECONDS = 15.0
"""What `make serve` promises."""


@dataclass(frozen=True)
class LocalStack:
    """A stack that serves."""

    url: str
    """Without a path."""
    openai_base_url: str
    user_key: str
    """Of the seeded user: tier professional, 10,000 credits."""
    admin_key: str
    service_key: str
    """Of the seeded organisation, which has as many."""
    state_dir: Path


class Serve:
    """One process of `make serve`.

    Args:
        state_dir: Its STATE_DIR; the credentials it writes are in `env` there.
        variables: More of its environment; by default PORT is any free one, no provider has a key.
    """

    def __init__(self, state_dir: Path, **variables: str) -> None:
        self.state_dir = state_dir
        self.lines: list[str] = []
        """What it printed so far."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local.serve", "--env-file", str(state_dir / "env")],
            cwd=ROOT,
            env={
                "PATH": os.environ.get("PATH", os.defpath),  # noqa: TID251 - of the test run itself
                "PORT": "0",
                "STATE_DIR": str(state_dir),
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's as well."""
        return self._process.pid

    @property
    def output(self) -> str:
        """All it printed so far."""
        return "\n".join(self.lines)

    def wait_ready(self) -> LocalStack:
        """Wait until it serves."""
        deadline = time.monotonic() + _READY_SECONDS
        while not any(line.startswith(READY) for line in self.lines):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"make serve did not start:\n{self.output}")
            time.sleep(0.02)
        return self._stack()

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to its whole process group, as a terminal does."""
        os.killpg(self.pid, number)

    def wait(self) -> int:
        """Wait for its end; gives its exit code."""
        code = self._process.wait(_STOP_SECONDS)
        self._reader.join()
        return code

    def stop(self) -> int:
        """Stop it, if it has not ended; gives its exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        return self.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            self.lines.extend(line.rstrip("\n") for line in iter(stdout.readline, ""))

    def _stack(self) -> LocalStack:
        exports = shlex.split((self.state_dir / "env").read_text(encoding="utf-8"))
        variables = dict(each.split("=", 1) for each in exports if "=" in each)
        return LocalStack(
            url=variables["FAREBOX_URL"],
            openai_base_url=variables["OPENAI_BASE_URL"],
            user_key=variables["OPENAI_API_KEY"],
            admin_key=variables["FAREBOX_ADMIN_KEY"],
            service_key=variables["FAREBOX_SERVICE_KEY"],
            state_dir=self.state_dir,
        )


@contextmanager
def local_stack(state_dir: Path, **variables: str) -> Iterator[LocalStack]:
    """Serve the whole stack for as long as the context lasts.

    Args:
        state_dir: Where it keeps its state, such as a `tmp_path`.
        variables: More of its environment, such as `SANDBOX_LENIENT="1"`.
    """
    serve = Serve(state_dir, **variables)
    try:
        yield serve.wait_ready()
    finally:
        serve.stop()
