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
from bench.programs import CHAT, EMPTY, EMPTY_STREAMED, HELLO, OTHERS, VARIANTS, Program
from bench.world import SECRETS, SETTINGS
from tests.e2e.runtime_api import LambdaProcess

ROUNDS: Final = 7
CHAT_LIMIT: Final = 6.0
"""What chat may cost, in empty functions."""
CHAT_LIMIT_MEBIBYTES: Final = 64
OTHERS_LIMIT_MS: Final = 600

_MEBIBYTE: Final = 1024 * 1024
_DEAREST: Final = 20
_IMPORT: Final = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")
_PROVIDERS: Final = {"openai": {"api_key": "k", "base_url": "http://127.0.0.1:9/v1"}}


@dataclass(frozen=True, slots=True)
class Subject:
    """One row of the report."""

    program: Program
    cpu_ms: list[float] = field(default_factory=list)
    mebibytes: list[float] = field(default_factory=list)


def main() -> int:
    """Measure and report; the exit code is 1 when something is over its budget."""
    parser = argparse.ArgumentParser(prog="bench.cold", description=__doc__)
    parser.add_argument("--variants", action="store_true", help="measure what was decided against")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--why", action="store_true", help="list what chat's start imports")
    options = parser.parse_args()
    programs = [EMPTY, EMPTY_STREAMED, CHAT, *OTHERS]
    if options.variants:
        programs += [*VARIANTS, HELLO]
    subjects = [Subject(program) for program in programs]
    with _stage() as stage:
        for _ in range(options.rounds):
            for subject in subjects:
                stage.measure(subject)
        code = _report(subjects)
        if options.why:
            _explain(stage.imports_of(CHAT))
    return code


@dataclass(frozen=True, slots=True)
class Stage:
    """Where functions are started."""

    artefacts: Artefacts
    environment: Mapping[str, str]

    def measure(self, subject: Subject) -> None:
        """Start one, and note what it took."""
        with self._started(subject.program) as process:
            subject.cpu_ms.append(process.cpu_seconds() * 1000)
            subject.mebibytes.append(process.peak_memory_bytes() / _MEBIBYTE)

    def imports_of(self, program: Program) -> str:
        """Start one that tells what it imports."""
        with self._started(program, {"PYTHONPROFILEIMPORTTIME": "1"}) as process:
            return process.logs()

    @contextlib.contextmanager
    def _started(
        self, program: Program, more: Mapping[str, str] | None = None
    ) -> Iterator[LambdaProcess]:
        made = self.artefacts
        environment = {**self.environment, "LAMBDA_RUNTIME_DIR": str(made.runtime), **(more or {})}
        command = [str(made.exec_wrapper), PYTHON, "/var/runtime/bootstrap.py"]
        if not program.streams:
            command = [PYTHON, "-m", "awslambdaric", program.handler]
            environment["PYTHONPATH"] = f"{made.layers}:{made.runtime}"
        folder = made.task / program.folder
        with LambdaProcess(command, folder, program.handler, environment, None) as process:
            process.wait_ready()
            yield process


@contextlib.contextmanager
def _stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        certificate = make_certificate(directory, time.time())
        secrets = {**SECRETS, "farebox/providers": _PROVIDERS}
        with serve_secrets(secrets, certificate.server) as url:
            environment = {
                **SETTINGS,
                "AWS_ENDPOINT_URL": url,
                "SSL_CERT_FILE": str(certificate.trust_store),
            }
            yield Stage(build_artefacts(directory), environment)


def _report(subjects: Sequence[Subject]) -> int:
    empty_ms = median(subjects[0].cpu_ms)
    rows = []
    over = []
    for subject in subjects:
        cpu_ms, mebibytes = median(subject.cpu_ms), max(subject.mebibytes)
        budget = "-"
        if subject.program is CHAT:
            budget = f"{CHAT_LIMIT:.0f} x, {CHAT_LIMIT_MEBIBYTES} MB"
            is_over = cpu_ms > CHAT_LIMIT * empty_ms or mebibytes > CHAT_LIMIT_MEBIBYTES
        elif subject.program in OTHERS:
            budget = f"{OTHERS_LIMIT_MS} ms"
            is_over = cpu_ms > OTHERS_LIMIT_MS
        else:
            is_over = False
        over += [subject.program.name] if is_over else []
        figures = [spread(subject.cpu_ms, 0), f"{cpu_ms / empty_ms:.1f}", f"{mebibytes:.0f}"]
        rows.append([subject.program.name, *figures, budget])
    head = ("a cold start", "CPU ms to ready (least-most)", "x empty", "peak MB", "budget")
    print(table(head, rows))
    print("over budget: " + ", ".join(over) if over else "within budget")
    return int(bool(over))


def _explain(log: str) -> None:
    by_package: defaultdict[str, int] = defaultdict(int)
    by_module: dict[str, int] = {}
    for microseconds, module in _IMPORT.findall(log):
        by_module[module] = int(microseconds)
        by_package[module.partition(".")[0]] += int(microseconds)
    for title, costs in (("package", by_package), ("module", by_module)):
        dearest = sorted(costs.items(), key=lambda pair: -pair[1])[:_DEAREST]
        rows = [[name, f"{microseconds / 1000:.1f}"] for name, microseconds in dearest]
        print(f"\n{table((title, 'ms of its own'), rows)}")


if __name__ == "__main__":
    sys.exit(main())
