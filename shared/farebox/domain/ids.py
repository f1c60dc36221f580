"""Request ids (ULIDs): 48 bits of milliseconds, then 80 of randomness, in Crockford's base 32.

They sort by time, and the time inside names the quota windows a request is counted in.
Specification: https://github.com/ulid/spec (read 2026-11).
"""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26
_TIME_LENGTH = 10


def make_ulid(time_ms: int, randomness: int) -> str:
    """Compose a ULID of a unix time in milliseconds and 80 random bits."""
    number = (time_ms << 80) | (randomness & ((1 << 80) - 1))
    letters = []
    for _ in range(_LENGTH):
        number, value = divmod(number, 32)
        letters.append(_ALPHABET[value])
    return "".join(reversed(letters))


def is_ulid(text: str) -> bool:
    """Tell whether `text` is a ULID as we write them: 26 upper-case letters, no overflow."""
    return len(text) == _LENGTH and text[0] <= "7" and all(letter in _VALUES for letter in text)


def time_of(ulid: str) -> int:
    """Give the unix time in milliseconds a ULID was made at."""
    time_ms = 0
    for letter in ulid[:_TIME_LENGTH]:
        time_ms = time_ms * 32 + _VALUES[letter]
    return time_ms
