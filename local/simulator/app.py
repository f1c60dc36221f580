"""Assemble the simulator: the provider's routes, the control routes, and errors in one shape."""

import time
from collections.abc import Callable, Collection

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.simulator.control import control_routes
from local.simulator.problems import RefusedError, envelope
from local.simulator.provider import Provider
from local.simulator.replies import respond


def create_app(
    models: Collection[str] | None = None,
    *,
    lenient: bool = False,
    pace_seconds: float = 0.03,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """Build the simulator as an ASGI application.

    Args:
        models: Accepted model ids in the order they are listed; `None` accepts any id and lists
            the built-in ones.
        lenient: Accept any model, any field and a cap of 0, and offer to delete models.
        pace_seconds: Mean wait between the events of a stream.
        clock: Returns Unix time, for `created`.
    """
    provider = Provider(models, lenient=lenient, pace_seconds=pace_seconds, clock=clock)
    routes = [
        Route("/health", _health, methods=["GET"]),
        *provider.routes(),
        *control_routes(provider.faults, provider.recorder, provider.stats),
    ]
    handlers = {HTTPException: _no_such_route, RefusedError: _refused, Exception: _failed}
    return Starlette(routes=routes, exception_handlers=handlers)


async def _health(_request: Request) -> Response:
    return respond({"status": "ok"})


async def _no_such_route(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = f"{error.detail} ({request.method} {request.url.path})"
    return respond(envelope(message, kind="invalid_request_error"), error.status_code)


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RefusedError):
        raise error
    return respond(error.envelope, error.status)


async def _failed(_request: Request, error: Exception) -> Response:
    """Name a fault of the simulator itself without quoting what it was about."""
    message = f"The simulator itself failed with {type(error).__name__}."
    return respond(envelope(message, kind="server_error"), 500)
