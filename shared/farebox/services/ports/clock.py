"""Time, as a port: nothing else in the services or the domain looks at a clock."""

from typing import Protocol


class Clock(Protocol):
    """The time of day, and a way to wait."""

    def now_ms(self) -> int:
        """Give the unix time in milliseconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
