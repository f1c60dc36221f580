"""A streamed function for the runtime's tests that takes part in SnapStart."""

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

from snapshot_restore_py import (  # type: ignore[import-untyped]
    register_after_restore,
    register_before_snapshot,
)

phases: list[str] = []


def note(phase: str) -> None:
    if os.getenv("FAILING_PHASE") == phase:
        raise ConnectionError(f"no database {phase}")
    phases.append(phase)


register_before_snapshot(note, "before, registered first")
register_before_snapshot(note, "before, registered last")
register_after_restore(note, "after")


async def app(
    _scope: object, _receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(phases).encode()})
