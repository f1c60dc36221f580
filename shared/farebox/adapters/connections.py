"""Keep-alive connections to one host, each lent to one thread at a time.

A peer may close an idle connection at any moment, and a request written to one that is closed may
or may not have been read. So every connection is looked at before it is lent again: one that has
been idle for long, or has anything to read, is not trusted.
"""

import select
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from farebox.adapters.tls import shared_tls_context
from farebox.services.ports.clock import Clock

IDLE_SECONDS_MAX: Final = 50
"""Shorter than the idle timeouts on the way: a Lambda environment may sleep for hours."""

IDLE_CONNECTIONS_MAX: Final = 64


class Connections:
    """A pool of connections.

    Args:
        url: `http://` or `https://`, host and port; nothing after it.
        connect_seconds: How long opening one may take.
        read_seconds: How long the peer may be silent.
        clock: Tells for how long a connection was idle.
        tls: Gives the context of an encrypted one; not called for `http://`.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_seconds: float,
        read_seconds: float,
        clock: Clock,
        tls: Callable[[], ssl.SSLContext] = shared_tls_context,
    ) -> None:
        parts = urlsplit(url)
        self.authority = parts.netloc
        self._host = parts.hostname or ""
        self._is_encrypted = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_encrypted else 80)
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._clock = clock
        self._tls = tls
        self._idle: deque[tuple[socket.socket, int]] = deque()

    def take(self) -> socket.socket:
        """Give an open connection that is the caller's alone; raises `OSError` if none opens."""
        oldest_ms = self._clock.now_ms() - IDLE_SECONDS_MAX * 1000
        while kept := self._pop():
            sock, idle_since_ms = kept
            if idle_since_ms > oldest_ms and self._is_quiet(sock):
                return sock
            sock.close()
        return self._open()

    def give_back(self, sock: socket.socket) -> None:
        """Keep a connection whose last answer was read to its end."""
        if len(self._idle) >= IDLE_CONNECTIONS_MAX:
            sock.close()
        else:
            self._idle.append((sock, self._clock.now_ms()))

    def warm(self) -> None:
        """Open a connection ahead of the first call; raises `OSError` if that fails."""
        self.give_back(self.take())

    def close(self) -> None:
        """Close what is idle: at the end, and before a snapshot, which no socket survives."""
        while kept := self._pop():
            kept[0].close()

    def _pop(self) -> tuple[socket.socket, int] | None:
        """Take the connection used last, the one most likely to be open still."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _open(self) -> socket.socket:
        sock = socket.create_connection((self._host, self._port), self._connect_seconds)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._is_encrypted:
                sock = self._tls().wrap_socket(sock, server_hostname=self._host)
            sock.settimeout(self._read_seconds)
        except BaseException:
            sock.close()
            raise
        return sock

    def _is_quiet(self, sock: socket.socket) -> bool:
        """Tell whether nothing has arrived, neither an end nor bytes nobody asked for."""
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        if not poll.poll(0):
            return True
        if not isinstance(sock, ssl.SSLSocket):
            return False
        # TLS 1.3 sends session tickets unasked; reading takes them in, and finds no data.
        sock.settimeout(0)
        try:
            sock.recv(1)
        except ssl.SSLWantReadError:
            sock.settimeout(self._read_seconds)
            return True
        except OSError:
            return False
        return False
