"""Serve the simulator on loopback, quietly, in a way that lets it break connections.

uvicorn is kept from logging anything: its access log would be noise and a traceback may quote a
prompt. HTTP/1.1 only, spoken by h11, whatever else is installed.
"""

import asyncio
import signal
import socket
import struct
import sys
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.simulator.delivery import CUT_EXTENSION

_BACKLOG = 512
_SHUTDOWN_SECONDS = 1
_LINGER_ZERO = struct.pack("ii", 1, 0)


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 with a way out: each request's scope carries a callable that cuts its connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (uvicorn's own)
        super().__init__(*args, **kwargs)
        served: Any = self.app

        async def with_cut(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[CUT_EXTENSION] = self._cut
            await served(scope, receive, send)

        self.app = with_cut

    def _cut(self, reset: bool) -> None:
        """Break the connection: by a TCP reset, or by closing it with the answer unfinished."""
        if not reset:
            self.transport.close()
            return
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self.transport.abort()


def listen(port: int) -> socket.socket:
    """Open the listening socket on 127.0.0.1; port 0 takes any free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(_BACKLOG)
    return listener


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then leave within a second whatever is still open."""
    config = uvicorn.Config(
        app,
        http=CuttableProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    # uvicorn raises the signal again once it has shut down; being asked to stop is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
