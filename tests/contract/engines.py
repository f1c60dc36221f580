"""DynamoDB stand-ins as processes of our own: started on loopback, stopped with the suite.

Two of them, because each is wrong somewhere else. Checked in 2026-11, ministack 1.5.33 and dynoxide
1.2.1: both enforce conditions, expression syntax, sizes and write units as documented; neither
checks signatures, throttles, conflicts or loses a reply, and both show an index at once. Ministack
rounds sums beyond 28 digits. So the fake store judges failures, and botocore judges signatures.
"""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from farebox.adapters.aws_credentials import Credentials, FixedCredentials
from farebox.adapters.aws_json import HttpAwsJson
from farebox.adapters.aws_wire import Endpoint, JsonService
from farebox.adapters.clock import SystemClock

CREDENTIALS: Final = Credentials("test", "test")
REGION: Final = "us-east-1"

_ROOT: Final = Path(__file__).parents[2]
_MINISTACK: Final = _ROOT / ".venv-emulator/bin/ministack"
DYNOXIDE: Final = _ROOT / ".emulators/node_modules/@dynoxide/linux-x64/dynoxide"
"""Comes by npm, which a machine may lack; all else is tested without it."""

_PATIENCE_SECONDS: Final = 20.0


@contextlib.contextmanager
def ministack(directory: Path) -> Iterator[str]:
    """Run ministack, which also has Secrets Manager and SQS; gives its URL."""
    port = _free_port()
    settings = {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key_id,
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_access_key,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "0",
        "SERVICES": "dynamodb,s3,secretsmanager,sqs",
    }
    with _running([str(_MINISTACK)], port, settings, directory):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def dynoxide(directory: Path) -> Iterator[str]:
    """Run dynoxide, which has DynamoDB only, in memory; gives its URL."""
    port = _free_port()
    with _running([str(DYNOXIDE), "serve", "--port", str(port)], port, {}, directory):
        yield f"http://127.0.0.1:{port}"


def signed_wire(service: JsonService, url: str) -> HttpAwsJson:
    """Make our own client for a service of an engine; patient, for these machines are busy."""
    endpoint = Endpoint(REGION, url, connect_seconds=5, read_seconds=15)
    return HttpAwsJson(service, endpoint, FixedCredentials(CREDENTIALS), SystemClock())


@contextlib.contextmanager
def _running(
    command: list[str], port: int, settings: Mapping[str, str], directory: Path
) -> Iterator[None]:
    environment = {"PATH": os.defpath, "HOME": str(directory), **settings}
    with (
        (directory / "engine.log").open("wb") as log,
        subprocess.Popen(
            command, env=environment, cwd=directory, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _wait_until_it_listens(process, port)
            yield
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} did not start; its log is engine.log")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
