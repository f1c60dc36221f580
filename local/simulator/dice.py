"""Seeded choices that come out the same on every machine and Python version.

The standard generator promises that only for some of its methods, and an answer that changed with
an upgrade would break every recorded comparison.
"""

import hashlib
from collections.abc import Sequence


class Dice:
    """A sequence of choices determined by a seed.

    Args:
        seed: Any bytes; equal seeds give equal sequences.
    """

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._drawn = 0

    def below(self, bound: int) -> int:
        """Draw an integer from 0 to `bound` - 1."""
        return int.from_bytes(self._draw()) % bound

    def between(self, low: int, high: int) -> int:
        """Draw an integer from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick[T](self, options: Sequence[T]) -> T:
        """Draw one of `options`, which must not be empty."""
        return options[self.below(len(options))]

    def hexadecimal(self, digits: int) -> str:
        """Draw `digits` hexadecimal digits, at most 64."""
        return self._draw().hex()[:digits]

    def fork(self, label: object) -> "Dice":
        """Return dice of their own for a part, whatever was drawn here before."""
        return Dice(self._seed + f"/{label}".encode())

    def _draw(self) -> bytes:
        self._drawn += 1
        return hashlib.blake2b(self._seed + self._drawn.to_bytes(8), digest_size=32).digest()
