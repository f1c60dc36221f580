from typing import Any

import pytest

from farebox.domain.catalogue import load_catalogue
from farebox.domain.image_fields import Operation
from farebox.domain.image_meter import ImageUsage
from farebox.domain.image_quotes import ImageQuote, quote_images, worst_usage
from farebox.domain.image_request import ImageRequest, parse_image_request
from farebox.domain.tiers import Tier


def _parse(
    name: str,
    operation: Operation = Operation.GENERATION,
    **fields: Any,  # noqa: ANN401 - any JSON
) -> ImageRequest:
    model = load_catalogue().model(name)
    assert model is not None
    return parse_image_request({"prompt": "A cat", **fields}, operation=operation, model=model)


def test_a_table_quotes_what_it_charges() -> None:
    quote = quote_images(_parse("dalle-2", n=10), Tier.MANAGED)

    assert quote == ImageQuote(220_000_000, 10, "dall-e-2/2026-11-20")


@pytest.mark.parametrize(
    ("fields", "usage"),
    [
        ({}, ImageUsage(69, 0, 6_240)),
        ({"quality": "low", "size": "1024x1024"}, ImageUsage(69, 0, 272)),
        ({"quality": "low", "size": "1024x1024", "n": 10}, ImageUsage(690, 0, 2_720)),
        (
            {"quality": "low", "size": "1024x1024", "stream": True, "partial_images": 3},
            ImageUsage(69, 0, 572),
        ),
        ({"prompt": "\u00e9" * 10, "quality": "low"}, ImageUsage(84, 0, 408)),
        ({"prompt": "\ufdfa", "quality": "low"}, ImageUsage(97, 0, 408)),
    ],
)
def test_the_worst_that_may_come_is_quoted(fields: dict[str, Any], usage: ImageUsage) -> None:
    assert worst_usage(_parse("gpt-image-1", **fields)) == usage


def test_every_input_image_and_the_mask_count_as_the_largest_for_each_image_made() -> None:
    request = _parse(
        "gpt-image-1", Operation.EDIT, image=[b"x"] * 16, mask=b"y", n=2, input_fidelity="high"
    )

    worst = worst_usage(request)

    assert worst == ImageUsage(2 * (69 + 17 * 32), 2 * 17 * 6_821, 2 * 6_240)


def test_a_chat_is_quoted_at_the_cap_it_is_sent() -> None:
    assert worst_usage(_parse("gemini-2.5-flash-image")) == ImageUsage(69, 0, 4_096)


def test_a_model_with_a_table_has_no_worst_usage() -> None:
    assert worst_usage(_parse("sdxl")) is None


def test_the_quote_of_one_image_of_gpt_image_1_is_75_cents() -> None:
    quote = quote_images(_parse("gpt-image-1"), Tier.PROFESSIONAL)

    assert quote == ImageQuote(750_000_000, 1, "gpt-image-1/2026-11-20")
