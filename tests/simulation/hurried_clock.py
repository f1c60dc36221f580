"""A clock that runs ahead, so that a lease of minutes is over in seconds of a test."""

import time
from typing import Final

HURRY: Final = 60
"""Seconds that pass on it in one of ours."""


class HurriedClock:
    """The same in every process that is told the same start.

    Args:
        start_ms: Unix milliseconds at which it showed the right time.
    """

    def __init__(self, start_ms: int) -> None:
        self._start_ms = start_ms

    def now_ms(self) -> int:
        """Give the time it shows."""
        return self._start_ms + int((time.time() * 1_000 - self._start_ms) * HURRY)

    def sleep(self, seconds: float) -> None:
        """Wait until so much has passed on it."""
        time.sleep(seconds / HURRY)
