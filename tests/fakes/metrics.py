"""Counts in memory."""

from collections import Counter


class FakeMetrics:
    """Remembers how often what was counted."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def count(self, name: str, value: int = 1) -> None:
        """Count an event."""
        self.counted[name] += value
