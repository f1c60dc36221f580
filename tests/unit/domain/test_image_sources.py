import pytest

from farebox.domain.errors import InvalidValue
from farebox.domain.image_sources import (
    ImageSource,
    InlineImage,
    LinkedImage,
    Picture,
    UploadedImage,
    read_source,
    read_sources,
)


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (b"\x89PNG", b"\x89PNG"),
        ("aGk=", InlineImage("aGk=")),
        ("data:image/png;base64,aGk=", InlineImage("data:image/png;base64,aGk=")),
        ("https://x.test/a.png", LinkedImage("https://x.test/a.png")),
        ("http://x.test/a.png", LinkedImage("http://x.test/a.png")),
        ({"image_url": "https://x.test/a.png"}, LinkedImage("https://x.test/a.png")),
        ({"image_url": {"url": "https://x.test/a.png"}}, LinkedImage("https://x.test/a.png")),
        ({"image_url": "data:image/png;base64,aGk="}, InlineImage("data:image/png;base64,aGk=")),
        ({"file_id": "file_1"}, UploadedImage("file_1")),
        ({"file_id": "file_1", "image_url": None}, UploadedImage("file_1")),
    ],
)
def test_each_way_to_hand_an_image_in_is_told_apart(value: object, source: ImageSource) -> None:
    assert Picture().fault(value) is None
    assert read_source(value) == source


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "must not be empty"),
        (b"", "must not be empty"),
        (5, "must be a file, a base64 text, a URL, or an object with image_url or file_id"),
        ({}, "must be a file, a base64 text, a URL, or an object with image_url or file_id"),
        (
            {"file_id": "f", "image_url": "u"},
            "must be a file, a base64 text, a URL, or an object with image_url or file_id",
        ),
        (
            {"image_url": {}},
            "must be a file, a base64 text, a URL, or an object with image_url or file_id",
        ),
        ({"file_id": ""}, "has an empty file_id"),
    ],
)
def test_what_is_no_image_is_told(value: object, fault: str) -> None:
    assert Picture().fault(value) == fault


def test_reading_what_is_no_image_is_refused() -> None:
    with pytest.raises(InvalidValue) as refusal:
        read_source({"image": "aGk="})

    assert refusal.value.param == "image"


@pytest.mark.parametrize(
    ("fields", "sources"),
    [
        ({}, ()),
        ({"image": b"a"}, (b"a",)),
        ({"image": [b"a", b"b"]}, (b"a", b"b")),
        ({"image[]": [b"a", b"b"]}, (b"a", b"b")),
        ({"image[]": b"a"}, (b"a",)),
        ({"images": [{"file_id": "f"}]}, (UploadedImage("f"),)),
        ({"images": ["aQ=="], "image[]": [b"b"], "image": b"c"}, (b"c", b"b", InlineImage("aQ=="))),
    ],
)
def test_every_field_that_clients_use_is_read(
    fields: dict[str, object], sources: tuple[ImageSource, ...]
) -> None:
    assert read_sources(fields) == sources
