"""Bits from the kernel."""

import pytest

from farebox.adapters.randomness import SystemRandomness


@pytest.mark.parametrize("count", [1, 7, 8, 16, 40, 80])
def test_numbers_fill_their_bits_and_no_more(count: int) -> None:
    drawn = [SystemRandomness().bits(count) for _ in range(200)]

    assert max(drawn) < 1 << count
    assert max(number.bit_length() for number in drawn) == count
    assert any(number & 1 for number in drawn)


def test_no_bits_are_zero() -> None:
    assert SystemRandomness().bits(0) == 0


def test_80_bits_do_not_repeat() -> None:
    drawn = [SystemRandomness().bits(80) for _ in range(1_000)]

    assert len(set(drawn)) == 1_000
