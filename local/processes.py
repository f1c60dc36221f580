"""The processes `make serve` starts, each watched from start to end."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Final, Self

from local.problems import CannotServe

_LOOK_EVERY_SECONDS: Final = 0.02
_READY_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run, and how."""

    name: str
    """For people: "AWS emulator"."""
    python: Path
    module: str
    arguments: Sequence[str] = ()
    environment: Mapping[str, str]
    root: Path
    """The checkout: the working directory, so that `local` and `functions` are found."""
    log: Path
    """Takes its standard output."""
    speaks: bool = False
    """Its standard error goes to our terminal instead of the log."""
    inherits: Sequence[int] = ()
    """Descriptors it gets."""
    ready: Callable[[], bool]
    """Tells whether it is."""
    stop_seconds: float
    """How long it may take to end before it is made to."""


class Stopped(Exception):
    """We were told to stop while something was still starting."""


class Child:
    """A running program.

    It has a session of its own, so that Ctrl-C in the terminal reaches only us, who end things in
    order; see `local.child` for what happens should we not be there to do so.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("wb") as log:
            self._process = subprocess.Popen(
                [program.python, "-m", "local.child", program.module, *program.arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=None if program.speaks else subprocess.STDOUT,
                env=dict(program.environment),
                cwd=program.root,
                pass_fds=program.inherits,
                start_new_session=True,
                umask=0o077,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_ready(self, stop: Event) -> None:
        """Wait until it is.

        Args:
            stop: Set when we are told to stop.

        Raises:
            Stopped: We were.
            CannotServe: It ended, or was not ready within 30 s.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while not self.program.ready():
            if stop.wait(_LOOK_EVERY_SECONDS):
                raise Stopped
            self.require_running()
            if time.monotonic() >= deadline:
                raise CannotServe(f"{self._describe()} is not ready after 30 s.", exit_code=1)

    def require_running(self) -> None:
        """Check that it has not ended.

        Raises:
            CannotServe: It has.
        """
        code = self._process.poll()
        if code is not None:
            raise CannotServe(f"{self._describe()} ended with exit code {code}.", exit_code=1)

    def stop(self) -> None:
        """Ask it to end, and make it if it does not."""
        self._process.terminate()
        try:
            self._process.wait(self.program.stop_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _describe(self) -> str:
        return f"The {self.program.name} (log: {self.program.log})"


class Family:
    """All that runs; as a context manager it ends the youngest first."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        """Oldest first."""

    def start(self, program: Program) -> Child:
        """Start a program."""
        child = Child(program)
        self.children.append(child)
        return child

    def end(self, child: Child) -> None:
        """End one of them, if it has not ended."""
        if child in self.children:
            self.children.remove(child)
            child.stop()

    def require_running(self) -> None:
        """Check that all are there.

        Raises:
            CannotServe: One has ended.
        """
        for child in self.children:
            child.require_running()

    def end_all(self) -> None:
        """End them all, the youngest first."""
        while self.children:
            self.children.pop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end_all()
