"""What becomes of ordinary and odd images; `tests/hostile` has those that mean harm."""

import hashlib
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from farebox.adapters.image_codec import PillowImageCodec
from farebox.domain.errors import InvalidImage, InvalidRequest
from farebox.services.ports.image_codec import ImageCodec, Picture
from tests.hostile.images import (
    END,
    animation,
    chunk,
    gradient,
    header,
    picture,
    png_bomb,
    scan_bomb,
)

CODEC: ImageCodec = PillowImageCodec()
SHARED = Path(__file__).parents[3] / "shared"


def opened(data: bytes) -> Image.Image:
    """Decode without the codec."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """Encode without the codec."""
    encoded = io.BytesIO()
    image.save(encoded, kind, **options)
    return encoded.getvalue()


def png_16_bit(colour: int, pixel: tuple[int, ...]) -> bytes:
    """Build a PNG of 2 x 1 equal pixels with 16 bits a channel."""
    row = b"\x00" + struct.pack(f">{len(pixel)}H", *pixel) * 2
    return header(2, 1, depth=16, colour=colour) + chunk(b"IDAT", zlib.compress(row)) + END


@pytest.mark.parametrize(("kind", "expected"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp")])
def test_the_format_is_read_from_the_bytes(kind: str, expected: str) -> None:
    read = CODEC.decode(picture(kind, (96, 64)))

    assert (read.format, read.width, read.height) == (expected, 96, 64)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_clean_image_keeps_its_format_and_size(kind: str) -> None:
    data = picture(kind, (96, 64))

    clean = CODEC.sanitise(data)

    assert CODEC.decode(clean) == CODEC.decode(data)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_keeps_every_pixel(mode: str) -> None:
    image = gradient().convert("L").convert(mode) if mode == "I;16" else gradient().convert(mode)

    clean = opened(CODEC.sanitise(saved(image, "PNG")))

    assert (clean.mode, clean.size) == (mode, (256, 256))
    assert clean.tobytes() == image.tobytes()


def test_16_bit_grey_keeps_its_depth() -> None:
    clean = opened(CODEC.sanitise(png_16_bit(0, (51_234,))))

    assert clean.getpixel((1, 0)) == 51_234


def test_16_bit_colour_comes_out_with_8_bits() -> None:
    clean = opened(CODEC.sanitise(png_16_bit(2, (0xFFFF, 0x8012, 0))))

    assert (clean.mode, clean.getpixel((1, 0))) == ("RGB", (255, 128, 0))


def test_a_16_bit_image_has_a_thumbnail_of_the_same_brightness() -> None:
    image = opened(CODEC.thumbnail(png_16_bit(0, (0x8000,)))).convert("L")

    assert image.getpixel((0, 0)) in range(126, 131)


def test_a_palette_with_transparency_stays_transparent() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 250, 0, 0])
    data = saved(image, "PNG", transparency=b"\xff\x00")

    clean, small = opened(CODEC.sanitise(data)), opened(CODEC.thumbnail(data))

    assert clean.convert("RGBA").getpixel((0, 0)) == (250, 0, 0, 0)
    assert small.convert("RGBA").getchannel("A").getextrema() == (0, 0)


def test_a_cmyk_jpeg_comes_out_in_the_colours_of_a_screen() -> None:
    data = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")

    clean, small = opened(CODEC.sanitise(data)), opened(CODEC.thumbnail(data))

    for image in (clean, small):
        red, green, blue = image.getpixel((8, 8))  # type: ignore[misc]
        assert red > 240
        assert max(green, blue) < 15


def test_a_jpeg_stays_as_good_as_it_was_to_the_eye() -> None:
    data = saved(gradient(), "JPEG", quality=90)

    before, after = opened(data), opened(CODEC.sanitise(data))

    assert max(abs(a - b) for a, b in zip(before.tobytes(), after.tobytes(), strict=True)) <= 8


def test_a_rotation_asked_for_by_exif_is_carried_out() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (0, 0, 20, 20))
    data = saved(image, "JPEG", exif=exif)

    clean = opened(CODEC.sanitise(data))

    assert CODEC.decode(data) == Picture("jpeg", 20, 40)
    assert clean.size == opened(CODEC.thumbnail(data)).size == (20, 40)
    assert clean.getpixel((10, 4))[2] > 200  # type: ignore[index]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_colour_profiles_and_resolution_are_left_out(kind: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(gradient(), kind, icc_profile=profile, dpi=(300, 300))

    clean = CODEC.sanitise(data)

    assert "icc_profile" in opened(data).info
    assert opened(clean).info.keys() & {"icc_profile", "dpi"} == set()


def test_the_second_picture_of_a_camera_s_jpeg_falls_off() -> None:
    image = gradient()
    data = saved(image, "MPO", save_all=True, append_images=[Image.new("RGB", (256, 256), "red")])

    clean = opened(CODEC.sanitise(data))

    assert (opened(data).format, clean.format) == ("MPO", "JPEG")
    assert clean.size == (256, 256)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1024, 1024), (512, 512)),
        ((1536, 1024), (512, 341)),
        ((1024, 1536), (341, 512)),
        ((100, 60), (100, 60)),
        ((5000, 1), (512, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_thumbnail_is_a_webp_that_fits_and_is_never_enlarged(
    kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    small = opened(CODEC.thumbnail(picture(kind, size)))

    assert (small.format, small.size) == ("WEBP", expected)


def test_a_thumbnail_can_be_ordered_smaller() -> None:
    assert opened(CODEC.thumbnail(picture(size=(300, 200)), longest=90)).size == (90, 60)


def test_a_thumbnail_of_a_detailed_picture_weighs_less_than_30_kb() -> None:
    grain = Image.frombytes("RGB", (64, 64), hashlib.shake_256(b"grain").digest(64 * 64 * 3))
    data = saved(
        Image.blend(grain, gradient().resize(grain.size), 0.75).resize((1024, 1024)), "PNG"
    )

    assert len(CODEC.thumbnail(data)) < 30_000


def test_25_million_pixels_are_just_allowed() -> None:
    assert CODEC.decode(picture(size=(5_000, 5_000), mode="1")) == Picture("png", 5_000, 5_000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GIF89a", "The image must be a PNG, JPEG or WebP file."),
        (
            header(5_001, 5_000) + chunk(b"IDAT", b""),
            "The image has more than 25,000,000 pixels.",
        ),
        (png_bomb(13_000), "The image has more than 25,000,000 pixels."),
        (png_bomb(20_000), "The image has more than 25,000,000 pixels."),
        (animation("PNG", 2), "The image is animated; send a single frame."),
        (scan_bomb(), "The image has more than 64 scans."),
        (picture()[:-60], "The image is damaged or incomplete."),
    ],
)
def test_a_refusal_says_what_is_wrong(data: bytes, message: str) -> None:
    with pytest.raises(InvalidImage) as refused:
        CODEC.decode(data)

    assert refused.value.message == message
    assert isinstance(refused.value, InvalidRequest)
    assert (refused.value.code, refused.value.param) == ("invalid_value", None)


def test_pillow_is_loaded_only_when_an_image_arrives() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(SHARED)!r});"
        "from farebox.adapters.image_codec import PillowImageCodec; codec = PillowImageCodec();"
        "print('PIL' in sys.modules);"
        "codec.decode(bytes.fromhex(sys.argv[1])); print('PIL' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-c", program, picture(size=(2, 2)).hex()],
        capture_output=True,
        check=True,
        text=True,
    )

    assert done.stdout.split() == ["False", "True"]
