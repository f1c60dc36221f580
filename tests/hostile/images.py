"""Images that were made to do harm, and odd ones that do none; built here, so that none is stored.

`REFUSED` holds what no decoder may be let near, `CLEANED` what is an image and something besides.
Both are used against the codec and, from outside, against the routes that take images.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Final

from PIL import Image

type Builder = Callable[[], bytes]

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
SCRIPT: Final = b"<script>alert(document.domain)</script>"
END: Final = b"\x00\x00\x00\x00IEND\xae\x42\x60\x82"


def chunk(kind: bytes, data: bytes) -> bytes:
    """Build one PNG chunk."""
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """Build a PNG's signature and header; colour 0 is grey, 2 RGB, 3 a palette."""
    return SIGNATURE + chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    )


def picture(kind: str = "PNG", size: tuple[int, int] = (96, 64), mode: str = "RGB") -> bytes:
    """Encode a small gradient."""
    encoded = io.BytesIO()
    gradient().resize(size).convert(mode).save(encoded, kind)
    return encoded.getvalue()


def gradient() -> Image.Image:
    """Draw 256 x 256 pixels, no two alike."""
    across = Image.linear_gradient("L")
    return Image.merge("RGB", (across, across.rotate(90), Image.radial_gradient("L")))


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """Build a PNG with a further chunk behind its header."""
    plain = picture()
    return plain[:33] + chunk(kind, data) + plain[33:]


def with_segment(marker: int, data: bytes, times: int = 1) -> bytes:
    """Build a JPEG with further segments in front of the others."""
    plain = picture("JPEG")
    segment = struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data
    return plain[:2] + segment * times + plain[2:]


def png_bomb(side: int) -> bytes:
    """Build a black and white PNG of which a thousandth needs to be sent."""
    packer = zlib.compressobj(9)
    row = b"\x00" * (1 + (side + 7) // 8)
    packed = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    return header(side, side, depth=1, colour=0) + chunk(b"IDAT", packed) + END


def jpeg_bomb() -> bytes:
    """Build a JPEG whose frame header claims 65,500 x 65,500 pixels."""
    plain = picture("JPEG")
    frame = plain.index(b"\xff\xc0")
    return plain[: frame + 5] + struct.pack(">HH", 65_500, 65_500) + plain[frame + 9 :]


def webp_bomb() -> bytes:
    """Build a lossless WebP whose header claims 16,384 x 16,384 pixels."""
    encoded = io.BytesIO()
    Image.new("RGB", (64, 64)).save(encoded, "WEBP", lossless=True)
    plain = bytearray(encoded.getvalue())
    (bits,) = struct.unpack_from("<I", plain, 21)
    struct.pack_into("<I", plain, 21, bits | (1 << 28) - 1)
    return bytes(plain)


def scan_bomb(scans: int = 2_000, between: bytes = b"") -> bytes:
    """Build a progressive JPEG that repeats its last scan, each time over every pixel."""
    encoded = io.BytesIO()
    Image.new("L", (4_000, 4_000), 128).save(encoded, "JPEG", progressive=True)
    plain = encoded.getvalue()
    last = plain.rindex(b"\xff\xda")
    return plain[:last] + (plain[last:-2] + between) * scans + plain[-2:]


def animation(kind: str, frames: int) -> bytes:
    """Encode an animation of so many frames."""
    shown = [Image.new("RGB", (8, 8), (number % 256, 0, 0)) for number in range(frames)]
    encoded = io.BytesIO()
    shown[0].save(encoded, kind, save_all=True, append_images=shown[1:], duration=20)
    return encoded.getvalue()


def archive() -> bytes:
    """Build a ZIP, which is read from its end and so can lie behind anything."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr("payload.js", SCRIPT)
    return packed.getvalue()


def located() -> bytes:
    """Build a JPEG that says where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0)})
    encoded = io.BytesIO()
    gradient().save(encoded, "JPEG", exif=exif, comment=SCRIPT)
    return encoded.getvalue()


def circular_exif() -> bytes:
    """Build a JPEG whose EXIF directory points to itself, as next one and as its own part."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    directory = struct.pack("<H", 1) + entry + struct.pack("<I", 8)
    return with_segment(0xE1, b"Exif\x00\x00II*\x00" + struct.pack("<I", 8) + directory)


def unpacking(kind: bytes, prefix: bytes) -> bytes:
    """Build a PNG with a chunk of metadata that unpacks to 100 MB."""
    return with_chunk(kind, prefix + zlib.compress(bytes(100_000_000), 1))


def crowded() -> bytes:
    """Build a PNG with 50,000 empty chunks in front of its picture."""
    plain = picture()
    return plain[:33] + chunk(b"xxXx", b"") * 50_000 + plain[33:]


def nested_riff() -> bytes:
    """Build a WebP that holds itself, again and again, where its picture should be."""
    inner = b""
    for _ in range(1_000):
        inner = b"RIFF" + struct.pack("<I", len(inner) + 4) + b"WEBP" + inner
    return inner


REFUSED: Final[dict[str, Builder]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\x89",
    "zeros": lambda: bytes(100_000),
    "only a PNG signature": lambda: SIGNATURE,
    "only a JPEG start": lambda: b"\xff\xd8\xff\xe0",
    "only a WebP header": lambda: b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "text": lambda: b"a picture of a cat",
    "HTML": lambda: b"<!doctype html>" + SCRIPT,
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
    "SVG with an XML head": lambda: (
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'
    ),
    "SVG that unfolds": lambda: (
        b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;">]><svg>&b;</svg>'
    ),
    "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n",
    "PDF": lambda: b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript>>>>endobj\n",
    "GIF": lambda: picture("GIF"),
    "BMP": lambda: picture("BMP"),
    "TIFF": lambda: picture("TIFF"),
    "ICO": lambda: picture("ICO"),
    "ZIP in front": lambda: archive() + picture(),
    "script in front": lambda: SCRIPT + picture(),
    "PNG of 13,000 x 13,000": lambda: png_bomb(13_000),
    "PNG of 20,000 x 20,000": lambda: png_bomb(20_000),
    "PNG of a size nobody sends": lambda: header(2**31 - 1, 2**31 - 1) + chunk(b"IDAT", b"x") + END,
    "PNG of no size": lambda: header(0, 0) + chunk(b"IDAT", zlib.compress(b"")) + END,
    "PNG just above the limit": lambda: picture(size=(5_000, 5_001), mode="1"),
    "PNG without pixels": lambda: header(8, 8) + END,
    "PNG with a wrong checksum": lambda: picture().replace(b"IDAT", b"IDAU"),
    "JPEG of 65,500 x 65,500": jpeg_bomb,
    "JPEG of 2,000 scans": scan_bomb,
    "JPEG of 2,000 scans behind markers without a length": lambda: scan_bomb(between=b"\xff\x01"),
    "WebP of 16,384 x 16,384": webp_bomb,
    "WebP in WebP": nested_riff,
    "animated PNG": lambda: animation("PNG", 300),
    "animated WebP": lambda: animation("WEBP", 300),
    "PNG with four billion frames": lambda: with_chunk(b"acTL", b"\xff" * 8),
    "PNG with text that unpacks to 100 MB": lambda: unpacking(b"zTXt", b"k\x00\x00"),
    "PNG with a profile that unpacks to 100 MB": lambda: unpacking(b"iCCP", b"k\x00\x00"),
}

CLEANED: Final[dict[str, Builder]] = {
    "PNG and ZIP": lambda: picture() + archive(),
    "PNG and script": lambda: picture() + SCRIPT,
    "PNG with script in a comment": lambda: with_chunk(b"tEXt", b"Comment\x00" + SCRIPT),
    "PNG with script in a private chunk": lambda: with_chunk(b"evIl", SCRIPT),
    "PNG with script behind its pixels": lambda: picture()[:-12] + chunk(b"IDAT", SCRIPT) + END,
    "PNG with 50,000 chunks": crowded,
    "JPEG and ZIP": lambda: picture("JPEG") + archive(),
    "JPEG with script in a comment": lambda: with_segment(0xFE, SCRIPT),
    "JPEG that is a script": lambda: with_segment(0xE0, b"/*" + bytes(12_000) + b"*/=1;" + SCRIPT),
    "JPEG with a place": located,
    "JPEG with 13 MB of metadata": lambda: with_segment(0xE2, SCRIPT * 1_600, times=200),
    "JPEG with EXIF in a circle": circular_exif,
    "WebP and ZIP": lambda: picture("WEBP") + archive(),
    "WebP and script": lambda: picture("WEBP") + SCRIPT,
}
