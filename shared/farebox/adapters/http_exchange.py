"""One HTTP/1.1 exchange with a service whose answers are short: all of it, or an error.

The standard library's client is general; what it spends on parsing headers nobody here reads is
half of what a DynamoDB call costs. Decision 0004 has the figures.
"""

import socket
from collections.abc import Mapping
from typing import Final, NamedTuple

from farebox.adapters.http_parser import AnswerParser, MalformedAnswer

_PIECE_BYTES: Final = 65_536
_BODY_BYTES_MAX: Final = 16_777_216
"""No AWS JSON answer is longer; a page of DynamoDB ends at one megabyte."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    keeps_open: bool
    """Whether the connection may carry another exchange."""


def post(sock: socket.socket, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send `POST /` with a body, and read the answer to its end.

    Head and body leave in one write: two would be two packets, and wake the peer twice.

    Raises:
        OSError: Silence, a cut connection, or bytes that are no answer; the request may have been
            carried out.
    """
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    head = f"POST / HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
    sock.sendall(head.encode("latin-1") + body)
    return _read_answer(sock)


def _read_answer(sock: socket.socket) -> Answer:
    parser = AnswerParser()
    body = b""
    try:
        while not parser.is_whole:
            piece = sock.recv(_PIECE_BYTES)
            if not piece:
                # Even where the connection's end may be the answer's: it may have been cut as well.
                raise ConnectionResetError("cut short")
            body += parser.feed(piece)
            if len(body) > _BODY_BYTES_MAX:
                raise ConnectionError("an answer without end")
    except MalformedAnswer as error:
        raise ConnectionError(str(error)) from error
    return Answer(parser.status, body, parser.keeps_open)
