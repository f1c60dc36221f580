"""Ask a server on this machine whether it is there."""

from http.client import HTTPConnection, HTTPException
from typing import Final

from local.ports import HOST

USER_AGENT: Final = "make-serve"
"""Of our own requests, which no log shows."""

_BYTES_MAX: Final = 65_536


def get(port: int, path: str, seconds: float = 1.0) -> tuple[int, bytes] | None:
    """Make one GET request.

    Args:
        port: On the loopback interface.
        path: What to ask for.
        seconds: How long to wait for each step.

    Returns:
        Status and body, `None` if there was no answer.
    """
    connection = HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"User-Agent": USER_AGENT})
        response = connection.getresponse()
        return response.status, response.read(_BYTES_MAX)
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
