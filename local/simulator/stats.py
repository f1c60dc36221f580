"""What the simulator has seen: counts, and the latest requests without their keys."""

import contextlib
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

_MOST_RECORDS = 200
_LONGEST_BODY_BYTES = 256 * 1024
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"}
)
# A shorter secret is not shown at all: its last four characters would be most of it.
_SHORTEST_SHOWN_SECRET = 9
_SCHEME = re.compile(r"^(Bearer|Basic) +", re.IGNORECASE)


@dataclass
class Stats:
    """Counts since the start.

    Args:
        calls: Calls by method and route, control routes left out.
        streams_open: Streams being sent now.
        streams_finished: Streams sent to their proper end.
        cut_by_peer: Answers of any kind that the peer did not wait for.
        cut_by_simulator: Connections cut because a fault said so.
    """

    calls: Counter[str] = field(default_factory=Counter)
    streams_open: int = 0
    streams_finished: int = 0
    cut_by_peer: int = 0
    cut_by_simulator: int = 0

    @contextlib.contextmanager
    def open_stream(self) -> Iterator[None]:
        """Count a stream as open for as long as the context lasts."""
        self.streams_open += 1
        try:
            yield
        finally:
            self.streams_open -= 1

    def document(self) -> dict[str, object]:
        """Return the counts as `GET /simulator/stats` shows them."""
        return {
            "calls": self.calls.total(),
            "calls_by_route": dict(self.calls),
            "streams_open": self.streams_open,
            "streams_finished": self.streams_finished,
            "cut_by_peer": self.cut_by_peer,
            "cut_by_simulator": self.cut_by_simulator,
        }


class Recorder:
    """The latest 200 provider requests, oldest first, numbered from 1 since the start."""

    def __init__(self) -> None:
        self._records: deque[Mapping[str, object]] = deque(maxlen=_MOST_RECORDS)
        self._number = 0

    def record(self, request: Request, body: bytes, document: object) -> None:
        """Keep a request; `document` is its decoded body, `None` when it was not JSON."""
        self._number += 1
        self._records.append(
            {
                "number": self._number,
                "method": request.method,
                "path": request.url.path,
                "headers": {name: _redacted(name, v) for name, v in request.headers.items()},
                "body": _shown(body, document),
            }
        )

    def after(self, number: int) -> list[Mapping[str, object]]:
        """Return the records with a greater number than `number`."""
        oldest = self._number - len(self._records)
        return list(self._records)[max(0, number - oldest) :]


def _shown(body: bytes, document: object) -> object:
    if len(body) > _LONGEST_BODY_BYTES:
        return {"omitted_bytes": len(body)}
    return body.decode("utf-8", "replace") if document is None else document


def _redacted(name: str, value: str) -> str:
    if name not in _SECRET_HEADERS:
        return value
    scheme = _SCHEME.match(value)
    prefix = scheme.group() if scheme else ""
    secret = value[len(prefix) :]
    return f"{prefix}…{secret[-4:] if len(secret) >= _SHORTEST_SHOWN_SECRET else ''}"
