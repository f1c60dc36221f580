"""What an image is, decided from its bytes alone, and the forms of it that are safe to keep."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

type ImageFormat = Literal["jpeg", "png", "webp"]

MOST_PIXELS: Final = 25_000_000
THUMBNAIL_PIXELS: Final = 512
"""The longer side of a thumbnail."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A still image that can be decoded; width and height in pixels, as it is to be shown."""

    format: ImageFormat
    width: int
    height: int


class ImageCodec(Protocol):
    """Reads, cleans and shrinks images; nobody else looks inside one.

    Every method raises `InvalidImage`, whatever is wrong with the bytes, in this order: they are
    not PNG, JPEG or WebP; more than `MOST_PIXELS`; more than one frame; more scans than a picture
    needs; damaged or cut short.
    """

    def decode(self, data: bytes) -> Picture:
        """Decode the whole image and say what it is."""
        ...

    def sanitise(self, data: bytes) -> bytes:
        """Encode the image anew in its own format, without anything but its pixels.

        What lay beside or behind the picture is gone: EXIF and the place it names, comments,
        profiles, other files. A rotation that EXIF asked for is carried out. PNG keeps every pixel
        as it is, except that 16-bit colour comes out with 8 bits; JPEG and WebP lose a little.
        """
        ...

    def thumbnail(self, data: bytes, longest: int = THUMBNAIL_PIXELS) -> bytes:
        """Make a small WebP whose longer side is at most `longest` pixels; none is enlarged."""
        ...
