"""What a message is about, as far as a few patterns can tell."""

import re
from dataclasses import dataclass

_CAPITALISED = r"[A-Z][^\W\d_][\w-]*"  # not "I", not "I'm"
_NAME = rf"{_CAPITALISED}(?: {_CAPITALISED})*"
_PLACES = re.compile(
    rf"\b(?:in|at|for|of|from|to|near|about) ({_NAME}(?:(?:, | and |, and ){_NAME})*)"
)
_JOINTS = re.compile(r", and | and |, ")
_NAMES = re.compile(rf"(?<=[\w,;:] )({_NAME})")
_QUOTED = re.compile(r'["“]([^"”]{1,80})["”]')
_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")
_WORDS = re.compile(r"[^\W\d_]{4,}")
_COMMON = """
    about after also answer because been before call could does from give have hello into just
    know like make many more much must need only over please reply should some tell than that
    their them then there these they this tool used user using want what when where which while
    will with word words would write your
"""
_MOST_CHARACTERS = 4_000
_EXCERPT_WORDS = 12
_EXCERPT_CHARACTERS = 100
_MOST_TOPICS = 4


@dataclass(frozen=True)
class Hints:
    """What a message offers for use in an answer.

    Args:
        names: The first place, quoted phrase or person named; several only if listed together.
        numbers: Numbers in order of appearance.
        topics: Telling words in order of appearance, never empty.
        excerpt: The beginning of the message on one line.
    """

    names: tuple[str, ...]
    numbers: tuple[float, ...]
    topics: tuple[str, ...]
    excerpt: str


def read_hints(text: str) -> Hints:
    """Look over the first 4,000 characters; an empty message has a topic all the same."""
    text = text[:_MOST_CHARACTERS]
    common = frozenset(_COMMON.split())
    telling = [word for word in _WORDS.findall(text) if word.lower() not in common]
    topics = tuple(dict.fromkeys(telling))
    return Hints(
        names=_names(text),
        numbers=tuple(float(number) for number in _NUMBERS.findall(text)),
        topics=topics[:_MOST_TOPICS] or ("your question",),
        excerpt=excerpt(text),
    )


def excerpt(text: str) -> str:
    """Return the first twelve words of a text on one line, at most 100 characters."""
    words = text.split()
    start = " ".join(words[:_EXCERPT_WORDS])[:_EXCERPT_CHARACTERS]
    return start if len(words) <= _EXCERPT_WORDS else f"{start} …"


def _names(text: str) -> tuple[str, ...]:
    """Return the first thing named; only a place may be a list, as in "in Oslo and Rome"."""
    if places := _PLACES.search(text):
        return tuple(dict.fromkeys(_JOINTS.split(places.group(1))))
    named = _QUOTED.search(text) or _NAMES.search(text)
    return (named.group(1),) if named else ()
