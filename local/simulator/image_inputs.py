"""The pictures a request brings along: files of a form, data URLs, references.

Nothing is ever fetched: for a URL or a file id a picture drawn from its text stands in.
"""

import base64
import binascii
from io import BytesIO

from PIL import Image

from local.simulator.dice import Dice
from local.simulator.image_drawing import draw
from local.simulator.image_form import FormFile
from local.simulator.image_request import EditRequest, ImageReference, VariationRequest
from local.simulator.image_rules import DALL_E_2, family_of, invalid

type Source = FormFile | ImageReference

_MOST_BYTES = 50 * 1024 * 1024
_MOST_MASK_BYTES = 4 * 1024 * 1024
_STAND_IN = (1024, 1024)
_KINDS = ("PNG", "JPEG", "WEBP")


def read_inputs(request: EditRequest | VariationRequest, *, lenient: bool) -> list[Image.Image]:
    """Decode the pictures to be changed, in order.

    Args:
        request: The request.
        lenient: Let a picture drawn from them stand in for bytes that are no image.

    Raises:
        RefusedError: 400: there is none, or one of them is no PNG, JPEG or WebP picture.
    """
    references = request.images if isinstance(request, EditRequest) else None
    sources: list[Source] = [*(request.image or ()), *(references or ())]
    if not sources:
        raise invalid("image", "Missing required parameter: 'image'.", "missing_required_parameter")
    return [
        _decoded(source, f"image {number}", "image", lenient=lenient)
        for number, source in enumerate(sources, start=1)
    ]


def read_mask(
    request: EditRequest, inputs: list[Image.Image], *, lenient: bool
) -> Image.Image | None:
    """Decode the mask; for DALL·E 2 a transparent area of the picture itself will do.

    Raises:
        RefusedError: 400: no image; another size than the first picture; no alpha channel.
    """
    if request.mask is None:
        itself = family_of(request.model) is DALL_E_2 and inputs[0].has_transparency_data
        return inputs[0] if itself else None
    mask = _decoded(request.mask, "mask", "mask", lenient=lenient)
    if lenient:
        return mask
    if mask.size != inputs[0].size:
        raise invalid(
            "mask",
            "Invalid mask image format - mask size does not match image size.",
            "invalid_image_file",
        )
    if not mask.has_transparency_data:
        raise invalid(
            "mask", "Invalid mask image format - mask needs an alpha channel.", "invalid_image_file"
        )
    return mask


def image_of_url(url: str) -> Image.Image | None:
    """Decode a data URL, or draw what stands in for another; `None` if it is no picture."""
    if not url.startswith("data:"):
        return _stand_in(url)
    try:
        return _opened(base64.b64decode(url.partition(",")[2], validate=True))
    except (binascii.Error, OSError, SyntaxError, ValueError):
        return None


def _decoded(source: Source, name: str, param: str, *, lenient: bool) -> Image.Image:
    limit = _MOST_MASK_BYTES if param == "mask" else _MOST_BYTES
    if isinstance(source, ImageReference):
        image = image_of_url(source.image_url or f"file:{source.file_id}")
    elif len(source.data) >= limit and not lenient:
        raise invalid(param, f"Invalid {name}: it must be smaller than {limit} bytes.")
    else:
        image = _image_of_file(source)
    if image is not None:
        return image
    if lenient:
        return _stand_in(name)
    raise invalid(
        param,
        f"Invalid image file or mode for {name}, please check your image file.",
        "invalid_image_file",
    )


def _image_of_file(source: FormFile) -> Image.Image | None:
    try:
        return _opened(source.data)
    except (OSError, SyntaxError, ValueError):
        return None


def _opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data), formats=_KINDS)
    image.load()
    return image


def _stand_in(text: str) -> Image.Image:
    return draw(text, _STAND_IN, Dice(text.encode()))
