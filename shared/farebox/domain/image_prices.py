"""What images cost: by a table of sizes and qualities, or by the tokens they come to.

A model is billed one way or the other, never both. Either way an image is paid for at the worst
that may come, and the figures here say what that is: `auto` is the dearest of what it may mean.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from farebox.domain.data_table import DataTable
from farebox.domain.tiers import Tier

AUTO: Final = "auto"
"""The size or quality that leaves the choice to the provider."""

FIDELITY_LOW: Final = "low"
"""The input fidelity of a request that names none."""

type BySize = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ByTable:
    """A price an image, by quality and size."""

    nanousd: Mapping[str, BySize]

    def image_nanousd(self, quality: str, size: str) -> int:
        """Give the list price of one image; both are resolved, never `auto`."""
        return self.nanousd[quality][size]


@dataclass(frozen=True, slots=True)
class ByTokens:
    """Prices by kind of token in nano-dollars a million, and what images come to in tokens.

    No cached token is dearer than the same one uncached, and no text in the output than an image:
    a bound that takes all for the dearer kind is a bound.
    """

    text_input_nanousd_per_million: int
    cached_text_nanousd_per_million: int
    image_input_nanousd_per_million: int
    cached_image_nanousd_per_million: int
    image_output_nanousd_per_million: int
    text_output_nanousd_per_million: int
    output_tokens: Mapping[str, BySize]
    """Of one image, by quality and size."""
    partial_image_tokens: int
    """Output tokens of each image on the way that a stream shows."""
    input_image_tokens: Mapping[str, int]
    """The most tokens an input image can count as, by input fidelity."""
    output_cap_tokens: int | None
    """The cap a chat model is sent, text included; `None` where images need none."""

    def image_tokens(self, quality: str, size: str) -> int:
        """Give the most output tokens one image comes to; `auto` is the dearest of its kind."""
        by_size = self.output_tokens.values() if quality == AUTO else [self.output_tokens[quality]]
        return max(_most(each, size) for each in by_size)


type Billing = ByTable | ByTokens

TABLE_PERCENT: Final[Mapping[Tier, int]] = MappingProxyType(
    {
        Tier.FREE: 150,
        Tier.TRIAL: 120,
        Tier.STARTER: 120,
        Tier.PROFESSIONAL: 120,
        Tier.ENTERPRISE: 120,
        Tier.MANAGED: 120,
        Tier.BYOK: 100,
        Tier.VIP_FOUNDER: 100,
    }
)
"""What a tier pays of a table's price, in percent."""


def tokens_percent(tier: Tier) -> int:
    """Give what a tier pays of the provider's price for tokens, in percent."""
    return 100 if tier is Tier.VIP_FOUNDER else 300


def read_table_billing(price: DataTable, qualities: Iterable[str], sizes: list[str]) -> ByTable:
    """Read `[models.price.an_image.<quality>]`: a price for each size, none of them zero."""
    tables = price.table("an_image")
    read: dict[str, BySize] = {}
    for quality in qualities:
        prices = tables.table(quality)
        read[quality] = {size: _positive(prices, size) for size in sizes}
        prices.close()
    tables.close()
    return ByTable(read)


def read_token_billing(
    price: DataTable, image: DataTable, qualities: Iterable[str], sizes: list[str]
) -> ByTokens:
    """Read the prices by kind of token and, from `[models.image]`, the tokens images come to.

    `input` and `cached_input` are of text, `output` is of images.
    """
    billing = ByTokens(
        text_input_nanousd_per_million=_positive(price, "input"),
        cached_text_nanousd_per_million=_positive(price, "cached_input"),
        image_input_nanousd_per_million=_positive(price, "image_input"),
        cached_image_nanousd_per_million=_positive(price, "cached_image_input"),
        image_output_nanousd_per_million=_positive(price, "output"),
        text_output_nanousd_per_million=_positive(price, "text_output"),
        output_tokens=_output_tokens(image.table("output_tokens"), qualities, sizes),
        partial_image_tokens=image.count("partial_image_tokens", least=0),
        input_image_tokens=_input_image_tokens(image),
        output_cap_tokens=image.take("output_cap_tokens", int, 0) or None,
    )
    _check_order(price, billing)
    return billing


def _check_order(price: DataTable, billing: ByTokens) -> None:
    if billing.cached_text_nanousd_per_million > billing.text_input_nanousd_per_million:
        raise price.fault("cached_input", "is dearer than input")
    if billing.cached_image_nanousd_per_million > billing.image_input_nanousd_per_million:
        raise price.fault("cached_image_input", "is dearer than image_input")
    if billing.text_output_nanousd_per_million > billing.image_output_nanousd_per_million:
        raise price.fault("text_output", "is dearer than output")


def _positive(table: DataTable, field: str) -> int:
    nanousd = table.nanousd(field)
    if not nanousd:
        raise table.fault(field, "is zero")
    return nanousd


def _output_tokens(
    tables: DataTable, qualities: Iterable[str], sizes: list[str]
) -> Mapping[str, BySize]:
    read: dict[str, BySize] = {}
    for quality in qualities:
        counts = tables.table(quality)
        read[quality] = {size: counts.count(size) for size in sizes}
        counts.close()
    tables.close()
    return read


def _input_image_tokens(image: DataTable) -> Mapping[str, int]:
    counts: dict[str, object] = image.take("input_image_tokens", dict)
    read = {name: count for name, count in counts.items() if type(count) is int and count > 0}
    if FIDELITY_LOW not in read or len(read) < len(counts):
        raise image.fault("input_image_tokens", "must count tokens, at least for low")
    return read


def _most(by_size: BySize, size: str) -> int:
    return max(by_size.values()) if size == AUTO else by_size[size]
