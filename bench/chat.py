"""What a chat request costs in CPU, as Lambda runs it: `make bench-chat`.

The yardstick is AWS's own runtime client making one upstream call, in the same run: machines
differ, ratios less so. Rounds take turns, so that a busy moment hits all alike. Only the CPU of the
function's own process is counted; store, provider and Runtime API are other processes.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from bench.figures import percentile, spread, table
from bench.mock_upstream import CHUNKS, SENT_AT
from bench.programs import CALL, CALL_STREAMED, CHAT, HELLO, VARIANTS, Program
from bench.world import ROOT, chat_event, open_world
from tests.e2e.runtime_api import Answer, LambdaProcess

ROUNDS: Final = 10
INVOCATIONS: Final = 100
"""A round; together a thousand of each."""

PAUSE_SECONDS: Final = 0.001
"""Between two chunks of a stream: each is read, and must be passed on, by itself."""

WHOLE_LIMIT: Final = 5.0
STREAMED_LIMIT: Final = 7.5
FIRST_CHUNK_LIMIT_MS: Final = 3.0
"""The budgets: two in yardsticks, and the median of how long a first chunk may be on its way."""

_WARM_UP: Final = 50
_OK: Final = 200
_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class Subject:
    """One row of the report: a process, and the event it is sent."""

    name: str
    process: LambdaProcess
    event: bytes
    limit: float | None = None
    """How many yardsticks it may cost."""
    cpu_ms: list[float] = field(default_factory=list)
    """Of an invocation, one figure a round."""
    wall_ms: list[float] = field(default_factory=list)
    """Of every invocation, as the Runtime API sees it."""
    first_chunk_ms: list[float] = field(default_factory=list)
    """From the provider's first chunk leaving to ours arriving; none unless streamed."""

    def run(self, invocations: int) -> None:
        """Measure one round."""
        before = self.process.cpu_seconds()
        for _ in range(invocations):
            self._invoke()
        self.cpu_ms.append((self.process.cpu_seconds() - before) * 1000 / invocations)

    def warm_up(self) -> None:
        """Run, and forget the figures."""
        self.run(_WARM_UP)
        for figures in (self.cpu_ms, self.wall_ms, self.first_chunk_ms):
            figures.clear()

    def _invoke(self) -> None:
        invocation = self.process.api.submit(self.event)
        answer = invocation.wait()
        self.wall_ms.append((time.perf_counter() - invocation.given_at) * 1000)
        if answer.status != _OK or answer.error is not None:
            raise RuntimeError(f"{self.name}: {answer.status} {answer.body!r}")
        if answer.body.startswith(b"data:"):
            self.first_chunk_ms.append(_first_chunk_ms(answer, invocation.given_at))


def main() -> int:
    """Measure and report; the exit code is 1 when something is over its budget."""
    parser = argparse.ArgumentParser(prog="bench.chat", description=__doc__)
    parser.add_argument("--variants", action="store_true", help="measure what was decided against")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--invocations", type=int, default=INVOCATIONS, help="in each round")
    parser.add_argument("--at-once", action="store_true", help="all chunks of a stream together")
    options = parser.parse_args()
    pause_seconds = 0.0 if options.at_once else PAUSE_SECONDS
    with _subjects(pause_seconds, variants=options.variants) as subjects:
        for subject in subjects:
            subject.warm_up()
        for _ in range(options.rounds):
            for subject in subjects:
                subject.run(options.invocations)
        return _report(subjects)


@contextlib.contextmanager
def _subjects(pause_seconds: float, *, variants: bool) -> Iterator[list[Subject]]:
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        environment = stack.enter_context(open_world(Path(directory), pause_seconds))
        yield list(_started(environment, stack, variants=variants))


def _started(
    environment: Mapping[str, str], stack: contextlib.ExitStack, *, variants: bool
) -> Iterator[Subject]:
    whole, streamed = (json.dumps(chat_event(stream=stream)).encode() for stream in (False, True))
    yield Subject(CALL.name, _start(CALL, environment, stack), whole)
    for program in (CALL_STREAMED, CHAT, *(VARIANTS if variants else ())):
        process = _start(program, environment, stack)
        limits = (WHOLE_LIMIT, STREAMED_LIMIT) if program is CHAT else (None, None)
        yield Subject(program.name, process, whole, limits[0])
        yield Subject(f"{program.name}, {CHUNKS} chunks", process, streamed, limits[1])
    if variants:
        yield Subject(HELLO.name, _start(HELLO, environment, stack), whole)


def _start(
    program: Program, environment: Mapping[str, str], stack: contextlib.ExitStack
) -> LambdaProcess:
    how = LambdaProcess.streamed if program.streams else LambdaProcess.buffered
    folder = ROOT / program.folder
    process = stack.enter_context(how(folder, program.handler, environment=environment))
    process.wait_ready()
    return process


def _first_chunk_ms(answer: Answer, given_at: float) -> float:
    first = answer.chunks[0]
    sent_at = json.loads(first.data.partition(b"\n")[0].removeprefix(b"data: "))[SENT_AT]
    return float(given_at + first.at_seconds - sent_at) * 1000


def _report(subjects: Sequence[Subject]) -> int:
    yardstick = subjects[0]
    head = (
        "a warm request",
        "CPU ms (least-most)",
        "yardsticks",
        "budget",
        "wall p50 / p99 ms",
        "added p50 / p99 ms",
        "first chunk p50 / p99 ms",
    )
    print(table(head, [_row(subject, yardstick) for subject in subjects]))
    over = [each.name for each in subjects if each.limit and _is_over(each, each.limit, yardstick)]
    print("over budget: " + ", ".join(over) if over else "within budget")
    return int(bool(over))


def _is_over(subject: Subject, limit: float, yardstick: Subject) -> bool:
    late = subject.first_chunk_ms and median(subject.first_chunk_ms) > FIRST_CHUNK_LIMIT_MS
    return bool(late) or _ratio(subject, yardstick) > limit


def _row(subject: Subject, yardstick: Subject) -> list[str]:
    added = _NOTHING
    if not subject.first_chunk_ms:
        added = _pair(subject.wall_ms, yardstick.wall_ms)
    return [
        subject.name,
        spread(subject.cpu_ms),
        f"{_ratio(subject, yardstick):.2f}",
        _NOTHING if subject.limit is None else f"{subject.limit:.1f}",
        _pair(subject.wall_ms),
        added,
        _pair(subject.first_chunk_ms) if subject.first_chunk_ms else _NOTHING,
    ]


def _ratio(subject: Subject, yardstick: Subject) -> float:
    return median(subject.cpu_ms) / median(yardstick.cpu_ms)


def _pair(values: Sequence[float], base: Sequence[float] = (0.0,)) -> str:
    """Write the median and the 99th percentile, less those of what they are compared with."""
    p50, p99 = (percentile(values, share) - percentile(base, share) for share in (0.5, 0.99))
    return f"{p50:.2f} / {p99:.2f}"


if __name__ == "__main__":
    sys.exit(main())
