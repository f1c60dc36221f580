"""Quotes of images: a true upper bound of what a request can cost, computed before it runs.

The quote is the size of the hold. Nothing about images can be lowered to fit a ceiling without
changing what was asked, so a request that does not fit is refused.
"""

from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from farebox.domain.image_meter import ImageUsage, image_cost_nanousd
from farebox.domain.image_prices import ByTokens
from farebox.domain.image_request import ImageRequest
from farebox.domain.tiers import Tier

_TOKENS_A_REQUEST: Final = 64
"""Providers add text of their own: 32 tokens were measured for an edit of one image.

https://community.openai.com/t/vision-pricing-calculator-inaccurate-resizing-rounding-vs-api-costs/1281361
(2026-11-20).
"""

_TOKENS_AN_INPUT_IMAGE: Final = 32


@dataclass(frozen=True, slots=True)
class ImageQuote:
    """The bound, and what it rests on."""

    hold_nanousd: int
    images: int
    price_version: str


def quote_images(request: ImageRequest, tier: Tier) -> ImageQuote:
    """Quote a request: the meter's price of the worst that may come."""
    worst = worst_usage(request)
    return ImageQuote(
        hold_nanousd=image_cost_nanousd(request, tier, images=request.images, usage=worst),
        images=request.images,
        price_version=request.model.price.version,
    )


def worst_usage(request: ImageRequest) -> ImageUsage | None:
    """Bound the tokens of a request; `None` for a model that is not billed by them.

    Every byte of the prompt is a token and every input image the largest. The provider counts the
    prompt and the input images again for each image it makes.
    """
    billing = request.terms.billing
    if not isinstance(billing, ByTokens):
        return None
    text = _text_bound(request.prompt) + _TOKENS_A_REQUEST
    text += request.input_images * _TOKENS_AN_INPUT_IMAGE
    shown = request.input_images * billing.input_image_tokens[request.fidelity]
    return ImageUsage(
        text_tokens=request.images * text,
        image_tokens=request.images * shown,
        output_image_tokens=request.images * _output_bound(request, billing),
    )


def _output_bound(request: ImageRequest, billing: ByTokens) -> int:
    if billing.output_cap_tokens is not None:
        return billing.output_cap_tokens
    partial = request.partial_images * billing.partial_image_tokens
    return billing.image_tokens(request.quality, request.size) + partial


def _text_bound(text: str) -> int:
    """Bound the tokens of a text whose tokenizer may normalise it first, which can lengthen it."""
    forms = (text, normalize("NFC", text), normalize("NFKC", text))
    return max(len(form.encode("utf-8", "surrogatepass")) for form in forms)
