"""The simulator and the front as processes; the emulator is in `local.emulator`."""

import socket
import sys
from pathlib import Path
from typing import Final

from farebox.domain.catalogue import load_catalogue
from local.emulator import Aws
from local.ports import HOST, port_of
from local.probe import get
from local.processes import Program
from local.seed import ANSWERS_BUCKET, SECRETS_PREFIX, TABLE_NAMES
from local.settings import ServeSettings

_PYTHON: Final = Path(sys.executable)
_SIMULATOR_STOP_SECONDS: Final = 1.0
_FRONT_STOP_SECONDS: Final = 9.0
"""More than the front gives itself; see `local.front`."""


def simulator_program(settings: ServeSettings, port: int) -> Program:
    """Compose the provider simulator's process; it knows the models the catalogue buys."""
    models = settings.state_dir / "simulator-models"
    names = {route.upstream_model for model in load_catalogue().models for route in model.routes}
    models.write_text("\n".join(sorted(names)) + "\n", encoding="utf-8")
    return Program(
        name="provider simulator",
        python=_PYTHON,
        module="local.simulator",
        arguments=("--port", str(port), "--models-file", str(models)),
        environment={**settings.inherited, "SANDBOX_LENIENT": "1" if settings.lenient else "0"},
        root=settings.root,
        log=settings.state_dir / "log" / "simulator.log",
        ready=lambda: get(port, "/health") is not None,
        stop_seconds=_SIMULATOR_STOP_SECONDS,
    )


def front_program(
    settings: ServeSettings, aws: Aws, queue_url: str, listener: socket.socket
) -> Program:
    """Compose the process that serves HTTP with the functions.

    Args:
        settings: How to serve.
        aws: The emulator.
        queue_url: The queue of late settlements.
        listener: Where to serve.
    """
    port = port_of(listener)
    return Program(
        name="functions and HTTP front",
        python=_PYTHON,
        module="local.front",
        arguments=(str(listener.fileno()),),
        environment={
            **settings.inherited,
            **aws.variables(),
            **{table.setting: name for table, name in TABLE_NAMES.items()},
            "ANSWERS_BUCKET": ANSWERS_BUCKET,
            "SETTLEMENTS_QUEUE_URL": queue_url,
            "SECRETS_PREFIX": SECRETS_PREFIX,
            "CREDIT_USD": "0.001",
            "PUBLIC_URL": f"http://{HOST}:{port}",
            "SANDBOX_LENIENT": "1" if settings.lenient else "0",
            "POWERTOOLS_SERVICE_NAME": "farebox",
            "POWERTOOLS_METRICS_NAMESPACE": "Farebox",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(settings.root / "shared"),
        },
        root=settings.root,
        log=settings.state_dir / "log" / "functions.log",
        inherits=(listener.fileno(),),
        speaks=True,
        ready=lambda: get(port, "/") is not None,
        stop_seconds=_FRONT_STOP_SECONDS,
    )
