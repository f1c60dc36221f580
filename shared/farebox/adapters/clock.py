"""The machine's own time."""

import time


class SystemClock:
    """The wall clock of the host."""

    def now_ms(self) -> int:
        """Give the unix time in milliseconds, rounded down."""
        return time.time_ns() // 1_000_000

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(seconds)
