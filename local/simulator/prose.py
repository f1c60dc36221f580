"""Plausible sentences about what the user asked, of a given length in tokens."""

from local.simulator.chat_request import ChatRequest, Message
from local.simulator.dice import Dice
from local.simulator.hints import Hints, excerpt, read_hints
from local.simulator.tokens import BYTES_PER_TOKEN, clip, size_bytes

_OPENINGS = (
    'You asked: "{excerpt}".',
    'On "{excerpt}", here is a short answer.',
    'About "{excerpt}": a few points help.',
    'Regarding "{excerpt}", there is a plain way to see it.',
    'As for "{excerpt}", this is what I can say.',
    'To answer "{excerpt}", it helps to go step by step.',
    'Looking at "{excerpt}", one thing stands out.',
    'Considering "{excerpt}", I would begin as follows.',
    'In reply to "{excerpt}", a summary comes first.',
    'With "{excerpt}" in mind, a few remarks follow.',
    'Thank you for asking "{excerpt}".',
    'So: "{excerpt}".',
)
_SUBJECTS = (
    "The usual way to approach {topic}",
    "Most of what matters about {topic}",
    "A careful look at {topic}",
    "The simplest account of {topic}",
    "Every practical use of {topic}",
    "Good advice on {topic}",
    "The hardest part of {topic}",
    "Whatever is said about {topic}",
)
_PREDICATES = (
    "starts with one small example",
    "comes down to a clear question",
    "depends on what is measured first",
    "rewards a second reading",
    "is easier once the terms are fixed",
    "leaves room for judgement",
    "gains from being written down",
    "changes little when the numbers grow",
    "needs fewer steps than it seems",
)
_ENDINGS = (
    ".",
    ", and then builds on it.",
    ", whatever the setting.",
    ", as a quick check shows.",
    ", which saves time later.",
    ", though there are exceptions.",
    ", and that is easy to verify.",
)
_SHORTEST_TOKENS = 40
_LONGEST_TOKENS = 120


def write_text(request: ChatRequest, choice: int, dice: Dice, tokens: int | None) -> str:
    """Write the answer's text.

    Args:
        request: What is answered; its last user message is quoted.
        choice: Index of the choice; each of the first twelve opens differently.
        dice: Dice of this choice.
        tokens: Exact length wanted, `None` for a natural one of 40 tokens or more.
    """
    hints = read_hints(request.last_user_text)
    sentences = _results(request) or [_opening(request, hints, choice)]
    wanted = tokens or dice.between(_SHORTEST_TOKENS, _LONGEST_TOKENS)
    written_bytes = sum(size_bytes(sentence) + 1 for sentence in sentences)
    while written_bytes <= wanted * BYTES_PER_TOKEN:
        sentences.append(_sentence(hints, dice))
        written_bytes += size_bytes(sentences[-1]) + 1
    text = " ".join(sentences)
    return text if tokens is None else clip(text, tokens)


def _opening(request: ChatRequest, hints: Hints, choice: int) -> str:
    base = len(request.last_user_text)
    said = _OPENINGS[(base + choice) % len(_OPENINGS)].format(excerpt=hints.excerpt)
    images = request.last_user_images
    if images:
        said += " I was shown an image." if images == 1 else f" I was shown {images} images."
    return said


def _sentence(hints: Hints, dice: Dice) -> str:
    subject = dice.pick(_SUBJECTS).format(topic=dice.pick(hints.topics))
    return f"{subject} {dice.pick(_PREDICATES)}{dice.pick(_ENDINGS)}"


def _results(request: ChatRequest) -> list[str]:
    """Say what each tool answered, if tool messages end the conversation."""
    return [
        f"The tool {_tool_name(request, result)} answered: {excerpt(result.text)}."
        for result in request.tool_results
    ]


def _tool_name(request: ChatRequest, result: Message) -> str:
    calls = [call for message in request.messages for call in message.tool_calls or ()]
    names = [c.function.name for c in calls if c.id == result.tool_call_id and c.function]
    return names[-1] if names else "you called"
