"""Which sizes, qualities and fields each image model takes, and how OpenAI refuses the rest.

Limits: https://platform.openai.com/docs/api-reference/images (2026-11); the texts are those
quoted in public issue threads. What is no OpenAI model takes every field and any reasonable size.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from local.simulator.image_request import EditRequest, GenerationRequest, VariationRequest
from local.simulator.problems import RefusedError

type AnyImageRequest = GenerationRequest | EditRequest | VariationRequest

MOST_IMAGES = 10
_GPT_IMAGE = re.compile(r"(^|/)(chat)?gpt-(image|\d[\w.-]*-image)")
_FREE_SIZE = re.compile(r"^([1-9]\d{1,3})x([1-9]\d{1,3})$")
_LONGEST_SIDE = 3840
_MOST_PIXELS = 3840 * 2160
_WIDEST_RATIO = 3
_GRID = 16


@dataclass(frozen=True)
class Family:
    """What models of one kind have in common.

    Args:
        sizes: Accepted sizes besides `auto`; the first is the default.
        any_size: Whether other sizes on a grid of 16 pixels are accepted too.
        qualities: Accepted qualities besides `auto`; `auto` means the first.
        prompt_characters: The longest prompt.
        most_images: The most pictures in one request.
        refused: Fields that exist, but not for these models.
        answers_by_url: Whether a picture may be, and by default is, a URL.
        by_token: Whether answers carry usage and say how they were made.
    """

    sizes: tuple[str, ...]
    qualities: tuple[str, ...]
    prompt_characters: int
    any_size: bool = False
    most_images: int = MOST_IMAGES
    refused: frozenset[str] = frozenset()
    answers_by_url: bool = True
    by_token: bool = False


_TOKEN_FIELDS = frozenset(
    {"background", "input_fidelity", "moderation", "output_compression", "output_format"}
    | {"partial_images", "stream"}
)
_GPT_SIZES = ("1024x1024", "1024x1536", "1536x1024")
GPT_IMAGE = Family(
    _GPT_SIZES,
    ("medium", "low", "high"),
    32_000,
    refused=frozenset({"response_format", "style"}),
    answers_by_url=False,
    by_token=True,
)
DALL_E_3 = Family(
    ("1024x1024", "1024x1792", "1792x1024"),
    ("standard", "hd"),
    4_000,
    most_images=1,
    refused=_TOKEN_FIELDS,
)
DALL_E_2 = Family(
    ("1024x1024", "256x256", "512x512"), ("standard",), 1_000, refused=_TOKEN_FIELDS | {"style"}
)
OTHER = Family(("1024x1024",), ("standard", "hd", "low", "medium", "high"), 32_000, any_size=True)


def family_of(model: str) -> Family:
    """Find what a model's limits are; gpt-image-2 and later draw in any size."""
    if _GPT_IMAGE.search(model):
        free = re.search(r"gpt-image-([2-9]|1\d)", model) is not None
        return Family(**{**GPT_IMAGE.__dict__, "any_size": free})
    return {"dall-e-3": DALL_E_3, "dall-e-2": DALL_E_2}.get(model.rpartition("/")[2], OTHER)


def check_image(request: AnyImageRequest, document: Mapping[str, object]) -> None:
    """Refuse what OpenAI refuses.

    Args:
        request: The typed request.
        document: The same as it arrived.

    Raises:
        RefusedError: 400, in this order: a field unknown or not for this model, the prompt's
            length, `n`, size, quality, background, compression, partial images.
    """
    family = family_of(request.model)
    _check_fields(request, document, family)
    if not isinstance(request, VariationRequest):
        _check_prompt(request.prompt, family)
    _check_n(request.n, family)
    _check_choice("size", request.size, ("auto", *family.sizes), also=_fits(request.size, family))
    if not isinstance(request, VariationRequest):
        _check_choice("quality", request.quality, ("auto", *family.qualities))
        _check_output(request)


def size_of(request: AnyImageRequest) -> tuple[int, int] | None:
    """Read the wanted size in pixels, `None` for auto or what is no size."""
    found = _FREE_SIZE.match(request.size or "")
    if found is None:
        return None
    width, height = int(found[1]), int(found[2])
    return (width, height) if width * height <= _MOST_PIXELS else None


def invalid(param: str, message: str, code: str = "invalid_value") -> RefusedError:
    """Word a refusal of one field's value."""
    return RefusedError(400, message, param=param, code=code, kind="invalid_request_error")


def _check_fields(request: AnyImageRequest, document: Mapping[str, object], family: Family) -> None:
    for name in document:
        if name not in type(request).model_fields or name in family.refused:
            raise invalid(name, f"Unknown parameter: '{name}'.", "unknown_parameter")


def _check_prompt(prompt: str, family: Family) -> None:
    if not prompt:
        raise invalid("prompt", "Invalid 'prompt': it must not be empty.", "empty_string")
    if len(prompt) > family.prompt_characters:
        message = (
            "Invalid 'prompt': string too long. Expected a string with maximum length "
            f"{family.prompt_characters}, but got a string with length {len(prompt)} instead."
        )
        raise invalid("prompt", message, "string_above_max_length")


def _check_n(n: int | None, family: Family) -> None:
    if n is None or 1 <= n <= family.most_images:
        return
    if family.most_images == 1:
        raise invalid("n", "You must provide n=1 for this model.")
    below = n < 1
    limit = f">= 1, but got {n}" if below else f"<= {family.most_images}, but got {n}"
    side = "below minimum" if below else "above maximum"
    code = "integer_below_min_value" if below else "integer_above_max_value"
    raise invalid(
        "n", f"Invalid 'n': integer {side} value. Expected a value {limit} instead.", code
    )


def _check_choice(
    param: str, value: str | None, options: tuple[str, ...], *, also: bool = False
) -> None:
    if value is None or value in options or also:
        return
    *most, last = (f"'{option}'" for option in sorted(options))
    listed = f"{', '.join(most)}, and {last}"
    raise invalid(param, f"Invalid value: '{value}'. Supported values are: {listed}.")


def _fits(size: str | None, family: Family) -> bool:
    """Tell whether a size of the caller's own choice can be drawn."""
    found = _FREE_SIZE.match(size or "")
    if found is None or not family.any_size:
        return False
    width, height = int(found[1]), int(found[2])
    shaped = max(width, height) <= min(_LONGEST_SIDE, _WIDEST_RATIO * min(width, height))
    return shaped and width % _GRID == height % _GRID == 0 and width * height <= _MOST_PIXELS


def _check_output(request: GenerationRequest) -> None:
    kind = request.output_format or "png"
    if request.background == "transparent" and kind == "jpeg":
        raise invalid("background", "Transparent background is not supported for JPEG output.")
    if request.output_compression not in (None, 100) and kind == "png":
        raise invalid(
            "output_compression",
            "Compression less than 100 is not supported for PNG output format.",
            "invalid_png_output_compression",
        )
    if request.partial_images and not request.stream:
        raise invalid("partial_images", "'partial_images' is only allowed with 'stream': true.")
