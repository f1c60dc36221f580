"""Images over Pillow, which is loaded when the first image arrives and never for a chat.

Pillow only warns about a picture of up to 179 million pixels, so its warnings are made errors here
and the size is checked before anything is decoded: a PNG of 20,625 bytes can unfold to 13,000 x
13,000 pixels. What a decoder trips over is always the image's fault, hence the one broad `except`.
"""

import contextlib
import re
import warnings
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from farebox.domain.errors import InvalidImage
from farebox.services.ports.image_codec import (
    MOST_PIXELS,
    THUMBNAIL_PIXELS,
    ImageFormat,
    Picture,
)

if TYPE_CHECKING:
    from PIL import Image

_SAVING: Final[dict[ImageFormat, dict[str, Any]]] = {
    # Level 4 is as small as 6 on photographs, in half the time.
    "png": {"compress_level": 4},
    "jpeg": {"quality": 95, "subsampling": 0},
    "webp": {"quality": 95, "method": 2},
}
_THUMBNAIL: Final = {"quality": 80, "method": 4}
_PLAIN_MODES: Final = frozenset({"L", "RGB"})
_ALPHA_MODES: Final = frozenset({"LA", "PA", "La", "RGBA", "RGBa"})
# Encoders write about ten scans; a megabyte of empty ones would take minutes to decode.
_MOST_SCANS: Final = 64
# Every marker that has a length behind it; one more or less, and scans could hide in the gap.
_MARKER: Final = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])")
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_NOT_AN_IMAGE: Final = "The image must be a PNG, JPEG or WebP file."
_TOO_LARGE: Final = f"The image has more than {MOST_PIXELS:,} pixels."
_DAMAGED: Final = "The image is damaged or incomplete."


class PillowImageCodec:
    """Reads, cleans and shrinks images in this process; `ImageCodec` says what is refused."""

    def decode(self, data: bytes) -> Picture:
        """Decode the whole image and say what it is."""
        with _opened(data) as (kind, image):
            image.load()
            upright = _upright(image)
            return Picture(kind, upright.width, upright.height)

    def sanitise(self, data: bytes) -> bytes:
        """Encode the image anew in its own format, without anything but its pixels."""
        with _opened(data) as (kind, image):
            image.load()
            pixels = _upright(image)
            if pixels.mode == "CMYK":
                pixels = pixels.convert("RGB")
            return _encoded(pixels, kind, **_SAVING[kind])

    def thumbnail(self, data: bytes, longest: int = THUMBNAIL_PIXELS) -> bytes:
        """Make a small WebP whose longer side is at most `longest` pixels."""
        with _opened(data) as (kind, image):
            # Left alone, a JPEG is decoded at an eighth of its size if that is enough.
            pixels = image if kind == "jpeg" else _smooth(image)
            pixels.thumbnail((longest, longest))
            return _encoded(_smooth(_upright(pixels)), "webp", **_THUMBNAIL)


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[tuple[ImageFormat, "Image.Image"]]:
    """Open an image of which only the head was read, and blame it for whatever goes wrong."""
    kind = _format_of(data)
    pillow = _pillow()
    try:
        with pillow.open(BytesIO(data), formats=(kind.upper(),)) as image:
            _check(image, data)
            yield kind, image
    except InvalidImage:
        raise
    except Exception as error:
        bomb = isinstance(error, (pillow.DecompressionBombError, pillow.DecompressionBombWarning))
        raise InvalidImage(_TOO_LARGE if bomb else _DAMAGED) from error


@cache
def _pillow() -> ModuleType:
    """Load Pillow with the three formats and make its warnings errors.

    The filter is set once, for a process serves requests in several threads and a filter set
    around each decoding would be everybody's.
    """
    from PIL import (  # noqa: PLC0415 (start-up must not pay for it)
        Image,
        JpegImagePlugin,  # noqa: F401 (registers itself)
        PngImagePlugin,  # noqa: F401
        WebPImagePlugin,  # noqa: F401
    )

    warnings.filterwarnings("error", module=r"PIL\.")
    return Image


def _format_of(data: bytes) -> ImageFormat:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    raise InvalidImage(_NOT_AN_IMAGE)


def _check(image: "Image.Image", data: bytes) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise InvalidImage(_TOO_LARGE)
    # Cameras put a second picture behind a JPEG (MPO); it is not shown, and falls off.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise InvalidImage("The image is animated; send a single frame.")
    if image.format in ("JPEG", "MPO") and _has_too_many_scans(data):
        raise InvalidImage(f"The image has more than {_MOST_SCANS} scans.")


def _has_too_many_scans(data: bytes) -> bool:
    """Count a JPEG's scans by walking its markers; metadata may contain anything, so is skipped."""
    position, scans = 2, 0
    while (found := _MARKER.search(data, position)) and found[1][0] != _END_OF_IMAGE:
        scans += found[1][0] == _START_OF_SCAN
        if scans > _MOST_SCANS:
            return True
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return False


def _upright(image: "Image.Image") -> "Image.Image":
    """Carry out the rotation that EXIF asks for; EXIF that cannot be read asks for none."""
    from PIL import ImageOps  # noqa: PLC0415 (start-up must not pay for it)

    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _smooth(image: "Image.Image") -> "Image.Image":
    """Convert to a mode that can be scaled and that WebP has."""
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode.startswith("I"):
        return image.convert("I").point([value >> 8 for value in range(1 << 16)], "L")
    return image if image.mode in _PLAIN_MODES else image.convert("RGB")


def _encoded(image: "Image.Image", kind: ImageFormat, **options: object) -> bytes:
    # Encoders copy some of what a decoder noted: comments, profiles, resolution.
    image.info = {name: image.info[name] for name in ("transparency",) if name in image.info}
    encoded = BytesIO()
    image.save(encoded, kind.upper(), **options)
    return encoded.getvalue()
