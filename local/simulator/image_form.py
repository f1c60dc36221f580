"""Multipart bodies: the form that carries an image's bytes beside the fields.

Written out rather than taken from a library, for the simulator must show what really arrived.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BOUNDARY = re.compile(r'boundary="?([^";]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(r'[; ]name="([^"]*)"')
_FILE_NAME = re.compile(r'[; ]filename="([^"]*)"')
_NUMBERS = frozenset({"n", "output_compression", "partial_images"})
_FLAGS = {"true": True, "false": False}
_FILES = frozenset({"image", "image[]", "mask"})


@dataclass(frozen=True)
class FormFile:
    """A file of a form: the name and type that were claimed for it, and its bytes."""

    name: str
    content_type: str
    data: bytes


def read_form(content_type: str, body: bytes) -> dict[str, object] | None:
    """Read a multipart form as if it had been JSON.

    Numbers and flags, which a form has as text, get their types; `image`, `image[]` and their
    repetitions become one list under `image`, in order.

    Returns:
        The fields, or `None` when this is no multipart body.
    """
    boundary = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or boundary is None:
        return None
    document: dict[str, object] = {}
    images: list[FormFile] = []
    for part in body.split(b"--" + boundary[1].encode("latin-1"))[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name, value = _field(head.decode("utf-8", "replace"), data.removesuffix(b"\r\n"))
        if isinstance(value, FormFile) and name in ("image", "image[]"):
            images.append(value)
        else:
            document[name] = value
    return document | ({"image": images} if images else {})


def form_shown(document: Mapping[str, object]) -> dict[str, object]:
    """Return a form as a test can look at it: files by name, type and size."""
    return {name: _shown(value) for name, value in document.items()}


def _field(head: str, data: bytes) -> tuple[str, object]:
    found = _NAME.search(head)
    name = found[1] if found else ""
    file_name = _FILE_NAME.search(head)
    if file_name is not None or name in _FILES:
        kind = re.search(r"(?im)^content-type: *([^\r\n]*)", head)
        return name, FormFile(file_name[1] if file_name else "", kind[1] if kind else "", data)
    return name, _typed(name, data.decode("utf-8", "replace"))


def _typed(name: str, text: str) -> object:
    if name in _NUMBERS and text.isascii() and text.lstrip("-").isdecimal():
        return int(text)
    return _FLAGS.get(text.lower(), text) if name == "stream" else text


def _shown(value: object) -> object:
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, FormFile):
        return {
            "filename": value.name,
            "content_type": value.content_type,
            "size_bytes": len(value.data),
        }
    return value
