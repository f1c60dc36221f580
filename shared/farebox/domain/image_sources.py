"""The images a request shows: the ways one can be handed in, told apart before any is opened.

Clients disagree on the field: one file comes as `image`, several as `image[]`, a repeated `image`
or, in JSON, `image` or `images` as a list. All of them are read, in that order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from farebox.domain.errors import InvalidValue

SOURCE_FIELDS: Final = ("image", "image[]", "images")
MASK_FIELD: Final = "mask"

_LINKS: Final = ("https://", "http://")
_REFERENCES: Final = ("image_url", "file_id")


@dataclass(frozen=True, slots=True)
class InlineImage:
    """Base64, or a data URL."""

    text: str


@dataclass(frozen=True, slots=True)
class LinkedImage:
    """The address of an image; whether it may be read is not decided here."""

    url: str


@dataclass(frozen=True, slots=True)
class UploadedImage:
    """An upload of the caller's."""

    file_id: str


type ImageSource = bytes | InlineImage | LinkedImage | UploadedImage
"""Where an input image comes from; `bytes` are a part of a form."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The check of a field that hands one image in."""

    def fault(self, value: object) -> str | None:
        """Find what is no image, or an empty one."""
        if isinstance(value, (str, bytes)):
            return None if value else "must not be empty"
        reference = _reference(value)
        if reference is None:
            return "must be a file, a base64 text, a URL, or an object with image_url or file_id"
        return None if reference[1] else f"has an empty {reference[0]}"

    def schema(self) -> dict[str, object]:
        """Describe it."""
        by_name = [
            {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}
            for name in _REFERENCES
        ]
        return {"anyOf": [{"type": "string", "description": "A file, base64 or a URL."}, *by_name]}


def read_sources(fields: Mapping[str, object]) -> tuple[ImageSource, ...]:
    """Read the input images of a request whose fields have been checked."""
    found: list[object] = []
    for name in SOURCE_FIELDS:
        value = fields.get(name)
        found += value if isinstance(value, list) else [] if value is None else [value]
    return tuple(read_source(value) for value in found)


def read_source(value: object) -> ImageSource:
    """Read one image.

    Raises:
        InvalidValue: It is none.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return _from_text(value)
    reference = _reference(value)
    if reference is None:
        raise InvalidValue("An input image is none.", "image")
    name, text = reference
    return UploadedImage(text) if name == "file_id" else _from_text(text)


def _from_text(text: str) -> InlineImage | LinkedImage:
    return LinkedImage(text) if text.startswith(_LINKS) else InlineImage(text)


def _reference(value: object) -> tuple[str, str] | None:
    """Find the one name an object refers to its image by; `{"image_url": {"url": …}}` too."""
    if not isinstance(value, dict):
        return None
    named = [name for name in _REFERENCES if value.get(name) is not None]
    if len(named) != 1:
        return None
    inner = value[named[0]]
    text = inner.get("url") if isinstance(inner, dict) else inner
    return (named[0], text) if isinstance(text, str) else None
