"""Child processes: waiting for them, ending them, and their end when we are gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from local.problems import CannotServe
from local.processes import Child, Family, Program, Stopped

ROOT = Path(__file__).resolve().parents[3]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
PATIENT = "import time; time.sleep(60)"
SUPERVISOR = """
import subprocess, sys, time
child = [sys.executable, "-m", "local.child", "program"]
print(subprocess.Popen(child, stdin=subprocess.PIPE).pid, flush=True)
time.sleep(60)
"""


def make_program(directory: Path, code: str) -> Program:
    """Make a program of a line of Python."""
    (directory / "program.py").write_text(code, encoding="utf-8")
    return Program(
        name="test program",
        python=Path(sys.executable),
        module="program",
        environment={"PATH": os.defpath, "PYTHONPATH": str(directory)},
        root=ROOT,
        log=directory / "log",
        ready=lambda: True,
        stop_seconds=0.5,
    )


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def comes_true(condition: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class TestChild:
    def test_one_that_will_not_end_is_made_to(self, tmp_path: Path) -> None:
        child = Child(make_program(tmp_path, STUBBORN))

        child.stop()

        assert not is_running(child.pid)

    def test_waiting_for_one_that_ended_says_where_its_log_is(self, tmp_path: Path) -> None:
        program = replace(make_program(tmp_path, "raise SystemExit(3)"), ready=lambda: False)

        with Family() as family, pytest.raises(CannotServe) as problem:
            family.start(program).wait_ready(Event())

        assert str(problem.value) == (
            f"The test program (log: {tmp_path / 'log'}) ended with exit code 3."
        )
        assert problem.value.exit_code == 1

    def test_waiting_ends_when_we_are_told_to_stop(self, tmp_path: Path) -> None:
        program = replace(make_program(tmp_path, PATIENT), ready=lambda: False)
        stop = Event()
        stop.set()

        with Family() as family, pytest.raises(Stopped):
            family.start(program).wait_ready(stop)

    def test_what_it_prints_is_in_its_log(self, tmp_path: Path) -> None:
        child = Child(make_program(tmp_path, "print('hello')"))

        assert comes_true(lambda: (tmp_path / "log").read_text() == "hello\n")
        child.stop()


class TestFamily:
    def test_leaving_ends_all(self, tmp_path: Path) -> None:
        with Family() as family:
            pids = [family.start(make_program(tmp_path, PATIENT)).pid for _ in range(2)]

        assert not any(map(is_running, pids))

    def test_one_that_ended_by_itself_is_noticed(self, tmp_path: Path) -> None:
        with Family() as family:
            child = family.start(make_program(tmp_path, PATIENT))
            os.kill(child.pid, signal.SIGKILL)
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

            with pytest.raises(CannotServe, match="ended with exit code -9"):
                family.require_running()


def test_a_child_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR],
        cwd=ROOT,
        env=make_program(tmp_path, PATIENT).environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    with supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())

        supervisor.kill()

    assert comes_true(lambda: not is_running(pid))
