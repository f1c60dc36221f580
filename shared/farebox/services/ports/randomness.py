"""Chance, as a port: ids, nonces and jitter come from here."""

from typing import Protocol


class Randomness(Protocol):
    """A source of random bits."""

    def bits(self, count: int) -> int:
        """Give a number of that many random bits, fit for secrets."""
        ...
