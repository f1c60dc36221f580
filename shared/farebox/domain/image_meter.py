"""The meter of images: from what a provider reported, or how many came, to what they cost.

Where images have a price each, those that came are paid for, and no more. Where tokens have, the
provider's own count is, by kind of token: an image's cost eight times what its prompt's do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from farebox.domain.image_prices import AUTO, TABLE_PERCENT, ByTable, ByTokens, tokens_percent
from farebox.domain.image_request import ImageRequest
from farebox.domain.image_terms import Protocol
from farebox.domain.meter import TOKENS_LIMIT, estimate_tokens
from farebox.domain.money import ceil_div
from farebox.domain.tiers import Tier

TABLE_STEP_NANOUSD: Final = 1_000_000
"""Each image by a table is rounded up to a tenth of a cent."""

TOKENS_STEP_NANOUSD: Final = 10_000_000
"""A request by tokens is rounded up to a cent, and costs at least one."""

_TOKEN_SCALE: Final = 1_000_000 * 100
"""Divides tokens x nano-dollars a million tokens x percent back to nano-dollars."""

_NAMES: Final[Mapping[Protocol, tuple[str, str]]] = {
    Protocol.IMAGES: ("input_tokens", "output_tokens"),
    Protocol.CHAT: ("prompt_tokens", "completion_tokens"),
}


@dataclass(frozen=True, slots=True)
class ImageUsage:
    """Tokens of one request; cached ones are among those of their kind."""

    text_tokens: int
    image_tokens: int
    output_image_tokens: int
    output_text_tokens: int = 0
    cached_text_tokens: int = 0
    cached_image_tokens: int = 0
    estimated: bool = False
    """Counted here, for the provider reported nothing usable."""
    absurd: bool = False
    """The provider reported a negative, impossible or contradictory count."""

    @property
    def input_tokens(self) -> int:
        """Text and images of the prompt."""
        return self.text_tokens + self.image_tokens

    @property
    def output_tokens(self) -> int:
        """Images and text of the answer."""
        return self.output_image_tokens + self.output_text_tokens


def read_image_usage(raw: object, protocol: Protocol) -> ImageUsage | None:
    """Read the `usage` of an answer of the Images API, or of a chat with images.

    Counts below 0 are read as 0, those above `TOKENS_LIMIT` as that, and parts larger than their
    whole as the whole; any of these makes the usage absurd. What no detail calls an image is text
    in the prompt and an image in the answer; what none calls cached is not.

    Returns:
        `None` when there is no object, or its input or output is not a whole number.
    """
    sent, made = _NAMES[protocol]
    reader = _Reader(raw)
    whole_input, whole_output = reader.whole(sent), reader.whole(made)
    if whole_input is None or whole_output is None:
        return None
    details, cached = f"{sent}_details", "cached_tokens_details"
    image = reader.part((details, "image_tokens"), whole_input)
    text = whole_input - image
    text_made = _text_made(reader, f"{made}_details", protocol, whole_output)
    usage = ImageUsage(
        text_tokens=text,
        image_tokens=image,
        output_image_tokens=whole_output - text_made,
        output_text_tokens=text_made,
        cached_text_tokens=reader.part((details, cached, "text_tokens"), text),
        cached_image_tokens=reader.part((details, cached, "image_tokens"), image),
    )
    return replace(usage, absurd=reader.absurd)


def estimate_image_usage(
    request: ImageRequest, images: int, *, size: str = "", quality: str = ""
) -> ImageUsage:
    """Estimate the tokens of images that came without a usable usage.

    Args:
        request: What was asked.
        images: How many came.
        size: What the answer says, for a request that left it open.
        quality: Likewise.

    Returns:
        All zero for a model that is not billed by tokens.
    """
    billing = request.terms.billing
    if not isinstance(billing, ByTokens):
        return ImageUsage(0, 0, 0, estimated=True)
    an_image = billing.image_tokens(
        _settled(request.quality, quality, request.terms.qualities),
        _settled(request.size, size, request.terms.sizes),
    )
    an_image += request.partial_images * billing.partial_image_tokens
    shown = request.input_images * billing.input_image_tokens[request.fidelity]
    return ImageUsage(
        text_tokens=images * estimate_tokens(len(request.prompt.encode("utf-8", "surrogatepass"))),
        image_tokens=images * shown,
        output_image_tokens=images * an_image,
        estimated=True,
    )


def image_cost_nanousd(
    request: ImageRequest, tier: Tier, *, images: int, usage: ImageUsage | None = None
) -> int:
    """Price what came: nothing if no image did.

    Args:
        request: What was asked.
        tier: Whose price it is.
        images: How many came whole.
        usage: What the provider reported; without it a model billed by tokens is estimated.
    """
    if not images:
        return 0
    billing = request.terms.billing
    if isinstance(billing, ByTable):
        list_nanousd = billing.image_nanousd(request.quality, request.size)
        return images * table_image_nanousd(list_nanousd, tier)
    return tokens_nanousd(usage or estimate_image_usage(request, images), billing, tier)


def table_image_nanousd(list_nanousd: int, tier: Tier) -> int:
    """Price one image of a table for a tier, rounded up to a tenth of a cent."""
    return _ceil_to(list_nanousd * TABLE_PERCENT[tier], 100, TABLE_STEP_NANOUSD)


def tokens_nanousd(usage: ImageUsage, prices: ByTokens, tier: Tier) -> int:
    """Price the tokens of a request for a tier, rounded up to a cent and at least one.

    Multiplied first, divided once. Never falls when a count rises.
    """
    cached_text, cached_image = usage.cached_text_tokens, usage.cached_image_tokens
    at_list_price = (
        (usage.text_tokens - cached_text) * prices.text_input_nanousd_per_million
        + cached_text * prices.cached_text_nanousd_per_million
        + (usage.image_tokens - cached_image) * prices.image_input_nanousd_per_million
        + cached_image * prices.cached_image_nanousd_per_million
        + usage.output_image_tokens * prices.image_output_nanousd_per_million
        + usage.output_text_tokens * prices.text_output_nanousd_per_million
    )
    cost = _ceil_to(at_list_price * tokens_percent(tier), _TOKEN_SCALE, TOKENS_STEP_NANOUSD)
    return max(cost, TOKENS_STEP_NANOUSD)


class _Reader:
    """Reads counts, and notices those that cannot be."""

    def __init__(self, raw: object) -> None:
        self._raw = raw
        self.absurd = False

    def whole(self, name: str) -> int | None:
        """Read a total; `None` when there is no whole number."""
        count = _count(self._raw, name)
        return None if count is None else self._within(count, TOKENS_LIMIT)

    def part(self, path: Sequence[str], whole: int) -> int:
        """Read a part of a total, somewhere below; 0 for one that is not there."""
        inner: object = self._raw
        for name in path[:-1]:
            inner = inner.get(name) if isinstance(inner, Mapping) else None
        return self._within(_count(inner, path[-1]) or 0, whole)

    def _within(self, count: int, limit: int) -> int:
        believed = min(max(0, count), limit)
        self.absurd = self.absurd or believed != count
        return believed


def _count(raw: object, name: str) -> int | None:
    """Read a whole number; `True` is one to Python and none to us."""
    value = raw.get(name) if isinstance(raw, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text_made(reader: _Reader, details: str, protocol: Protocol, whole: int) -> int:
    """Tell the text of an answer: a chat's details name the images, the Images API's the text."""
    if protocol is Protocol.IMAGES:
        return reader.part((details, "text_tokens"), whole)
    images = reader.part((details, "image_tokens"), whole)
    return whole - images if images else 0


def _settled(asked: str, answered: str, known: Sequence[str]) -> str:
    """Take the answer's word for what the request left open, if it is a word we know."""
    return answered if asked == AUTO and answered in known else asked


def _ceil_to(numerator: int, denominator: int, step_nanousd: int) -> int:
    """Divide, and round up to a multiple of a step, at once."""
    return ceil_div(numerator, denominator * step_nanousd) * step_nanousd
