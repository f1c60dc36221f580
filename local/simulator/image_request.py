"""The bodies of the three image routes, typed; `image_rules` says what a model takes of them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from local.simulator.chat_request import Wire
from local.simulator.image_form import FormFile

type Quality = Literal["low", "medium", "high", "auto", "standard", "hd"]
type OutputFormat = Literal["png", "jpeg", "webp"]


class ImageReference(Wire):
    """An image named in JSON: a data URL, another URL, or a file's id."""

    image_url: str | None = None
    file_id: str | None = None


class _ImageRequest(Wire):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    model: str = "gpt-image-1"
    n: int | None = None
    size: str | None = None
    response_format: Literal["url", "b64_json"] | None = None
    user: str | None = None


class GenerationRequest(_ImageRequest):
    """A request for pictures; `None` means the field was absent or null."""

    prompt: str
    quality: Quality | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    output_format: OutputFormat | None = None
    output_compression: Annotated[int, Field(ge=0, le=100)] | None = None
    moderation: Literal["low", "auto"] | None = None
    style: Literal["vivid", "natural"] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, Field(ge=0, le=3)] | None = None
    safety_identifier: str | None = None


class EditRequest(GenerationRequest):
    """A request to change or combine pictures, which came as files or as references."""

    image: Annotated[list[FormFile], Field(max_length=16)] | None = None
    images: Annotated[list[ImageReference], Field(max_length=16)] | None = None
    mask: FormFile | ImageReference | None = None
    input_fidelity: Literal["high", "low"] | None = None


class VariationRequest(_ImageRequest):
    """A request for pictures like a given one."""

    model: str = "dall-e-2"
    image: Annotated[list[FormFile], Field(max_length=1)]
    prompt: str = ""
