"""An HTTP/1.1 answer, taken apart in whatever pieces its bytes come in.

It never waits for more: whoever feeds it decides how long to. The standard library's reader, once
it has begun a line, waits for the end of it, and spends most of its time on headers nobody here
reads.
https://www.rfc-editor.org/rfc/rfc9112 sections 6 and 7 (read 2026-11)
"""

import re
from typing import Final, Protocol

_HEAD_BYTES_MAX: Final = 65_536
_LINE_BYTES_MAX: Final = 8_192
_END_OF_HEAD: Final = b"\r\n\r\n"
_END_OF_LINE: Final = b"\r\n"
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: |$)")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;|$)")
_FIRST_FINAL_STATUS: Final = 200
_BODILESS: Final = frozenset({204, 304})


class MalformedAnswer(ValueError):
    """What came is not HTTP/1.1, or ended too early."""


class AnswerParser:
    """The answer to one POST; feeding it may raise `MalformedAnswer`."""

    def __init__(self) -> None:
        self.status = 0
        """0 until the whole head is there."""
        self._headers: dict[str, str] = {}
        self._is_reusable = False
        self._head = b""
        self._body: _Body = _Counted(0)

    @property
    def is_whole(self) -> bool:
        """Whether the answer has come to its end."""
        return bool(self.status) and self._body.is_whole

    @property
    def keeps_open(self) -> bool:
        """Whether the connection may carry another exchange; bytes nobody asked for forbid it."""
        return self.is_whole and self._is_reusable and not self._body.surplus

    def header(self, name: str) -> str | None:
        """Give a header, by its name in any case; the last of several."""
        return self._headers.get(name.lower())

    def feed(self, data: bytes) -> bytes:
        """Take bytes in; give those of the body that were among them."""
        if not self.status:
            data = self._take_head(data)
        return self._body.feed(data) if self.status else b""

    def end(self) -> None:
        """Take in that the connection has ended; raises unless that ends the answer."""
        self._is_reusable = False
        if self.status:
            self._body.end()
        if not self.is_whole:
            raise MalformedAnswer("cut short")

    def _take_head(self, data: bytes) -> bytes:
        """Collect heads until the final one; give what follows it."""
        self._head += data
        while not self.status:
            head, end, rest = self._head.partition(_END_OF_HEAD)
            if len(head) > _HEAD_BYTES_MAX:
                raise MalformedAnswer("a head without end")
            if not end:
                return b""
            self._read_head(head)
            self._head = rest
        return self._head

    def _read_head(self, head: bytes) -> None:
        line, *lines = head.split(_END_OF_LINE)
        found = _STATUS_LINE.match(line)
        if found is None:
            raise MalformedAnswer("not an HTTP/1.1 answer")
        status = int(found[2])
        if status < _FIRST_FINAL_STATUS:
            return
        for each in lines:
            name, _, value = each.decode("latin-1").partition(":")
            self._headers[name.lower()] = value.strip()
        self.status = status
        self._body = self._body_to_come()
        closes = self._headers.get("connection", "").lower() == "close"
        self._is_reusable = found[1] == b"1" and not closes

    def _body_to_come(self) -> "_Body":
        if self.status in _BODILESS:
            return _Counted(0)
        coding = self._headers.get("transfer-encoding")
        length = self._headers.get("content-length")
        if coding is not None and coding.lower() == "chunked":
            return _Chunked()
        if coding is not None or (length is not None and not length.isdecimal()):
            raise MalformedAnswer("a body of unknown length")
        return _UntilEnd() if length is None else _Counted(int(length))


class _Body(Protocol):
    """A body under way."""

    is_whole: bool
    surplus: bytes
    """What came after its end."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes in; give those that are the body's."""
        ...

    def end(self) -> None:
        """Take in that the connection has ended."""
        ...


class _Counted:
    """As long as the head said."""

    def __init__(self, length: int) -> None:
        self.is_whole = length == 0
        self.surplus = b""
        self._left = length

    def feed(self, data: bytes) -> bytes:
        body, self.surplus = data[: self._left], data[self._left :]
        self._left -= len(body)
        self.is_whole = self._left == 0
        return body

    def end(self) -> None:
        """Nothing ends early."""


class _UntilEnd:
    """As long as the connection lasts."""

    def __init__(self) -> None:
        self.is_whole = False
        self.surplus = b""

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.is_whole = True


class _Chunked:
    """In pieces that say how long they are."""

    def __init__(self) -> None:
        self.is_whole = False
        self.surplus = b""
        self._left = 0
        self._is_after_data = False
        self._is_in_trailer = False

    def feed(self, data: bytes) -> bytes:
        text = self.surplus + data
        pieces = []
        at = 0
        while at < len(text) and not self.is_whole:
            if self._left:
                pieces.append(text[at : at + self._left])
                at += len(pieces[-1])
                self._left -= len(pieces[-1])
                continue
            end = text.find(_END_OF_LINE, at)
            if (len(text) if end < 0 else end) - at > _LINE_BYTES_MAX:
                raise MalformedAnswer("a line without end")
            if end < 0:
                break
            self._read_line(text[at:end])
            at = end + len(_END_OF_LINE)
        self.surplus = text[at:]
        return b"".join(pieces)

    def end(self) -> None:
        """Nothing ends early."""

    def _read_line(self, line: bytes) -> None:
        if self._is_in_trailer:
            self.is_whole = not line
        elif self._is_after_data:
            if line:
                raise MalformedAnswer("a chunk longer than it said")
            self._is_after_data = False
        else:
            found = _CHUNK_SIZE.match(line)
            if found is None:
                raise MalformedAnswer("a chunk of no size")
            self._left = int(found[1], 16)
            self._is_in_trailer = self._left == 0
            self._is_after_data = not self._is_in_trailer
