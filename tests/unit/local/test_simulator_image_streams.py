"""Pictures that arrive bit by bit, and pictures in chat answers."""

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.unit.local.test_simulator_app import CHAT
from tests.unit.local.test_simulator_images import GENERATIONS, NOW, create, opened, raw, send

type Document = dict[str, Any]

FIELDS = {"model": "gpt-image-1", "prompt": "A red barn", "quality": "low"}
PAINT = {
    "model": "google/gemini-2.5-flash-image",
    "messages": [{"role": "user", "content": "A red barn"}],
    "modalities": ["image", "text"],
}


def events(fault: object = None, **fields: object) -> list[Document]:
    """Return the events of a stream, checking that each is sent under its own name."""
    answer = send(GENERATIONS, {**FIELDS, "stream": True, **fields}, fault)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    documents = []
    for block in answer.text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        documents.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {documents[-1]['type']}"
    return documents


def chat(fault: object = None, **fields: object) -> Document:
    """Return a chat answer with pictures."""
    document: Document = send(CHAT, {**PAINT, **fields}, fault).json()
    return document


def shown(message: Document) -> Image.Image:
    """Decode the one picture of a chat message."""
    (image,) = message["images"]
    assert (image["type"], image["image_url"].keys()) == ("image_url", {"url"})
    head, _, data = image["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


class TestImageStream:
    def test_without_partial_images_the_picture_comes_in_one_event(self) -> None:
        whole = create(**FIELDS)

        (completed,) = events()

        assert completed == {
            "type": "image_generation.completed",
            "b64_json": whole["data"][0]["b64_json"],
            "created_at": NOW,
            "size": "1024x1024",
            "quality": "low",
            "background": "opaque",
            "output_format": "png",
            "usage": whole["usage"],
        }

    @pytest.mark.parametrize("partials", [1, 2, 3])
    def test_partial_images_come_closer_to_the_picture(self, partials: int) -> None:
        *partial, completed = events(partial_images=partials)

        final = opened(completed).convert("L")
        distances = [
            ImageStat.Stat(ImageChops.difference(final, opened(event).convert("L"))).rms[0]
            for event in partial
        ]
        assert [event["partial_image_index"] for event in partial] == list(range(partials))
        assert {event["type"] for event in partial} == {"image_generation.partial_image"}
        assert distances == sorted(distances, reverse=True)
        assert min(distances) > 1
        assert all("usage" not in event for event in partial)

    def test_every_partial_image_costs_100_tokens(self) -> None:
        assert events(partial_images=3)[-1]["usage"]["output_tokens"] == 272 + 300

    def test_the_usages_of_several_pictures_add_up_to_that_of_the_whole(self) -> None:
        usages = [event["usage"] for event in events(n=3)]

        assert (
            sum(usage["total_tokens"] for usage in usages)
            == (create(**FIELDS, n=3)["usage"]["total_tokens"])
        )

    def test_the_format_asked_for_holds_for_partial_images_too(self) -> None:
        streamed = events(partial_images=1, output_format="webp", background="transparent")

        assert [opened(event).format for event in streamed] == ["WEBP", "WEBP"]

    def test_a_stream_can_end_in_an_error(self) -> None:
        body = {**FIELDS, "stream": True, "partial_images": 2}

        text = send(GENERATIONS, body, {"error_after_chunks": 1}).text

        first, error, rest = text.split("\n\n")
        assert first.startswith("event: image_generation.partial_image\n")
        assert json.loads(error.removeprefix("data: "))["error"]["code"] is None
        assert rest == ""

    def test_the_final_picture_can_be_garbage_missing_or_without_usage(self) -> None:
        assert raw(events({"image": "garbage"}, partial_images=1)[-1]).startswith(b"upstream")
        assert events({"image": "missing"}) == []
        assert "usage" not in events({"usage": "none"})[0]


class TestChat:
    def test_a_picture_stands_beside_the_text(self) -> None:
        message = chat()["choices"][0]["message"]

        assert message["content"] != ""
        assert shown(message).size == (1024, 1024)

    def test_its_tokens_are_charged_and_told_apart(self) -> None:
        plain, painted = chat(modalities=["text"])["usage"], chat()["usage"]

        assert "image_tokens" not in plain["completion_tokens_details"]
        assert painted["completion_tokens_details"]["image_tokens"] == 1290
        assert painted["completion_tokens"] > 1290

    def test_the_aspect_ratio_is_obeyed(self) -> None:
        message = chat(image_config={"aspect_ratio": "16:9"})["choices"][0]["message"]

        assert shown(message).size == (1344, 768)

    def test_an_image_in_the_question_shows_in_the_answer(self) -> None:
        seen = io.BytesIO()
        Image.new("RGB", (64, 64), "red").save(seen, "PNG")
        url = f"data:image/png;base64,{base64.b64encode(seen.getvalue()).decode()}"
        parts = [{"type": "text", "text": "Add a tree"}]
        parts += [{"type": "image_url", "image_url": {"url": url}}]  # type: ignore[dict-item]

        answer = chat(messages=[{"role": "user", "content": parts}])

        red, green, _ = shown(answer["choices"][0]["message"]).getpixel((5, 5))  # type: ignore[misc]
        assert red > 150 > green

    def test_in_a_stream_it_comes_before_the_finish(self) -> None:
        text = send(CHAT, {**PAINT, "stream": True}).text

        chunks = [json.loads(line[6:]) for line in text.split("\n\n")[:-2]]
        *_, picture, finish = (chunk["choices"][0] for chunk in chunks)
        assert shown(picture["delta"]).size == (1024, 1024)
        assert finish["finish_reason"] == "stop"

    def test_it_can_be_missing_or_garbage(self) -> None:
        missing, garbage = chat({"image": "missing"}), chat({"image": "garbage"})

        assert "images" not in missing["choices"][0]["message"]
        url = garbage["choices"][0]["message"]["images"][0]["image_url"]["url"]
        assert base64.b64decode(url.partition(",")[2]).startswith(b"upstream")
