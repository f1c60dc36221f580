"""The one TLS context of a process: reading the trust store takes tens of milliseconds of CPU."""

import ssl
from functools import cache
from threading import Lock
from typing import Final

_MAKING: Final = Lock()
"""Connections are first opened side by side, and a cache alone lets each make a context."""


def shared_tls_context() -> ssl.SSLContext:
    """Give the context every connection shares; made when the first https endpoint asks."""
    with _MAKING:
        return _context()


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
