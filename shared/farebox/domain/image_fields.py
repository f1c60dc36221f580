"""The fields of an image request: what each may be, for which operation, and what becomes of it.

An allow-list, as for chats: a field we do not know could change the price or reach the account we
share at the provider. What only some models take is not here but in the catalogue.

Fields and ranges: https://platform.openai.com/docs/api-reference/images (read 2026-11).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from farebox.domain.chat_fields import CREDENTIAL_FIELDS, Handling
from farebox.domain.errors import InvalidValue, UnsupportedParameter
from farebox.domain.field_checks import Check, Either, Flag, Integer, ListOf, OneOf, Text
from farebox.domain.image_sources import Picture

PROMPT_CHARS_MAX: Final = 32_000
IMAGES_MAX: Final = 10
INPUT_IMAGES_MAX: Final = 16
PARTIAL_IMAGES_MAX: Final = 3


class Operation(StrEnum):
    """What is done; each has a route, and a provider's path."""

    GENERATION = "generations"
    EDIT = "edits"
    VARIATION = "variations"

    @property
    def path(self) -> str:
        """The path under a provider's base URL."""
        return f"/images/{self.value}"

    @property
    def event_prefix(self) -> str:
        """The start of the names of its events in a stream."""
        return "image_edit" if self is Operation.EDIT else "image_generation"


class Visibility(StrEnum):
    """Who may see an image once it is stored."""

    PRIVATE = "private"
    UNLISTED = "unlisted"
    PUBLIC = "public"


_ALL: Final = frozenset(Operation)
_PROMPTED: Final = frozenset({Operation.GENERATION, Operation.EDIT})
_SHOWING: Final = frozenset({Operation.EDIT, Operation.VARIATION})
_GENERATION: Final = frozenset({Operation.GENERATION})
_EDIT: Final = frozenset({Operation.EDIT})


@dataclass(frozen=True, slots=True)
class ImageField:
    """One field: its rule, where it is taken, its handling, and what `/docs` says of it."""

    name: str
    check: Check
    handling: Handling = Handling.OURS
    note: str = ""
    operations: frozenset[Operation] = _ALL
    harmless: tuple[object, ...] = ()
    """Values that ask for nothing, and are left out by what does not take the field."""
    optional: bool = False
    """Whether a model takes it only if the catalogue says so."""


_ONE_OR_MORE: Final = Either((Picture(), ListOf(Picture(), INPUT_IMAGES_MAX, 1)))

FIELDS: Final = (
    ImageField("prompt", Text(PROMPT_CHARS_MAX), note="What to draw.", operations=_PROMPTED),
    ImageField("image", _ONE_OR_MORE, note="What to change.", operations=_SHOWING),
    ImageField("image[]", _ONE_OR_MORE, note="As `image`, in forms.", operations=_SHOWING),
    ImageField(
        "images", ListOf(Picture(), INPUT_IMAGES_MAX, 1), note="As `image`.", operations=_SHOWING
    ),
    ImageField("mask", Picture(), note="Where to change the first image.", operations=_EDIT),
    ImageField("model", Text(200), note="A model's id or alias."),
    ImageField("n", Integer(1, IMAGES_MAX), note="How many images."),
    ImageField("size", Text(32), note="WIDTHxHEIGHT, one of the model's, or `auto`."),
    ImageField("quality", Text(32), note="One of the model's, or `auto`."),
    ImageField(
        "response_format",
        OneOf(("url", "b64_json")),
        note="For every model; without it gpt-image-* answers b64_json, the others a url.",
    ),
    ImageField(
        "stream",
        Flag(),
        note="Send events as images are made.",
        operations=_PROMPTED,
        harmless=(False,),
    ),
    ImageField(
        "partial_images",
        Integer(0, PARTIAL_IMAGES_MAX),
        note="Images on the way to each, in a stream; without one it asks for nothing.",
        operations=_PROMPTED,
        harmless=(0,),
    ),
    ImageField("visibility", OneOf(tuple(Visibility)), note="private unless said otherwise."),
    ImageField("is_public", Flag(), note="`visibility` public or private."),
    ImageField(
        "style",
        OneOf(("vivid", "natural")),
        Handling.FORWARD,
        operations=_GENERATION,
        optional=True,
    ),
    ImageField(
        "background",
        OneOf(("auto", "transparent", "opaque")),
        Handling.FORWARD,
        "`transparent` needs png or webp.",
        _PROMPTED,
        ("auto",),
        optional=True,
    ),
    ImageField(
        "moderation",
        OneOf(("auto", "low")),
        Handling.FORWARD,
        operations=_GENERATION,
        harmless=("auto",),
        optional=True,
    ),
    ImageField(
        "output_format",
        OneOf(("png", "jpeg", "webp")),
        Handling.FORWARD,
        operations=_PROMPTED,
        harmless=("png",),
        optional=True,
    ),
    ImageField(
        "output_compression",
        Integer(0, 100),
        note="For jpeg and webp only.",
        operations=_PROMPTED,
        harmless=(100,),
    ),
    ImageField(
        "input_fidelity",
        OneOf(("low", "high")),
        Handling.FORWARD,
        operations=_EDIT,
        harmless=("low",),
        optional=True,
    ),
    ImageField("user", Text(512), Handling.DROP, "Names one of your users; stays here."),
    ImageField("safety_identifier", Text(512), Handling.DROP, "Stays here."),
)

FIELDS_BY_NAME: Final = {field.name: field for field in FIELDS}

_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


def coerce_form(fields: Mapping[str, object]) -> dict[str, object]:
    """Turn the texts of a form into the numbers and flags they stand for.

    What does not stand for one is left as it came, for the field's own rule to refuse.
    """
    return {name: _coerced(FIELDS_BY_NAME.get(name), value) for name, value in fields.items()}


def check_fields(fields: Mapping[str, object], operation: Operation) -> dict[str, object]:
    """Check each field by its own rule; leave out what asks for nothing here.

    Raises:
        UnsupportedParameter: A credential, an unknown field, or one that belongs to another
            operation.
        InvalidValue: A value its field cannot have.
    """
    if credential := next((name for name in fields if name in CREDENTIAL_FIELDS), None):
        raise UnsupportedParameter(
            f"'{credential}' is never taken from a request. Store your own provider keys instead.",
            credential,
        )
    kept: dict[str, object] = {}
    for name, value in fields.items():
        if value is None:
            continue
        if _is_taken(name, value, operation):
            kept[name] = value
    return kept


def _is_taken(name: str, value: object, operation: Operation) -> bool:
    field = FIELDS_BY_NAME.get(name)
    if field is None:
        raise UnsupportedParameter(f"Unsupported parameter: '{name}'.", name)
    if fault := field.check.fault(value):
        raise InvalidValue(f"'{name}' {fault}.", name)
    if operation in field.operations:
        return True
    if value in field.harmless:
        return False
    raise UnsupportedParameter(
        f"Unsupported parameter: '{name}' is not taken by image {operation.value}.", name
    )


def _coerced(field: ImageField | None, value: object) -> object:
    if field is None or not isinstance(value, str):
        return value
    if isinstance(field.check, Flag):
        return _FLAGS.get(value.strip().lower(), value)
    if isinstance(field.check, Integer):
        return _whole(value)
    return value


def _whole(text: str) -> object:
    digits = text.strip()
    short = len(digits) <= 9  # noqa: PLR2004 - no field is longer, and a long one takes a while
    return int(digits) if short and digits.isascii() and digits.isdigit() else text
