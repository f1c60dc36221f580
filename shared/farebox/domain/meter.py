"""The meter: from what a provider reported to what a request costs.

A provider's numbers are input like any other. What is not a plain count is not believed, and
what is absurd is counted, flagged and in the end cut to the hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from farebox.domain.catalogue import Price
from farebox.domain.money import ceil_div
from farebox.domain.tiers import PowerLevel

TOKENS_LIMIT: Final = 100_000_000
"""No request has more tokens: the longest context windows sold hold a tenth of it."""

PRICE_SCALE: Final = 1_000_000 * 100 * 100
"""Divides tokens x nano-dollars a million tokens x two percentages back to nano-dollars."""

_BYTES_A_TOKEN: Final = 4
"""A rule of thumb for English text."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request; those from the cache are among those of the prompt."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int = 0
    """Among those of the completion; for the record, they cost the same."""
    estimated: bool = False
    """Counted here, for the provider reported nothing usable."""
    absurd: bool = False
    """The provider reported a negative, impossible or contradictory count."""


def read_usage(raw: object) -> Usage | None:
    """Read the `usage` object of an OpenAI-style answer.

    Counts below 0 are read as 0, those above `TOKENS_LIMIT` as that, and parts larger than their
    whole as the whole; any of these makes the usage absurd. A part that is absent or not a whole
    number is 0: the caller pays the full price rather than a made-up discount.

    Returns:
        `None` when there is no object, or its prompt or completion is not a whole number.
    """
    prompt = _count(raw, "prompt_tokens")
    completion = _count(raw, "completion_tokens")
    if prompt is None or completion is None:
        return None
    cached = _part(raw, "prompt_tokens_details", "cached_tokens")
    reasoning = _part(raw, "completion_tokens_details", "reasoning_tokens")
    believed = Usage(
        prompt_tokens=_clamp(prompt, TOKENS_LIMIT),
        cached_tokens=_clamp(cached, _clamp(prompt, TOKENS_LIMIT)),
        completion_tokens=_clamp(completion, TOKENS_LIMIT),
        reasoning_tokens=_clamp(reasoning, _clamp(completion, TOKENS_LIMIT)),
    )
    reported = Usage(prompt, cached, completion, reasoning)
    return believed if believed == reported else _flagged(believed)


def estimate_tokens(text_bytes: int) -> int:
    """Estimate tokens from bytes of text, rounded up: for when a provider reports no usage."""
    return ceil_div(text_bytes, _BYTES_A_TOKEN)


def cost_nanousd(usage: Usage, price: Price, power: PowerLevel, markup_percent: int) -> int:
    """Price a usage, rounded up to the nano-dollar.

    ((prompt - cached) x input + cached x cached input + completion x output) x power
    x (1 + markup): multiplied first, divided once. Never falls when a count rises.
    """
    at_list_price = (
        (usage.prompt_tokens - usage.cached_tokens) * price.input_nanousd_per_million
        + usage.cached_tokens * price.cached_input_nanousd_per_million
        + usage.completion_tokens * price.output_nanousd_per_million
    )
    return ceil_div(at_list_price * weight(power, markup_percent), PRICE_SCALE)


def weight(power: PowerLevel, markup_percent: int) -> int:
    """Combine power level and markup into one factor, in hundredths of a percent."""
    return power.percent * (100 + markup_percent)


def clamp_cost(amount_nanousd: int, hold_nanousd: int) -> tuple[int, int]:
    """Cut a cost to what lies between 0 and the hold.

    Returns:
        What is charged, and the overrun: what the hold did not cover.
    """
    charged_nanousd = _clamp(amount_nanousd, hold_nanousd)
    return charged_nanousd, max(0, amount_nanousd - charged_nanousd)


def _count(raw: object, name: str) -> int | None:
    """Read a whole number; `True` is one to Python and none to us."""
    value = raw.get(name) if isinstance(raw, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _part(raw: object, details: str, name: str) -> int:
    count = _count(raw.get(details) if isinstance(raw, Mapping) else None, name)
    return 0 if count is None else count


def _clamp(value: int, limit: int) -> int:
    return min(max(0, value), limit)


def _flagged(usage: Usage) -> Usage:
    return Usage(
        usage.prompt_tokens,
        usage.cached_tokens,
        usage.completion_tokens,
        usage.reasoning_tokens,
        absurd=True,
    )
