"""The operating system's own chance.

Not `secrets`: it reads the same source, and importing it takes longer than this module does.
"""

import os


class SystemRandomness:
    """Bits from the kernel, fit for secrets."""

    def bits(self, count: int) -> int:
        """Give a number of that many random bits."""
        surplus = -count % 8
        return int.from_bytes(os.urandom((count + surplus) // 8)) >> surplus
