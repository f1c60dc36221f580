"""Tokens of a picture: what gpt-image models are paid by.

Output tokens follow the published table of size by quality
(https://platform.openai.com/docs/guides/image-generation#cost-and-latency, 2026-11); a size
outside the table is taken in proportion to its pixels. Each partial image costs 100 more.
"""

import math

from local.simulator.tokens import count
from local.simulator.usage import Usage

PARTIAL_TOKENS = 100
# What gemini-2.5-flash-image counts for a picture (https://ai.google.dev/gemini-api/docs/pricing).
CHAT_PICTURE_TOKENS = 1290
_SQUARE, _TALL, _WIDE = (1024, 1024), (1024, 1536), (1536, 1024)
_OUTPUT_TOKENS = {
    "low": {_SQUARE: 272, _TALL: 408, _WIDE: 400},
    "medium": {_SQUARE: 1056, _TALL: 1584, _WIDE: 1568},
    "high": {_SQUARE: 4160, _TALL: 6240, _WIDE: 6208},
}
_BASE_TOKENS = 65
_TILE_TOKENS = 129
_FAITHFUL_SQUARE_TOKENS = 4160
_FAITHFUL_OTHER_TOKENS = 6240


def output_tokens(size: tuple[int, int], quality: str) -> int:
    """Count the tokens of one picture, rounded up."""
    table = _OUTPUT_TOKENS.get(quality, _OUTPUT_TOKENS["medium"])
    width, height = size
    square = table[_SQUARE]
    return table.get(size) or math.ceil(square * width * height / (_SQUARE[0] * _SQUARE[1]))


def input_image_tokens(size: tuple[int, int], *, faithful: bool) -> int:
    """Count the tokens of one picture sent along.

    It is scaled until its shorter side is 512 pixels and cut in tiles
    (https://platform.openai.com/docs/guides/images-vision#calculating-costs, 2026-11).
    """
    shorter, longer = sorted(size)
    tiles = math.ceil(longer / shorter)
    extra = _FAITHFUL_SQUARE_TOKENS if shorter == longer else _FAITHFUL_OTHER_TOKENS
    return _BASE_TOKENS + _TILE_TOKENS * tiles + (extra if faithful else 0)


def image_usage(prompt: str | None, image_tokens: int, output: int) -> Usage:
    """Build the usage of an image request, all in tokens; `None` is no prompt to be paid."""
    text = 0 if prompt is None else count(prompt)
    return {
        "input_tokens": text + image_tokens,
        "input_tokens_details": {"text_tokens": text, "image_tokens": image_tokens},
        "output_tokens": output,
        "total_tokens": text + image_tokens + output,
    }


def with_picture_tokens(usage: Usage, tokens: int) -> Usage:
    """Say in a chat's usage how many of its completion tokens were pictures, if any were."""
    details = usage["completion_tokens_details"]
    if not tokens or isinstance(details, int):
        return usage
    return {**usage, "completion_tokens_details": {**details, "image_tokens": tokens}}
