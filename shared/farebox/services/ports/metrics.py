"""Counts of what operators are woken for; everything else is in the entries."""

from typing import Protocol


class Metrics(Protocol):
    """A place to count events."""

    def count(self, name: str, value: int = 1) -> None:
        """Count an event by its metric name, as `Loss`."""
        ...
