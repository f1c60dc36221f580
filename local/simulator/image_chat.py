"""Pictures in a chat answer, as OpenRouter gives them: data URLs in `images` beside the content.

https://openrouter.ai/docs/features/multimodal/image-generation
"""

from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image

from local.simulator.chat_request import ChatRequest
from local.simulator.dice import Dice
from local.simulator.faults import Fault
from local.simulator.image_drawing import Size, draw, redraw
from local.simulator.image_encoding import (
    encode_image,
    in_base64,
    media_type,
    spoil_bytes,
    spoil_image,
)
from local.simulator.image_inputs import image_of_url

type Document = Mapping[str, object]

_SIZES: Mapping[object, Size] = {
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
_SQUARE = (1024, 1024)


def with_pictures(document: Document, request: ChatRequest, fault: Fault) -> Document:
    """Add to each choice of a whole answer the picture it asked for."""
    if not request.pictures:
        return document
    choices: Any = document["choices"]
    shown = [
        {**choice, "message": {**choice["message"], **_images(request, choice["index"], fault)}}
        for choice in choices
    ]
    return {**document, "choices": shown}


def stream_with_pictures(
    documents: Iterator[Document], request: ChatRequest, fault: Fault
) -> Iterator[Document]:
    """Add to a stream, before each choice's last chunk, one with its picture."""
    for document in documents:
        choices: Any = document["choices"]
        if request.pictures and choices and choices[0]["finish_reason"] is not None:
            images = _images(request, choices[0]["index"], fault)
            delta = {"role": "assistant", "content": "", **images}
            added = [{**choices[0], "delta": delta, "finish_reason": None}]
            yield {**{k: v for k, v in document.items() if k != "usage"}, "choices": added}
        yield document


def _images(request: ChatRequest, index: int, fault: Fault) -> dict[str, object]:
    """Build the `images` of one choice; nothing at all if its picture is missing."""
    encoded = encode_image(spoil_image(_paint(request, index), fault), "png")
    data = spoil_bytes(encoded, index, request.pictures, fault)
    if data is None:
        return {}
    url = f"data:{media_type(data)};base64,{in_base64(data)}"
    return {"images": [{"type": "image_url", "image_url": {"url": url}, "index": 0}]}


def _paint(request: ChatRequest, index: int) -> Image.Image:
    prompt = request.last_user_text
    dice = Dice(repr((request.model, prompt, request.seed)).encode("utf-8", "replace"))
    drawn = draw(prompt, _size(request.image_config), dice.fork(index))
    urls = request.last_user_image_urls
    inputs = [image for image in map(image_of_url, urls) if image is not None]
    return redraw(inputs, None, drawn) if inputs else drawn


def _size(config: object) -> Size:
    ratio = config.get("aspect_ratio") if isinstance(config, Mapping) else None
    return _SIZES.get(ratio, _SQUARE)
