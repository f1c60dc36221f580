"""What a cold start costs in CPU, from exec to the first event asked for: `make bench-cold`.

Every function is started as Lambda starts it, from a tree built as ours is built, with its AWS
connections over TLS. `--why` adds which imports the chat function's start consists of.
"""

import argparse
import contextlib
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from bench.artefacts import PYTHON, Artefacts, build_artefacts
from bench.certificate import make_certificate
from bench.figures import spread, table
from bench.mock_secrets import serve_secrets
from bench.world import SECRETS, SETTINGS
from tests.e2e.runtime_api import LambdaProcess

ROUNDS: Final = 7
CHAT_TIMES_BARE: Final = 6.0
CHAT_MEBIBYTES: Final = 64
OTHER_MS: Final = 600

_MEBIBYTE: Final = 1024 * 1024
_IMPORT: Final = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")
_OPENAI: Final = {"api_key": "k", "base_url": "http://127.0.0.1:9/v1"}


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of start."""

    name: str
    folder: str
    is_streamed: bool = False
    limit_ms: float | None = None
    cpu_ms: list[float] = field(default_factory=list)
    mebibytes: list[float] = field(default_factory=list)


def _subjects(*, variants: bool) -> list[Subject]:
    subjects = [
        Subject("awslambdaric, an empty function", "buffered"),
        Subject("our loop, an empty function", "streamed", is_streamed=True),
        Subject("chat", "chat", is_streamed=True),
        *(
            Subject(name, name, limit_ms=OTHER_MS)
            for name in ("credits", "account", "system", "sweep_holds")
        ),
    ]
    if variants:
        subjects += [
            Subject("chat over Starlette", "chat_starlette", is_streamed=True),
            Subject("chat over FastAPI", "chat_fastapi", is_streamed=True),
            Subject("chat with boto3 for DynamoDB", "chat_boto", is_streamed=True),
            Subject("FastAPI + Mangum, an empty function", "fastapi_hello"),
        ]
    return subjects


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report; the exit code is 1 when something is over its budget."""
    parser = argparse.ArgumentParser(prog="bench.cold", description=__doc__)
    parser.add_argument("--variants", action="store_true", help="measure what was decided against")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--why", action="store_true", help="list what chat's start imports")
    options = parser.parse_args(arguments)
    with _stage() as stage:
        subjects = _subjects(variants=options.variants)
        for _ in range(options.rounds):
            for subject in subjects:
                stage.measure(subject)
        code = _report(subjects)
        if options.why:
            _explain(stage.imports_of(subjects[2]))
        return code


@dataclass(frozen=True, slots=True)
class Stage:
    """Where functions are started."""

    artefacts: Artefacts
    environment: Mapping[str, str]

    def measure(self, subject: Subject) -> None:
        """Start one, and note what it took."""
        with self._start(subject) as process:
            subject.cpu_ms.append(process.cpu_seconds() * 1000)
            subject.mebibytes.append(process.peak_memory_bytes() / _MEBIBYTE)

    def imports_of(self, subject: Subject) -> str:
        """Start one that tells what it imports."""
        with self._start(subject, {"PYTHONPROFILEIMPORTTIME": "1"}) as process:
            return process.logs()

    @contextlib.contextmanager
    def _start(
        self, subject: Subject, more: Mapping[str, str] | None = None
    ) -> Iterator[LambdaProcess]:
        made = self.artefacts
        environment = {**self.environment, "LAMBDA_RUNTIME_DIR": str(made.runtime), **(more or {})}
        if subject.is_streamed:
            handler = "handler.app"
            command = [str(made.exec_wrapper), PYTHON, "/var/runtime/bootstrap.py"]
        else:
            handler = "handler.handler"
            command = [PYTHON, "-m", "awslambdaric", handler]
            environment["PYTHONPATH"] = f"{made.layers}:{made.runtime}"
        task = made.tasks / subject.folder
        with LambdaProcess(command, task, handler, environment, None) as process:
            process.wait_ready()
            yield process


@contextlib.contextmanager
def _stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        certificate = make_certificate(directory, time.time())
        secrets = {**SECRETS, "farebox/providers": {"openai": _OPENAI}}
        with serve_secrets(secrets, certificate.server) as url:
            environment = {
                **SETTINGS,
                "AWS_ENDPOINT_URL": url,
                "SSL_CERT_FILE": str(certificate.trust_store),
            }
            yield Stage(build_artefacts(directory), environment)


def _report(subjects: Sequence[Subject]) -> int:
    bare = median(subjects[0].cpu_ms)
    rows = []
    over = False
    for subject in subjects:
        cpu_ms, mebibytes = median(subject.cpu_ms), max(subject.mebibytes)
        limit = "–"
        if subject.name == "chat":
            limit = f"{CHAT_TIMES_BARE:.0f}×, {CHAT_MEBIBYTES} MB"
            over |= cpu_ms > CHAT_TIMES_BARE * bare or mebibytes > CHAT_MEBIBYTES
        elif subject.limit_ms is not None:
            limit = f"{subject.limit_ms:.0f} ms"
            over |= cpu_ms > subject.limit_ms
        figures = [spread(subject.cpu_ms, 0), f"{cpu_ms / bare:.1f}", f"{mebibytes:.0f}", limit]
        rows.append([subject.name, *figures])
    head = ("a cold start", "CPU ms to ready (min–max)", "× bare", "peak MB", "budget")
    print(table(head, rows))
    print("over budget" if over else "within budget")
    return int(over)


def _explain(log: str) -> None:
    by_package: defaultdict[str, int] = defaultdict(int)
    by_module: dict[str, int] = {}
    for microseconds, module in _IMPORT.findall(log):
        by_module[module] = int(microseconds)
        by_package[module.partition(".")[0]] += int(microseconds)
    for title, costs in (("package", by_package), ("module", by_module)):
        dearest = sorted(costs.items(), key=lambda pair: -pair[1])[:20]
        rows = [[name, f"{microseconds / 1000:.1f}"] for name, microseconds in dearest]
        print(f"\n{table((title, 'ms of its own'), rows)}")


if __name__ == "__main__":
    sys.exit(main())
