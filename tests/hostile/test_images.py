"""The hostile corpus against the codec: what is refused, what is left of the rest, at what cost."""

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from farebox.adapters.image_codec import PillowImageCodec
from farebox.domain.errors import InvalidImage
from tests.hostile.images import CLEANED, REFUSED, SCRIPT, picture

ROOT = Path(__file__).parents[2]
CODEC = PillowImageCodec()
# Prints what became of each image and by how many MB the process has grown at its largest.
PROGRAM = """
import pathlib, resource, sys
from farebox.adapters.image_codec import PillowImageCodec
from farebox.domain.errors import InvalidImage

def size_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

codec, before = PillowImageCodec(), size_mb()
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        codec.thumbnail(codec.sanitise(path.read_bytes()))
        print("cleaned")
    except InvalidImage:
        print("refused")
print(size_mb() - before)
"""


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_not_be_decoded_is_refused_at_once_by_every_method(name: str) -> None:
    data = REFUSED[name]()

    started = time.process_time()
    for method in (CODEC.decode, CODEC.sanitise, CODEC.thumbnail):
        with pytest.raises(InvalidImage):
            method(data)

    assert time.process_time() - started < 1


@pytest.mark.parametrize("name", CLEANED)
def test_what_is_an_image_and_more_loses_the_rest(name: str) -> None:
    data = CLEANED[name]()
    assert CODEC.decode(data).width in {96, 256}

    for clean in (CODEC.sanitise(data), CODEC.thumbnail(data)):
        assert SCRIPT not in clean
        assert b"payload.js" not in clean
        assert b"PK\x03\x04" not in clean
        with Image.open(io.BytesIO(clean)) as image:
            assert set(image.info) <= {
                "jfif",
                "jfif_version",
                "jfif_unit",
                "jfif_density",
                "background",
                "loop",
                "timestamp",
                "duration",
            }
            assert dict(image.getexif()) == {}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_image_cut_short_is_refused_wherever_it_was_cut(kind: str) -> None:
    whole = picture(kind)
    # The last bytes of a PNG are checksums and the word that it ends.
    ends = range(0, len(whole) - 24, max(1, len(whole) // 150))

    for end in ends:
        with pytest.raises(InvalidImage):
            CODEC.decode(whole[:end])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_image_with_any_byte_changed_is_refused_or_stays_an_image(kind: str) -> None:
    whole = picture(kind)
    answers = set()

    for place in range(0, len(whole), max(1, len(whole) // 150)):
        spoilt = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        try:
            CODEC.thumbnail(CODEC.sanitise(spoilt))
            answers.add("cleaned")
        except InvalidImage:
            answers.add("refused")

    assert "refused" in answers


def test_the_whole_corpus_takes_little_memory_in_a_process_without_a_test_runner(
    tmp_path: Path,
) -> None:
    """Here Pillow's warnings are errors only because the codec makes them so."""
    for number, build in enumerate((REFUSED | CLEANED).values()):
        (tmp_path / f"{number:02}").write_bytes(build())

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path],
        capture_output=True,
        check=True,
        text=True,
        env={"PYTHONPATH": f"{ROOT}/shared"},
    )

    *outcomes, grown = done.stdout.split()
    assert outcomes == ["refused"] * len(REFUSED) + ["cleaned"] * len(CLEANED)
    assert int(grown) < 100
    assert done.stderr == ""
