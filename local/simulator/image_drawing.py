"""Draw a picture for a prompt: a sky, a sun, hills, and the prompt's first words below.

Everything is drawn with a few large operations, for a picture of 1024 x 1024 must be ready well
within the time that a test wants to wait.
"""

import colorsys
import hashlib
import math

from PIL import Image, ImageDraw, ImageFont, ImageOps

from local.simulator.dice import Dice

type Size = tuple[int, int]
type Colour = tuple[int, int, int]

_HILLS = 3
_STEPS = 24
_MASK_SHRINK = 2  # masks drawn at half the size and enlarged have soft edges
_CAPTION_WORDS = 6
_CAPTION_CHARACTERS = 48
_INSETS_A_ROW = 4
_TINT = 0.35


def draw(prompt: str, size: Size, dice: Dice, *, transparent: bool = False) -> Image.Image:
    """Draw a picture of exactly this size: RGBA when transparent, otherwise RGB.

    Args:
        prompt: What the picture is of; its first words are written on it.
        size: Width and height in pixels.
        dice: What everything but the words depends on.
        transparent: Leave out the sky.
    """
    hue = dice.below(360)
    image = Image.new("RGBA", size) if transparent else _sky(size, hue, dice)
    _fill(image, _sun(size, dice), _colour(hue + 40, 80))
    for number in range(_HILLS):
        lightness = 55 - 14 * number
        _fill(image, _hill(size, number, dice), _colour(hue + 140 + 20 * number, lightness))
    _write(image, prompt)
    return image


def redraw(inputs: list[Image.Image], mask: Image.Image | None, drawn: Image.Image) -> Image.Image:
    """Change pictures into one of the size and mode of `drawn`.

    Where the mask is transparent the new picture appears and nowhere else; without a mask it
    tints the whole. Further inputs are set into what is new, four in a row.
    """
    base = ImageOps.fit(flat(inputs[0], drawn.mode), drawn.size)
    if mask is None:
        return _with_insets(Image.blend(base, drawn, _TINT), inputs[1:])
    kept = ImageOps.fit(mask.convert("RGBA").getchannel("A"), drawn.size)
    return Image.composite(base, _with_insets(drawn, inputs[1:]), kept)


def flat(image: Image.Image, mode: str) -> Image.Image:
    """Convert to RGBA, or to RGB on a white ground."""
    whole = image.convert("RGBA")
    if mode == "RGBA":
        return whole
    ground = Image.new("RGB", image.size, "white")
    ground.paste(whole, mask=whole.getchannel("A"))
    return ground


def grained(image: Image.Image, seed: bytes) -> Image.Image:
    """Cover a picture with noise that no encoder can pack."""
    width, height = image.size
    noise = hashlib.shake_256(seed).digest(width * height * 3)
    return Image.blend(flat(image, "RGB"), Image.frombytes("RGB", image.size, noise), 0.6)


def blurred(image: Image.Image, side: int) -> Image.Image:
    """Return a picture of the same size with the detail of `side` pixels."""
    small = image.copy()
    small.thumbnail((side, side))
    return small.resize(image.size, Image.Resampling.BICUBIC)


def _sky(size: Size, hue: int, dice: Dice) -> Image.Image:
    corners = Image.new("RGB", (2, 3))
    for place in range(6):
        row = place // 2
        shade = _colour(hue + dice.between(-25, 25), 45 + 17 * row)
        corners.putpixel((place % 2, row), shade)
    return corners.resize(size, Image.Resampling.BICUBIC)


def _sun(size: Size, dice: Dice) -> Image.Image:
    width, height = _small(size)
    radius = min(width, height) * dice.between(8, 16) // 100
    x, y = width * dice.between(20, 80) // 100, height * dice.between(18, 40) // 100
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=235)
    return mask


def _hill(size: Size, number: int, dice: Dice) -> Image.Image:
    width, height = _small(size)
    top = height * (52 + 13 * number) // 100
    swing, phase, waves = height * dice.between(4, 10) // 100, dice.below(628), dice.between(1, 3)
    line = [
        (width * step // _STEPS, top + round(swing * math.sin(phase / 100 + waves * step / 4)))
        for step in range(_STEPS + 1)
    ]
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).polygon([*line, (width, height), (0, height)], fill=225)
    return mask


def _fill(image: Image.Image, mask: Image.Image, colour: Colour) -> None:
    image.paste(colour, (0, 0), mask.resize(image.size))


def _write(image: Image.Image, prompt: str) -> None:
    """Write the first words at the bottom, smaller if they would not fit."""
    words = " ".join(prompt.split()[:_CAPTION_WORDS])[:_CAPTION_CHARACTERS]
    height = max(8, min(image.width // 22, 2 * image.width // (len(words) + 4)))
    place = (height, image.height - 2 * height)
    font = ImageFont.load_default(height)
    ImageDraw.Draw(image).text(place, words, fill="white", font=font)


def _with_insets(image: Image.Image, further: list[Image.Image]) -> Image.Image:
    """Set pictures into another from its top left, each a fifth of it high and wide."""
    width, height = image.width // 5, image.height // 5
    result = image.copy()
    for number, inset in enumerate(further):
        row, column = divmod(number, _INSETS_A_ROW)
        left = (column + 1) * image.width // 25 + column * width
        small = ImageOps.fit(flat(inset, image.mode), (width, height))
        result.paste(small, (left, image.height // 25 + row * (height + image.height // 50)))
    return result


def _small(size: Size) -> Size:
    return max(1, size[0] // _MASK_SHRINK), max(1, size[1] // _MASK_SHRINK)


def _colour(hue: int, lightness: int) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(hue % 360 / 360, lightness / 100, 0.55)
    return round(255 * red), round(255 * green), round(255 * blue)
