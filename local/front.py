"""The HTTP front of `make serve`: template.yaml's routes, each served by its function's `app`.

One process imports every function, as one Lambda environment would import one of them. uvicorn
speaks HTTP; what the template does not route gets what API Gateway would say.
"""

import asyncio
import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import uvicorn

from farebox.domain.errors import BodyTooLarge
from local.bridge import Application, ClientLeft, Exchange, Receive, Scope, Send, read_body
from local.gateway import TOO_LARGE, Gateway, GatewayAnswer
from local.probe import USER_AGENT
from local.schedules import Function, start_schedules
from local.template_routes import read_template

_AT_ONCE_MAX: Final = 256
"""Requests that run at the same time; more wait, each would need a thread."""

_STREAMS_STOP_SECONDS: Final = 5
"""How long answers under way may go on once we are told to stop."""

_SETTLING_STOP_SECONDS: Final = 2.5
"""How long applications may then take to settle, with nobody listening."""

_KEEP_ALIVE_SECONDS: Final = 75
_SWEEPER: Final = "sweep_holds"


class Front:
    """The ASGI application in front of the functions.

    Args:
        gateway: Knows the routes.
        applications: Those of the functions, by name.
    """

    def __init__(self, gateway: Gateway, applications: Mapping[str, Application]) -> None:
        self._gateway = gateway
        self._applications = applications
        self._places = asyncio.Semaphore(_AT_ONCE_MAX)
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        began = time.monotonic()
        routed = self._gateway.route(scope["method"], scope["path"])
        if isinstance(routed, GatewayAnswer):
            await _answer(routed, send)
            _log(scope, str(routed.status), began)
            return
        try:
            body = await read_body(receive)
        except ClientLeft:
            _log(scope, "client left", began)
        except BodyTooLarge:
            too_large = self._gateway.response(TOO_LARGE)
            await _answer(too_large, send)
            _log(scope, str(too_large.status), began)
        else:
            await self._run(routed, Exchange(scope, body, receive, send), scope, began)

    async def _run(self, function: str, exchange: Exchange, scope: Scope, began: float) -> None:
        """Run a function to its end in a task of its own, which nobody's leaving cancels."""
        task = asyncio.create_task(self._serve(function, exchange, scope, began))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            exchange.gone = True
            raise

    async def _serve(self, function: str, exchange: Exchange, scope: Scope, began: float) -> None:
        async with self._places:
            timeout_seconds = self._gateway.timeouts_seconds[function]
            await exchange.run(self._applications[function], timeout_seconds)
        left = ", client left" if exchange.gone else ""
        _log(scope, f"{exchange.status or '-'}{left}", began)

    async def drain(self, seconds: float) -> None:
        """Wait for functions that are still at work."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)


async def _answer(answer: GatewayAnswer, send: Send) -> None:
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _log(scope: Scope, outcome: str, began: float) -> None:
    """Print one line; never the query, which may hold secrets."""
    if (b"user-agent", USER_AGENT.encode()) in scope["headers"]:
        return
    path = scope["raw_path"].decode("ascii", "backslashreplace")
    took_ms = (time.monotonic() - began) * 1000
    now = time.strftime("%H:%M:%S")
    print(f"{now} {scope['method']} {path} {outcome} {took_ms:.0f} ms", file=sys.stderr, flush=True)


def http_server(front: Front) -> uvicorn.Server:
    """Put uvicorn before a front; quiet, for its log would show queries."""
    config = uvicorn.Config(
        front,
        http="h11",
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STREAMS_STOP_SECONDS,
    )
    return uvicorn.Server(config)


async def serve(server: uvicorn.Server, front: Front, listener: socket.socket) -> None:
    """Serve until told to stop: answers under way get 5 s, their settling then some more."""
    await server.serve(sockets=[listener])
    await front.drain(_SETTLING_STOP_SECONDS)


def main() -> None:
    """Import the functions and serve them on the listening socket we were given."""
    gateway = Gateway(read_template(Path("template.yaml")))
    applications = {
        name: importlib.import_module(f"functions.{name}.handler").app for name in gateway.served
    }
    sweeper = importlib.import_module(f"functions.{_SWEEPER}.handler")
    start_schedules(Function(_SWEEPER, sweeper.handler, gateway.timeouts_seconds[_SWEEPER]))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises them again once it is done
    front = Front(gateway, applications)
    asyncio.run(serve(http_server(front), front, socket.socket(fileno=int(sys.argv[1]))))
    sys.stdout.flush()
    os._exit(0)  # a function that is still at work would be waited for


if __name__ == "__main__":
    main()
