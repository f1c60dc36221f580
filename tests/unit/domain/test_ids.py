"""Request ids: they carry their time and sort by it."""

import pytest

from farebox.domain.ids import is_ulid, make_ulid, time_of

NOON_MS = 1_795_176_000_000


def test_the_id_of_the_specification_s_example_time() -> None:
    assert make_ulid(1_469_918_176_385, 0)[:10] == "01ARYZ6S41"


def test_time_zero_without_randomness_is_all_zeros() -> None:
    assert make_ulid(0, 0) == "00000000000000000000000000"


def test_the_last_moment_and_all_bits_set_is_the_largest_id() -> None:
    assert make_ulid((1 << 48) - 1, (1 << 80) - 1) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"


def test_an_id_gives_its_time_back() -> None:
    assert time_of(make_ulid(NOON_MS, 12_345)) == NOON_MS


def test_ids_sort_by_time_whatever_their_randomness() -> None:
    earlier = make_ulid(NOON_MS, (1 << 80) - 1)
    later = make_ulid(NOON_MS + 1, 0)

    assert earlier < later


def test_randomness_beyond_eighty_bits_does_not_reach_the_time() -> None:
    assert make_ulid(NOON_MS, 1 << 80) == make_ulid(NOON_MS, 0)


def test_ids_of_one_moment_differ_by_their_randomness() -> None:
    assert make_ulid(NOON_MS, 1) != make_ulid(NOON_MS, 2)


@pytest.mark.parametrize("time_ms", [0, NOON_MS, (1 << 48) - 1])
def test_what_we_make_is_recognised(time_ms: int) -> None:
    assert is_ulid(make_ulid(time_ms, 7))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("0" * 25, id="too short"),
        pytest.param("0" * 27, id="too long"),
        pytest.param("80000000000000000000000000", id="more than 128 bits"),
        pytest.param("0000000000000000000000000I", id="a letter outside the alphabet"),
        pytest.param("0000000000000000000000000a", id="lower case"),
        pytest.param("0000000000000000000000#LOSS", id="a loss's id"),
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_ulid(text)
