"""What a chat request costs in CPU, as Lambda runs it: `make bench-chat`, or `-m bench.chat`.

The yardstick is AWS's own runtime client making one upstream call, in the same run: machines
differ, ratios less so. Rounds take turns, so that a busy moment hits all subjects alike. Only the
CPU of the function's own process is counted; stores, provider and Runtime API are elsewhere.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from bench.figures import percentile, spread, table
from bench.mock_upstream import CHUNKS, SENT_AT
from bench.world import ROOT, World, chat_event, open_world
from tests.e2e.events import Event
from tests.e2e.runtime_api import Answer, LambdaProcess

ROUNDS: Final = 5
INVOCATIONS: Final = 200
"""A round; together a thousand of each."""

_WARM_UP: Final = 50
_APPS: Final = ROOT / "bench/apps"
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to measure: a process, and the event it is sent."""

    name: str
    process: LambdaProcess
    event: bytes
    limit: float | None = None
    """How many yardsticks it may cost."""
    is_streamed: bool = False
    cpu_ms: list[float] = field(default_factory=list)
    """Of an invocation, one figure a round."""
    wall_ms: list[float] = field(default_factory=list)
    """Of every invocation, as the Runtime API sees it."""
    first_chunk_ms: list[float] = field(default_factory=list)
    """From the provider's first chunk leaving it to ours arriving."""

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
        if self.is_streamed:
            self.first_chunk_ms.append(_first_chunk_ms(answer, invocation.given_at))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report; the exit code is 1 when something is over its budget."""
    parser = argparse.ArgumentParser(prog="bench.chat", description=__doc__)
    parser.add_argument("--variants", action="store_true", help="measure what was decided against")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--invocations", type=int, default=INVOCATIONS, help="in each round")
    options = parser.parse_args(arguments)
    with _subjects(variants=options.variants) as subjects:
        for subject in subjects:
            subject.warm_up()
        for _ in range(options.rounds):
            for subject in subjects:
                subject.run(options.invocations)
        return _report(subjects)


@contextlib.contextmanager
def _subjects(*, variants: bool) -> Iterator[list[Subject]]:
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        world = stack.enter_context(open_world(Path(directory)))
        yield list(_started(world, stack, variants=variants))


def _started(world: World, stack: contextlib.ExitStack, *, variants: bool) -> Iterator[Subject]:
    def start(how: Callable[..., LambdaProcess], folder: Path) -> LambdaProcess:
        process = stack.enter_context(how(folder, environment=world.environment))
        process.wait_ready()
        return process

    whole, streamed = _text(chat_event(stream=False)), _text(chat_event(stream=True))
    bare = start(LambdaProcess.buffered, _APPS / "buffered_call")
    yield Subject("awslambdaric, one upstream call", bare, whole)
    loop = start(LambdaProcess.streamed, _APPS / "streamed_call")
    yield Subject("our loop, one upstream call", loop, whole)
    yield Subject("our loop, one streamed upstream call", loop, streamed, is_streamed=True)
    chat = start(LambdaProcess.streamed, ROOT / "functions/chat")
    yield Subject("chat", chat, whole, 5.0)
    yield Subject(f"chat, streamed in {CHUNKS} chunks", chat, streamed, 7.5, is_streamed=True)
    if not variants:
        return
    for name, folder in _VARIANTS.items():
        process = start(LambdaProcess.streamed, _APPS / folder)
        yield Subject(name, process, whole)
        yield Subject(f"{name}, streamed", process, streamed, is_streamed=True)
    hello = start(LambdaProcess.buffered, _APPS / "fastapi_hello")
    yield Subject("FastAPI + Mangum on awslambdaric, no work at all", hello, whole)


_VARIANTS: Final = {
    "chat over Starlette": "chat_starlette",
    "chat over FastAPI": "chat_fastapi",
    "chat with boto3 for DynamoDB": "chat_boto",
}


def _text(event: Event) -> bytes:
    return json.dumps(event).encode()


def _first_chunk_ms(answer: Answer, given_at: float) -> float:
    first = answer.chunks[0]
    sent_at = json.loads(first.data.partition(b"\n")[0].removeprefix(b"data: "))[SENT_AT]
    return float(given_at + first.at_seconds - sent_at) * 1000


def _report(subjects: Sequence[Subject]) -> int:
    yardstick = subjects[0]
    head = (
        "a warm request", "CPU ms (min–max)", "× yardstick", "budget", "p50 ms", "p99 ms",
        "added p50", "added p99", "first chunk p50", "p99",
    )  # fmt: skip
    rows = []
    over = False
    for subject in subjects:
        ratio = median(subject.cpu_ms) / median(yardstick.cpu_ms)
        over |= subject.limit is not None and ratio > subject.limit
        rows.append(_row(subject, yardstick, ratio))
    print(table(head, rows))
    print("over budget" if over else "within budget")
    return int(over)


def _row(subject: Subject, yardstick: Subject, ratio: float) -> list[str]:
    p50, p99 = (percentile(subject.wall_ms, share) for share in (0.5, 0.99))
    base50, base99 = (percentile(yardstick.wall_ms, share) for share in (0.5, 0.99))
    first = subject.first_chunk_ms
    added = ["–", "–"] if subject.is_streamed else [f"{p50 - base50:.2f}", f"{p99 - base99:.2f}"]
    chunks = [f"{percentile(first, share):.2f}" for share in (0.5, 0.99)] if first else ["–", "–"]
    limit = "–" if subject.limit is None else f"{subject.limit:.1f}×"
    figures = [spread(subject.cpu_ms), f"{ratio:.2f}", limit, f"{p50:.2f}", f"{p99:.2f}"]
    return [subject.name, *figures, *added, *chunks]


if __name__ == "__main__":
    sys.exit(main())
