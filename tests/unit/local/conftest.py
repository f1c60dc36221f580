"""Emulators for the tests of what runs on them; one starts in a quarter of a second."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from local.credentials import Credentials
from local.emulator import Aws, emulator_program
from local.ports import free_port
from local.processes import Family
from local.settings import ServeSettings, read_settings

type StartEmulator = Callable[[Path, Credentials], Aws]


def make_settings(state_dir: Path, **variables: str) -> ServeSettings:
    """Make the settings these variables give, and nothing of our own environment but PATH."""
    root = Path(__file__).resolve().parents[3]
    environment = {"PATH": os.defpath, "STATE_DIR": str(state_dir), **variables}
    return read_settings(environment, root, state_dir / "env")


@pytest.fixture
def family() -> Iterator[Family]:
    with Family() as family:
        yield family


@pytest.fixture
def credentials() -> Credentials:
    return Credentials.make(1_795_000_000_000)


@pytest.fixture
def start_emulator(family: Family) -> StartEmulator:
    """Starts an emulator that keeps its state below a directory."""

    def start(state_dir: Path, credentials: Credentials) -> Aws:
        aws = Aws(free_port(), credentials)
        family.start(emulator_program(make_settings(state_dir), aws)).wait_ready(Event())
        return aws

    return start
