"""Server-sent events as chat providers send them: split as they arrive, looked into only if needed.

Events are forwarded as the bytes they came as; parsing each would cost more than all else we do.
"""

from typing import Final

from farebox.domain.json_text import encode_json

DONE: Final = b"[DONE]"
PING: Final = b": ping\n\n"
MAX_EVENT_BYTES: Final = 16 * 1024 * 1024


class EventTooLargeError(ValueError):
    """An event did not end within `MAX_EVENT_BYTES`."""


class EventSplitter:
    """Collects bytes until they make whole events."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Give the events that `chunk` completes, without the blank lines between them."""
        text = self._rest + chunk if self._rest else chunk
        if b"\r" in text:
            # A lone CR at the end may be half of a CRLF: it waits for its other half.
            held = text.endswith(b"\r")
            text = (text[:-1] if held else text).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            *events, rest = text.split(b"\n\n")
            self._rest = rest + b"\r" if held else rest
        else:
            *events, self._rest = text.split(b"\n\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise EventTooLargeError(f"an event longer than {MAX_EVENT_BYTES} bytes")
        return [event for event in events if event]

    def rest(self) -> bytes:
        """Give what is left at the end of the stream: an event without its blank line, or b""."""
        rest, self._rest = self._rest.strip(), b""
        return rest


def data_of(event: bytes) -> bytes | None:
    """Give an event's data, `None` for a comment or an event without any.

    Nearly every event is one `data:` line; those of several lines are joined as the standard says.
    """
    if event.startswith(b"data:") and b"\n" not in event:
        return event[5:].strip()
    lines = [
        line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")
    ]
    return b"\n".join(lines) if lines else None


def encode_event(data: object) -> bytes:
    """Make an event of a JSON value."""
    return b"data: " + encode_json(data) + b"\n\n"
