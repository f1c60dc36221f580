"""What an image request comes to: which pictures, of what size, in which form, at what usage."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from PIL import Image

from local.simulator.dice import Dice
from local.simulator.image_drawing import Size, draw, redraw
from local.simulator.image_request import EditRequest, OutputFormat, VariationRequest
from local.simulator.image_rules import MOST_IMAGES, AnyImageRequest, Family, family_of, size_of
from local.simulator.image_usage import (
    PARTIAL_TOKENS,
    image_usage,
    input_image_tokens,
    output_tokens,
)
from local.simulator.usage import Usage

_SEED_SIZE = (16, 16)


@dataclass(frozen=True)
class ImageJob:
    """Pictures to be made, each when it is asked for; equal requests make equal pictures.

    Args:
        request: The validated request.
        inputs: The pictures it brought along, none for a new one.
        mask: Where the first of them may be changed, `None` for everywhere.
    """

    request: AnyImageRequest
    inputs: tuple[Image.Image, ...] = ()
    mask: Image.Image | None = None

    @cached_property
    def family(self) -> Family:
        """Return what is common to models of this kind."""
        return family_of(self.request.model)

    @property
    def count(self) -> int:
        """Return how many pictures there will be."""
        return min(max(self.request.n or 1, 1), MOST_IMAGES)

    @cached_property
    def size(self) -> Size:
        """Return the size in pixels; auto is square, or the shape of what is edited."""
        wanted = size_of(self.request)
        if wanted is not None:
            return wanted
        width, height = self.inputs[0].size if self.inputs else (1, 1)
        return (1024, 1024) if width == height else (1536, 1024) if width > height else (1024, 1536)

    @property
    def quality(self) -> str:
        """Return the quality that auto comes to."""
        wanted = getattr(self.request, "quality", None)
        return self.family.qualities[0] if wanted in (None, "auto") else str(wanted)

    @property
    def background(self) -> Literal["transparent", "opaque"]:
        """Return the background that auto comes to."""
        wanted = getattr(self.request, "background", None)
        return "transparent" if wanted == "transparent" else "opaque"

    @property
    def output_format(self) -> OutputFormat:
        """Return the format; DALL·E knows PNG only."""
        if isinstance(self.request, VariationRequest):
            return "png"
        return self.request.output_format or "png"

    @property
    def partials(self) -> int:
        """Return how many previews a stream shows of each picture."""
        return getattr(self.request, "partial_images", None) or 0

    def paint(self, index: int) -> Image.Image:
        """Make the picture with this index, from 0."""
        dice = Dice(self._seed).fork(index)
        see_through = self.background == "transparent"
        drawn = draw(self.request.prompt, self.size, dice, transparent=see_through)
        return redraw(list(self.inputs), self.mask, drawn) if self.inputs else drawn

    def usage(self, pictures: int, *, with_input: bool = True) -> Usage:
        """Count the tokens of so many pictures with their previews, and of what was sent."""
        faithful = isinstance(self.request, EditRequest) and self.request.input_fidelity == "high"
        each = output_tokens(self.size, self.quality) + PARTIAL_TOKENS * self.partials
        sent = sum(input_image_tokens(image.size, faithful=faithful) for image in self.inputs)
        if with_input:
            return image_usage(self.request.prompt, sent, pictures * each)
        return image_usage(None, 0, pictures * each)

    @cached_property
    def _seed(self) -> bytes:
        said = (self.request.model, self.request.prompt, self.size, self.quality)
        seen = (image.convert("RGBA").resize(_SEED_SIZE).tobytes() for image in self.inputs)
        return b"".join((repr(said).encode(), *seen))
