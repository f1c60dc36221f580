"""What an image model takes: sizes, qualities, options, limits, and how it is billed and asked.

All of it is data, under `[models.image]` of the catalogue: two models of one maker differ in more
than their price, and a rule written into code would be forgotten when the third comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from farebox.domain.data_table import DataTable
from farebox.domain.image_prices import (
    AUTO,
    Billing,
    ByTokens,
    read_table_billing,
    read_token_billing,
)


class Protocol(StrEnum):
    """How a provider is asked for images."""

    IMAGES = "images"
    """OpenAI's Images API."""
    CHAT = "chat"
    """A chat whose answer has images; OpenRouter's way.

    https://openrouter.ai/docs/guides/overview/multimodal/image-generation (2026-11-20).
    """


@dataclass(frozen=True, slots=True)
class ImageTerms:
    """What one model takes."""

    protocol: Protocol
    prompt_chars_max: int
    images_max: int
    """Images a request may ask for."""
    input_images_max: int
    """Images a request may show; 0 for a model that reads none."""
    sizes: tuple[str, ...]
    default_size: str
    """What `auto` means; `auto` itself where the provider picks one of the sizes."""
    qualities: tuple[str, ...]
    default_quality: str
    """As `default_size`."""
    quality_names: Mapping[str, str]
    """Other models' words for a quality, and what they mean here."""
    options: Mapping[str, tuple[str, ...]]
    """Fields that not every model takes, and the values this one does."""
    aspect_ratios: Mapping[str, str]
    """By size, for a provider that is asked in ratios."""
    takes_response_format: bool
    """Whether the provider has to be asked for base64, rather than refuses to be."""
    billing: Billing


def read_image_terms(image: DataTable, price: DataTable) -> ImageTerms:
    """Read `[models.image]`, and what of `[models.price]` is about images.

    Raises:
        ConfigurationError: A fact is missing, malformed or contradicts another.
    """
    sizes, qualities = _names(image, "sizes"), _names(image, "qualities")
    terms = ImageTerms(
        protocol=_protocol(image),
        prompt_chars_max=image.count("prompt_chars_max"),
        images_max=image.count("images_max"),
        input_images_max=image.count("input_images_max", least=0),
        sizes=tuple(sizes),
        default_size=_default(image, "default_size", sizes),
        qualities=tuple(qualities),
        default_quality=_default(image, "default_quality", qualities),
        quality_names=_quality_names(image, qualities),
        options=_options(image),
        aspect_ratios=_aspect_ratios(image, sizes),
        takes_response_format=image.take("takes_response_format", bool, default=False),
        billing=_billing(image, price, qualities, sizes),
    )
    _check_auto(image, terms)
    image.close()
    return terms


def _billing(image: DataTable, price: DataTable, qualities: list[str], sizes: list[str]) -> Billing:
    billed_by = image.text("billed_by")
    if billed_by == "table":
        return read_table_billing(price, qualities, sizes)
    if billed_by == "tokens":
        return read_token_billing(price, image, qualities, sizes)
    raise image.fault("billed_by", f"must be table or tokens, not {billed_by!r}")


def _check_auto(image: DataTable, terms: ImageTerms) -> None:
    """Make sure that a table, which has no price for `auto`, is never asked for one."""
    if isinstance(terms.billing, ByTokens):
        return
    for field, default in (
        ("default_size", terms.default_size),
        ("default_quality", terms.default_quality),
    ):
        if default == AUTO:
            raise image.fault(field, "must be one of the table's")


def _protocol(image: DataTable) -> Protocol:
    text = image.text("protocol")
    if text not in tuple(Protocol):
        raise image.fault("protocol", f"is unknown: {text!r}")
    return Protocol(text)


def _names(image: DataTable, field: str) -> list[str]:
    names = list(image.texts(field))
    if not names:
        raise image.fault(field, "is missing")
    return names


def _default(image: DataTable, field: str, names: list[str]) -> str:
    default = image.text(field)
    if default not in (*names, AUTO):
        raise image.fault(field, f"is none of {', '.join(names)}")
    return default


def _quality_names(image: DataTable, qualities: list[str]) -> Mapping[str, str]:
    names: dict[str, object] = image.take("quality_names", dict, {})
    read = {name: text for name, text in names.items() if isinstance(text, str)}
    for name in names:
        if read.get(name) not in qualities:
            raise image.fault("quality_names", f"has {name!r} mean an unknown quality")
    return read


def _options(image: DataTable) -> Mapping[str, tuple[str, ...]]:
    options: dict[str, object] = image.take("options", dict, {})
    named = DataTable("options", options)
    return {name: named.texts(name) for name in options}


def _aspect_ratios(image: DataTable, sizes: list[str]) -> Mapping[str, str]:
    ratios: dict[str, object] = image.take("aspect_ratios", dict, {})
    read = {size: ratio for size, ratio in ratios.items() if isinstance(ratio, str)}
    if ratios and list(read) != sizes:
        raise image.fault("aspect_ratios", "must name one for each size, in their order")
    return read
