"""TCP ports of the loopback interface: the one we serve, and some to use inside."""

import errno
import json
import socket
from pathlib import Path
from typing import Final

from local.problems import CannotServe
from local.state import write_private

HOST: Final = "127.0.0.1"
_BACKLOG: Final = 512


def listen(port: int) -> socket.socket:
    """Listen on a port from now on; clients that come early wait instead of being refused.

    Args:
        port: 0 lets the system choose.

    Raises:
        CannotServe: The port is taken, or not ours to take.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        why = "taken" if error.errno == errno.EADDRINUSE else f"not to be had ({error.strerror})"
        raise CannotServe(f"Port {port} is {why}; choose another: make serve PORT=…") from error
    return listener


def port_of(listener: socket.socket) -> int:
    """Tell which port a socket is bound to."""
    _, port = listener.getsockname()
    return int(port)


def free_port(preferred: int | None = None) -> int:
    """Find a port nobody listens on: the preferred one if it still is free."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port_of(probe)
    raise CannotServe("The system has no free port left.", exit_code=1)


class RememberedPorts:
    """Inner ports that stay the same from one start to the next, while they are free.

    The emulator keeps queue URLs, which contain its port, in its state.

    Args:
        path: Where they are kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._ports: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._ports = {}

    def take(self, name: str) -> int:
        """Find the port for something, its last one if that is free."""
        port = free_port(self._ports.get(name))
        self._ports[name] = port
        write_private(self._path, json.dumps(self._ports))
        return port
