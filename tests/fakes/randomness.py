"""Chance that repeats itself: the same seed gives the same ids, nonces and pauses."""

import random


class FakeRandomness:
    """Random bits from a seed."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable is what a test wants

    def bits(self, count: int) -> int:
        """Give the next number of that many bits."""
        return self._random.getrandbits(count)
