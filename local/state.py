"""STATE_DIR: what `make serve` keeps between runs, and the lock that makes it one run's."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.problems import CannotServe


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


@contextmanager
def held(state_dir: Path) -> Iterator[None]:
    """Keep a state directory to ourselves, making it if need be.

    The lock is the kernel's and ends with the process, so a killed run leaves nothing behind.

    Raises:
        CannotServe: It cannot be written, or another run has it.
    """
    lock = state_dir / "lock"
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotServe(f"STATE_DIR={state_dir} cannot be used: {error.strerror}.") from error
    try:
        _lock(descriptor, state_dir)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, state_dir: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 20, 0).decode("ascii").strip() or "?"
        raise CannotServe(
            f"{state_dir} is in use by another `make serve` (process {owner}); "
            "stop it, or choose another: make serve STATE_DIR=… PORT=…"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
