"""Pictures made of pictures: forms, references, masks and variations."""

import asyncio
import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import httpx2
import openai
import pytest
from PIL import Image, ImageChops
from starlette.types import ASGIApp

from local.simulator.app import create_app
from tests.unit.local.test_simulator_app import call
from tests.unit.local.test_simulator_images import opened, send

type Document = dict[str, Any]
type File = tuple[str, tuple[str, bytes, str]]

EDITS = "/v1/images/edits"
VARIATIONS = "/v1/images/variations"
FIELDS = {"model": "gpt-image-1", "prompt": "Add a boat", "quality": "low"}


def png(colour: str = "red", size: tuple[int, int] = (1024, 1024)) -> bytes:
    """Encode a picture of one colour."""
    return encoded(Image.new("RGB", size, colour))


def encoded(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def mask_of_right_half(size: tuple[int, int] = (1024, 1024)) -> bytes:
    """Encode a mask that lets the right half be changed."""
    mask = Image.new("RGBA", size, "black")
    mask.paste((0, 0, 0, 0), (size[0] // 2, 0, size[0], size[1]))
    return encoded(mask)


def file(name: str, data: bytes, kind: str = "image/png") -> File:
    return (name, (f"{name}.png", data, kind))


def upload(
    files: Sequence[File],
    fields: Mapping[str, str],
    path: str = EDITS,
    app: ASGIApp | None = None,
) -> httpx.Response:
    """Send a form to the simulator."""
    target = app or create_app(pace_seconds=0)

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app=target)
        headers = {"authorization": "Bearer sk-test-0001"}
        async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
            return await client.post(path, files=files, data=fields, headers=headers)

    return asyncio.run(post())


def edit(files: Sequence[File], **fields: str) -> Image.Image:
    """Return the first picture of the answer to an edit."""
    answer = upload(files, FIELDS | fields)
    assert answer.status_code == 200, answer.text
    return opened(answer.json()["data"][0])


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["param"], error["code"]


class TestMask:
    def test_only_the_transparent_area_changes(self) -> None:
        before = Image.open(io.BytesIO(png()))

        after = edit([file("image", png()), file("mask", mask_of_right_half())])

        changed = ImageChops.difference(before, after).getbbox()
        assert changed is not None
        assert changed[0] >= 512

    def test_dall_e_2_takes_the_picture_s_own_transparency_for_one(self) -> None:
        image = Image.new("RGBA", (512, 512), "red")
        image.paste((0, 0, 0, 0), (256, 0, 512, 512))

        after = edit(
            [file("image", encoded(image))],
            model="dall-e-2",
            quality="standard",
            size="512x512",
            response_format="b64_json",
        )

        assert after.getpixel((10, 10)) == (255, 0, 0)
        assert after.getpixel((500, 10)) not in {(255, 0, 0), (255, 255, 255)}

    @pytest.mark.parametrize(
        "mask",
        [mask_of_right_half((512, 512)), png(), b"no image"],
        ids=["another size", "no alpha", "no image"],
    )
    def test_one_that_cannot_be_used_is_refused(self, mask: bytes) -> None:
        answer = upload([file("image", png()), file("mask", mask)], FIELDS)

        assert error_of(answer) == (400, "mask", "invalid_image_file")


class TestInputs:
    def test_the_picture_sent_shows_in_the_one_answered(self) -> None:
        red, blue = edit([file("image", png("red"))]), edit([file("image", png("blue"))])

        assert red.getpixel((5, 5))[0] > 150 > red.getpixel((5, 5))[2]  # type: ignore[index]
        assert blue.getpixel((5, 5))[2] > 150  # type: ignore[index]

    @pytest.mark.parametrize("names", [("image", "image"), ("image[]", "image[]")])
    def test_further_pictures_are_set_into_the_first(self, names: tuple[str, str]) -> None:
        first, second = names

        after = edit([file(first, png("red")), file(second, png("blue", (300, 200)))])

        assert after.getpixel((1024 // 25 + 20, 1024 // 25 + 20)) == (0, 0, 255)

    @pytest.mark.parametrize(
        ("size", "expected"), [((600, 400), (1536, 1024)), ((400, 600), (1024, 1536))]
    )
    def test_without_a_size_the_answer_has_the_shape_of_the_first(
        self, size: tuple[int, int], expected: tuple[int, int]
    ) -> None:
        assert edit([file("image", png(size=size))]).size == expected

    def test_usage_counts_the_pictures_sent(self) -> None:
        files = [file("image[]", png()), file("image[]", png(size=(1024, 512)))]

        low = upload(files, FIELDS).json()["usage"]
        high = upload(files, {**FIELDS, "input_fidelity": "high"}).json()["usage"]

        assert low["input_tokens_details"] == {"text_tokens": 3, "image_tokens": 194 + 323}
        assert high["input_tokens_details"]["image_tokens"] == 194 + 4160 + 323 + 6240

    def test_data_urls_other_urls_and_files_can_be_named_in_json(self) -> None:
        data_url = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
        references = [
            {"image_url": data_url},
            {"image_url": "https://example.org/a.png"},
            {"file_id": "file-1"},
        ]

        answer = send(EDITS, {**FIELDS, "images": references, "mask": {"file_id": "file-2"}})
        same = send(EDITS, {**FIELDS, "images": references[:1]})

        assert error_of(answer) == (400, "mask", "invalid_image_file")  # a drawing has no alpha
        assert opened(same.json()["data"][0]).tobytes() == edit([file("image", png())]).tobytes()
        assert send(EDITS, {**FIELDS, "images": references}).status_code == 200

    def test_a_form_s_numbers_and_flags_are_understood(self) -> None:
        fields = {**FIELDS, "stream": "true", "partial_images": "1", "n": "2"}

        answer = upload([file("image", png())], fields)

        names = [line for line in answer.text.splitlines() if line.startswith("event: ")]
        assert names == ["event: image_edit.partial_image", "event: image_edit.completed"] * 2

    @pytest.mark.parametrize("data", [b"", b"<svg/>", png()[:200]])
    def test_bytes_that_are_no_picture_are_refused(self, data: bytes) -> None:
        answer = upload([file("image", data)], FIELDS)

        assert error_of(answer) == (400, "image", "invalid_image_file")

    def test_when_lenient_any_bytes_are_a_picture(self) -> None:
        app = create_app(lenient=True)
        files = [file("image", b"hello"), file("mask", b"world")]

        answer = upload(files, FIELDS, app=app)

        assert answer.status_code == 200
        assert opened(answer.json()["data"][0]).size == (1024, 1024)

    def test_no_picture_and_17_pictures_are_refused(self) -> None:
        none = send(EDITS, FIELDS)
        many = upload([file("image[]", png(size=(8, 8)))] * 17, FIELDS)

        assert error_of(none) == (400, "image", "missing_required_parameter")
        assert error_of(many) == (400, "image", "invalid_value")

    def test_what_was_sent_can_be_looked_at_by_name_type_and_size(self) -> None:
        app = create_app()
        data = png(size=(8, 8))

        upload([file("image", data), file("image", data)], FIELDS, app=app)

        (record,) = call(app, "GET", "/simulator/requests").json()["requests"]
        sent = {"filename": "image.png", "content_type": "image/png", "size_bytes": len(data)}
        assert record["body"] == {**FIELDS, "image": [sent, sent]}


class TestVariation:
    def test_it_resembles_the_picture_and_each_differs(self) -> None:
        fields = {"size": "256x256", "n": "2", "response_format": "b64_json"}

        answer = upload([file("image", png("red", (256, 256)))], fields, VARIATIONS)

        first, second = map(opened, answer.json()["data"])
        assert first.size == second.size == (256, 256)
        assert first.tobytes() != second.tobytes()
        assert first.getpixel((5, 5))[0] > 150  # type: ignore[index]

    def test_only_a_square_can_be_varied(self) -> None:
        answer = upload([file("image", png(size=(300, 200)))], {}, VARIATIONS)

        assert error_of(answer) == (400, "image", "invalid_image_file")


class TestOfficialClient:
    def client(self) -> openai.AsyncOpenAI:
        transport = httpx2.ASGITransport(app=create_app(pace_seconds=0))
        http = httpx2.AsyncClient(transport=transport)
        return openai.AsyncOpenAI(
            api_key="sk-test-0001", base_url="http://simulator/v1", http_client=http
        )

    def test_it_edits_several_pictures_with_a_mask(self) -> None:
        async def run() -> str | None:
            answer = await self.client().images.edit(
                model="gpt-image-1",
                image=[("a.png", png()), ("b.png", png("blue"))],
                mask=("m.png", mask_of_right_half()),
                prompt="Add a boat",
                n=1,
            )
            return (answer.data or [])[0].b64_json

        assert asyncio.run(run())

    def test_it_streams_partial_images(self) -> None:
        async def run() -> list[str]:
            stream = await self.client().images.generate(
                model="gpt-image-1", prompt="A boat", stream=True, partial_images=2
            )
            return [event.type async for event in stream]

        assert asyncio.run(run()) == [
            "image_generation.partial_image",
            "image_generation.partial_image",
            "image_generation.completed",
        ]

    def test_it_varies_a_picture(self) -> None:
        async def run() -> str | None:
            with pytest.deprecated_call():  # the client calls every variation outdated
                answer = await self.client().images.create_variation(
                    image=("a.png", png(size=(64, 64))), model="dall-e-2"
                )
            return (answer.data or [])[0].url

        assert asyncio.run(run())
