"""A clock that stands still until it is told to move, so that a test owns its time."""

import threading
from typing import Final

NOON_MS: Final = 1_795_176_000_000
"""2026-11-20 12:00:00 UTC: far from every window's edge."""


class FakeClock:
    """A clock one ticks; sleeping on it takes no time but moves it."""

    def __init__(self, now_ms: int = NOON_MS) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self.slept_seconds: list[float] = []

    def now_ms(self) -> int:
        """Give the time it was set to, in unix milliseconds."""
        return self._now_ms

    @property
    def now_seconds(self) -> int:
        """The same in whole seconds, as leases count."""
        return self._now_ms // 1000

    def sleep(self, seconds: float) -> None:
        """Let that time pass at once, and remember that somebody waited."""
        self.slept_seconds.append(seconds)
        self.tick(seconds)

    def tick(self, seconds: float) -> None:
        """Move on; threads may tick it together without losing any."""
        with self._lock:
            self._now_ms += round(seconds * 1000)

    def set(self, now_ms: int) -> None:
        """Jump to a unix time in milliseconds."""
        self._now_ms = now_ms
