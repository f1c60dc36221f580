"""One HTTP/1.1 exchange with a service that says how long its answers are.

The standard library's client is general; what it spends on parsing headers nobody here reads is
half of what a DynamoDB call costs. This is the narrow part of it, strict where that is general:
whatever is not a complete answer of known length is an error, and the connection is not used again.
"""

import re
import socket
from collections.abc import Mapping
from typing import Final, NamedTuple

_PIECE_BYTES: Final = 65_536
_HEAD_BYTES_MAX: Final = 65_536
_BODY_BYTES_MAX: Final = 16_777_216
"""No AWS JSON answer is longer; a page of DynamoDB ends at one megabyte."""

_END_OF_HEAD: Final = b"\r\n\r\n"
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: |$)")


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
    received = bytearray()
    while (end := received.find(_END_OF_HEAD)) < 0:
        if len(received) > _HEAD_BYTES_MAX:
            raise ConnectionError("a head without end")
        _receive(sock, received)
    status, fields = _parse_head(bytes(received[:end]))
    start = end + len(_END_OF_HEAD)
    length = _length_of(fields)
    while len(received) < start + length:
        _receive(sock, received)
    if len(received) > start + length:
        # The next answer would be taken for that of another request.
        raise ConnectionError("more than was asked for")
    keeps_open = fields.get(b"connection", b"keep-alive") == b"keep-alive"
    return Answer(status, bytes(received[start:]), keeps_open)


def _receive(sock: socket.socket, received: bytearray) -> None:
    piece = sock.recv(_PIECE_BYTES)
    if not piece:
        raise ConnectionResetError("cut short")
    received += piece


def _parse_head(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    line, *lines = head.split(b"\r\n")
    match = _STATUS_LINE.match(line)
    if match is None:
        raise ConnectionError("not an HTTP/1.1 answer")
    fields = {}
    for each in lines:
        name, _, value = each.partition(b":")
        fields[name.lower()] = value.strip().lower()
    return int(match[1]), fields


def _length_of(fields: Mapping[bytes, bytes]) -> int:
    length = fields.get(b"content-length", b"")
    if not length.isdigit() or b"transfer-encoding" in fields or int(length) > _BODY_BYTES_MAX:
        raise ConnectionError("an answer of unknown length")
    return int(length)
