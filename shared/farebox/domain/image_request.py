"""An image request as it was asked, checked against the operation and the model it names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from farebox.domain.catalogue import Model
from farebox.domain.errors import InvalidValue, MissingField, UnsupportedParameter
from farebox.domain.image_fields import FIELDS, Operation, Visibility, check_fields
from farebox.domain.image_prices import AUTO, FIDELITY_LOW, ByTokens
from farebox.domain.image_sources import MASK_FIELD, ImageSource, read_source, read_sources
from farebox.domain.image_terms import ImageTerms, Protocol

DEFAULT_MODEL: Final = "gpt-image-1"
VARIATION_MODEL: Final = "dall-e-2"
"""The default for variations; the only one on sale that makes any."""

_COMPRESSIBLE: Final = ("jpeg", "webp")
_OPTIONAL: Final = tuple(field for field in FIELDS if field.optional)


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """What a caller asks for; `size` and `quality` are the model's, in its own words."""

    operation: Operation
    model: Model
    terms: ImageTerms
    prompt: str
    """Empty for a variation."""
    images: int
    size: str
    """`auto` if the provider is to pick."""
    quality: str
    """`auto` if the provider is to pick."""
    response_format: str
    """What the caller is sent: `url` or `b64_json`."""
    stream: bool
    partial_images: int
    """Of each image; 0 outside a stream."""
    visibility: Visibility
    sources: tuple[ImageSource, ...]
    mask: ImageSource | None
    options: Mapping[str, object]
    """Fields that the provider is sent as they came."""

    @property
    def fidelity(self) -> str:
        """How closely input images are kept to, which has a price."""
        return str(self.options.get("input_fidelity", FIDELITY_LOW))

    @property
    def output_format(self) -> str:
        """The format that was asked for; what comes is decided from its bytes."""
        return str(self.options.get("output_format", "png"))

    @property
    def input_images(self) -> int:
        """Images the provider is shown, the mask among them."""
        return len(self.sources) + (self.mask is not None)


def model_name(body: object, operation: Operation) -> str:
    """Read which model is asked, by id or alias, before anything else is looked at.

    Raises:
        InvalidValue: The body is no object, or its model no text.
    """
    if not isinstance(body, dict):
        raise InvalidValue("The body must be a JSON object.")
    name = body.get("model")
    if name is None or name == AUTO:
        return VARIATION_MODEL if operation is Operation.VARIATION else DEFAULT_MODEL
    if not isinstance(name, str):
        raise InvalidValue("'model' must be a string.", "model")
    return name


def parse_image_request(body: object, *, operation: Operation, model: Model) -> ImageRequest:
    """Check a decoded body, or a form's fields after `coerce_form`.

    Args:
        body: The fields.
        operation: The route's.
        model: The one `model_name` names.

    Raises:
        InvalidRequest: One of its kinds, naming the field; in the order: the body itself,
            credentials in it, each field's own rule, the model and the operation, the prompt,
            input images, and what the model takes.
    """
    if not isinstance(body, dict):
        raise InvalidValue("The body must be a JSON object.")
    fields = check_fields(body, operation)
    terms = _terms(model, operation)
    prompt = _prompt(fields, operation, terms)
    sources, mask = _sources(fields, operation, model, terms), fields.get(MASK_FIELD)
    options = _options(fields, model, terms)
    stream = _streams(fields, model)
    return ImageRequest(
        operation=operation,
        model=model,
        terms=terms,
        prompt=prompt,
        images=_images(fields, model, terms),
        size=_size(fields, terms),
        quality=_quality(fields, terms),
        response_format=_response_format(fields, terms),
        stream=stream,
        partial_images=_count(fields, "partial_images", 0) if stream else 0,
        visibility=_visibility(fields),
        sources=sources,
        mask=None if mask is None else read_source(mask),
        options=options,
    )


def _terms(model: Model, operation: Operation) -> ImageTerms:
    if model.image is None:
        raise InvalidValue(f"The model '{model.id}' is not an image model.", "model")
    if operation is not Operation.GENERATION and operation.value not in model.capabilities:
        raise InvalidValue(
            f"The model '{model.id}' does not support image {operation.value}.", "model"
        )
    return model.image


def _prompt(fields: Mapping[str, object], operation: Operation, terms: ImageTerms) -> str:
    if operation is Operation.VARIATION:
        return ""
    prompt = str(fields.get("prompt", ""))
    if "prompt" not in fields:
        raise MissingField("Missing required parameter: 'prompt'.", "prompt")
    if not prompt.strip():
        raise InvalidValue("Invalid 'prompt': it must not be empty.", "prompt")
    if len(prompt) > terms.prompt_chars_max:
        raise InvalidValue(
            "Invalid 'prompt': string too long. Expected a string with maximum length "
            f"{terms.prompt_chars_max}, but got a string with length {len(prompt)} instead.",
            "prompt",
        )
    return prompt


def _sources(
    fields: Mapping[str, object], operation: Operation, model: Model, terms: ImageTerms
) -> tuple[ImageSource, ...]:
    if operation is Operation.GENERATION:
        return ()
    sources = read_sources(fields)
    if not sources:
        raise MissingField("Missing required parameter: 'image'.", "image")
    most = 1 if operation is Operation.VARIATION else terms.input_images_max
    if len(sources) > most:
        raise InvalidValue(
            f"Invalid 'image': the model '{model.id}' takes at most {most} input images, "
            f"but got {len(sources)}.",
            "image",
        )
    if MASK_FIELD in fields and terms.protocol is Protocol.CHAT:
        raise _not_taken(MASK_FIELD, model)
    return sources


def _options(fields: Mapping[str, object], model: Model, terms: ImageTerms) -> dict[str, object]:
    """Gather what the provider is sent as it came, of what this model takes."""
    options: dict[str, object] = {}
    for field in _OPTIONAL:
        value = fields.get(field.name)
        taken = terms.options.get(field.name, ())
        if value is None or (not taken and value in field.harmless):
            continue
        if not taken:
            raise _not_taken(field.name, model)
        if value not in taken:
            raise _not_among(field.name, value, taken)
        options[field.name] = value
    if options.get("background") == "transparent" and options.get("output_format") == "jpeg":
        raise InvalidValue(
            "A transparent background needs 'output_format' png or webp.", "background"
        )
    return options | _compression(fields, options, model, terms)


def _compression(
    fields: Mapping[str, object],
    options: Mapping[str, object],
    model: Model,
    terms: ImageTerms,
) -> dict[str, object]:
    compression = fields.get("output_compression")
    if options.get("output_format") in _COMPRESSIBLE:
        return {} if compression is None else {"output_compression": compression}
    if compression in (None, 100):
        return {}
    if "output_format" not in terms.options:
        raise _not_taken("output_compression", model)
    raise InvalidValue(
        "'output_compression' below 100 needs 'output_format' jpeg or webp.", "output_compression"
    )


def _streams(fields: Mapping[str, object], model: Model) -> bool:
    for name in ("stream", "partial_images"):
        if fields.get(name) and "streaming" not in model.capabilities:
            raise _not_taken(name, model)
    return fields.get("stream") is True


def _images(fields: Mapping[str, object], model: Model, terms: ImageTerms) -> int:
    images = _count(fields, "n", 1)
    if images > terms.images_max:
        raise InvalidValue(
            f"Invalid 'n': the model '{model.id}' makes at most {terms.images_max} "
            f"image{'s' if terms.images_max > 1 else ''} a request, but got {images}.",
            "n",
        )
    return images


def _size(fields: Mapping[str, object], terms: ImageTerms) -> str:
    size = str(fields.get("size", AUTO))
    if size == AUTO:
        return terms.default_size
    if size not in terms.sizes:
        raise _not_among("size", size, (*terms.sizes, AUTO))
    return size


def _quality(fields: Mapping[str, object], terms: ImageTerms) -> str:
    asked = str(fields.get("quality", AUTO))
    quality = terms.quality_names.get(asked, asked)
    if quality == AUTO:
        return terms.default_quality
    if quality not in terms.qualities:
        raise _not_among("quality", asked, (*terms.qualities, AUTO))
    return quality


def _response_format(fields: Mapping[str, object], terms: ImageTerms) -> str:
    """Base64 unless said otherwise for what answers nothing else; a url for all others."""
    on_its_own = isinstance(terms.billing, ByTokens) and terms.protocol is Protocol.IMAGES
    return str(fields.get("response_format", "b64_json" if on_its_own else "url"))


def _visibility(fields: Mapping[str, object]) -> Visibility:
    is_public = fields.get("is_public")
    told = Visibility.PUBLIC if is_public is True else Visibility.PRIVATE
    visibility = Visibility(str(fields.get("visibility", told)))
    if is_public is not None and visibility is not told:
        raise InvalidValue("'is_public' contradicts 'visibility'.", "is_public")
    return visibility


def _count(fields: Mapping[str, object], name: str, default: int) -> int:
    value = fields.get(name, default)
    return value if isinstance(value, int) else default


def _not_taken(name: str, model: Model) -> UnsupportedParameter:
    return UnsupportedParameter(f"The model '{model.id}' does not support '{name}'.", name)


def _not_among(name: str, value: object, supported: Iterable[str]) -> InvalidValue:
    *most, last = [f"'{each}'" for each in supported]
    listed = f"{', '.join(most)} and {last}" if most else last
    return InvalidValue(f"Invalid value: '{value}'. Supported values are: {listed}.", name)
