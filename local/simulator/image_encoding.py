"""Pictures as bytes, whole or spoilt as a fault asks."""

import base64
from io import BytesIO

from PIL import Image

from local.simulator.faults import Fault
from local.simulator.image_drawing import grained
from local.simulator.image_request import OutputFormat

_GARBAGE = b"upstream connect error or disconnect/reset before headers. \xff\xfe\x00"
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
_BEST = 95
_LEAST_JPEG_QUALITY = 1


def encode_image(image: Image.Image, kind: OutputFormat, compression: int | None = None) -> bytes:
    """Encode a picture.

    Args:
        image: The picture.
        kind: The format.
        compression: As OpenAI counts it, 0 small to 100 good; not for PNG.
    """
    encoded = BytesIO()
    if kind == "png":
        image.save(encoded, "PNG", compress_level=2)
        return encoded.getvalue()
    quality = max(_LEAST_JPEG_QUALITY, min(_BEST, _BEST if compression is None else compression))
    image.save(encoded, kind.upper(), quality=quality, method=0)
    return encoded.getvalue()


def spoil_image(image: Image.Image, fault: Fault) -> Image.Image:
    """Change the picture itself as the fault asks."""
    return grained(image, b"grain") if fault.image == "noise" else image


def spoil_bytes(data: bytes, index: int, count: int, fault: Fault) -> bytes | None:
    """Damage the picture at `index` of `count` if the fault is about it; `None` if missing."""
    usual = 1 if fault.image == "missing" else count
    spoilt = usual if fault.images_spoilt is None else fault.images_spoilt
    if fault.image in (None, "noise") or index < count - spoilt:
        return data
    if fault.image == "missing":
        return None
    if fault.image == "truncated":
        return data[: len(data) // 2]
    return _SVG if fault.image == "svg" else _GARBAGE


def in_base64(data: bytes) -> str:
    """Encode bytes as `b64_json` has them."""
    return base64.b64encode(data).decode()


def media_type(data: bytes) -> str:
    """Name the type of a picture as a careless server would: PNG unless it is known better."""
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/webp" if data[8:12] == b"WEBP" else "image/png"
