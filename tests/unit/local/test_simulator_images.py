"""Pictures for a prompt; `create` and `opened` are shared by the other image tests."""

import base64
import io
import json
import time
from typing import Any

import httpx
import pytest
from PIL import Image

from local.simulator.app import create_app
from tests.unit.local.test_simulator_app import call

type Document = dict[str, Any]

GENERATIONS = "/v1/images/generations"
NOW = 1_800_000_000
PROMPT = "A lighthouse above a quiet sea"


def send(path: str, body: object, fault: object = None, *, lenient: bool = False) -> httpx.Response:
    """Send one request to a simulator that does not wait between events."""
    app = create_app(pace_seconds=0, clock=lambda: NOW, lenient=lenient)
    headers = {} if fault is None else {"x-simulate": json.dumps(fault)}
    return call(app, "POST", path, body, headers)


def create(fault: object = None, **fields: object) -> Document:
    """Return the answer to a request for pictures."""
    body = {"model": "gpt-image-1", "prompt": PROMPT, **fields}
    answer = send(GENERATIONS, body, fault)
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


def refused(**fields: object) -> Document:
    """Return the error of a request for pictures."""
    answer = send(GENERATIONS, {"model": "gpt-image-1", "prompt": PROMPT, **fields})
    assert answer.status_code == 400, answer.text
    error: Document = answer.json()["error"]
    return error


def raw(item: Document) -> bytes:
    """Return the bytes of one picture."""
    return base64.b64decode(item["b64_json"], validate=True)


def opened(item: Document) -> Image.Image:
    """Decode one picture."""
    image = Image.open(io.BytesIO(raw(item)))
    image.load()
    return image


class TestPicture:
    @pytest.mark.parametrize("size", [(1024, 1024), (1536, 1024), (1024, 1536)])
    def test_it_has_the_size_asked_for(self, size: tuple[int, int]) -> None:
        answer = create(size=f"{size[0]}x{size[1]}")

        assert opened(answer["data"][0]).size == size
        assert answer["size"] == f"{size[0]}x{size[1]}"

    def test_the_same_request_draws_the_same_picture_and_another_prompt_another(self) -> None:
        first, again, other = create(), create(), create(prompt="A dark forest")

        assert first == again
        assert first["data"] != other["data"]

    def test_several_pictures_all_differ(self) -> None:
        pictures = create(n=4)["data"]

        assert len({item["b64_json"] for item in pictures}) == 4

    @pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
    def test_it_has_the_format_asked_for(self, kind: str) -> None:
        answer = create(output_format=kind)

        assert opened(answer["data"][0]).format == kind.upper()
        assert answer["output_format"] == kind

    @pytest.mark.parametrize("kind", ["png", "webp"])
    def test_a_transparent_background_is_transparent(self, kind: str) -> None:
        answer = create(output_format=kind, background="transparent")

        assert answer["background"] == "transparent"
        assert opened(answer["data"][0]).convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]

    def test_more_compression_makes_it_smaller(self) -> None:
        good, small = (
            raw(create(output_format="jpeg", output_compression=level)["data"][0])
            for level in (90, 10)
        )

        assert len(small) < len(good) / 2

    def test_it_is_drawn_quickly(self) -> None:
        create()

        started = time.process_time()
        create()

        assert time.process_time() - started < 0.3


class TestAnswer:
    def test_it_says_when_and_how_the_pictures_were_made(self) -> None:
        answer = create()

        assert {name: answer[name] for name in answer.keys() - {"data", "usage"}} == {
            "created": NOW,
            "background": "opaque",
            "output_format": "png",
            "quality": "medium",
            "size": "1024x1024",
        }
        assert answer["data"][0].keys() == {"b64_json"}

    @pytest.mark.parametrize(
        ("quality", "square", "tall", "wide"),
        [("low", 272, 408, 400), ("medium", 1056, 1584, 1568), ("high", 4160, 6240, 6208)],
    )
    def test_output_tokens_follow_size_and_quality(
        self, quality: str, square: int, tall: int, wide: int
    ) -> None:
        sizes = ("1024x1024", "1024x1536", "1536x1024")

        usages = [create(quality=quality, size=size)["usage"] for size in sizes]

        assert [usage["output_tokens"] for usage in usages] == [square, tall, wide]

    def test_usage_counts_the_prompt_and_every_picture(self) -> None:
        assert create(prompt="abcdefgh", n=3, quality="low")["usage"] == {
            "input_tokens": 2,
            "input_tokens_details": {"text_tokens": 2, "image_tokens": 0},
            "output_tokens": 816,
            "total_tokens": 818,
        }

    def test_gpt_image_2_draws_any_size_on_its_grid(self) -> None:
        answer = create(model="gpt-image-2", size="1280x720")

        assert opened(answer["data"][0]).size == (1280, 720)
        assert answer["usage"]["output_tokens"] == 929

    def test_dall_e_3_answers_with_a_url_that_opens_and_a_revised_prompt(self) -> None:
        app = create_app()

        answer = call(app, "POST", GENERATIONS, {"model": "dall-e-3", "prompt": PROMPT}).json()

        (item,) = answer["data"]
        assert answer.keys() == {"created", "data"}
        assert item["revised_prompt"].startswith(PROMPT)
        assert item["url"].startswith("http://simulator/simulator/images/")
        served = call(app, "GET", item["url"].removeprefix("http://simulator"))
        assert served.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(served.content)).size == (1024, 1024)

    @pytest.mark.parametrize("model", ["dall-e-2", "dall-e-3", "stable-diffusion-xl"])
    def test_other_models_answer_in_base64_when_asked(self, model: str) -> None:
        (item,) = create(model=model, response_format="b64_json")["data"]

        assert "url" not in item
        assert opened(item).size == (1024, 1024)

    def test_an_unknown_picture_is_not_found(self) -> None:
        assert call(create_app(), "GET", "/simulator/images/none.png").status_code == 404


class TestRefusals:
    def test_gpt_image_does_not_know_response_format(self) -> None:
        assert refused(response_format="b64_json") == {
            "message": "Unknown parameter: 'response_format'.",
            "type": "invalid_request_error",
            "param": "response_format",
            "code": "unknown_parameter",
        }

    @pytest.mark.parametrize(
        ("fields", "param", "code"),
        [
            ({"colour": "red"}, "colour", "unknown_parameter"),
            ({"style": "vivid"}, "style", "unknown_parameter"),
            ({"model": "dall-e-3", "stream": True}, "stream", "unknown_parameter"),
            ({"model": "dall-e-2", "output_format": "webp"}, "output_format", "unknown_parameter"),
            ({"prompt": ""}, "prompt", "empty_string"),
            ({"prompt": "a" * 32_001}, "prompt", "string_above_max_length"),
            (
                {"model": "dall-e-3", "prompt": "a" * 4_001},
                "prompt",
                "string_above_max_length",
            ),
            (
                {"model": "dall-e-2", "prompt": "a" * 1_001},
                "prompt",
                "string_above_max_length",
            ),
            ({"prompt": 7}, "prompt", "invalid_type"),
            ({"n": 0}, "n", "integer_below_min_value"),
            ({"n": 11}, "n", "integer_above_max_value"),
            ({"model": "dall-e-3", "n": 2}, "n", "invalid_value"),
            ({"size": "512x512"}, "size", "invalid_value"),
            ({"model": "dall-e-3", "size": "1536x1024"}, "size", "invalid_value"),
            ({"model": "dall-e-2", "size": "1792x1024"}, "size", "invalid_value"),
            ({"model": "gpt-image-2", "size": "1281x720"}, "size", "invalid_value"),
            ({"model": "gpt-image-2", "size": "3840x1024"}, "size", "invalid_value"),
            ({"quality": "hd"}, "quality", "invalid_value"),
            ({"model": "dall-e-3", "quality": "high"}, "quality", "invalid_value"),
            (
                {"background": "transparent", "output_format": "jpeg"},
                "background",
                "invalid_value",
            ),
            ({"output_format": "gif"}, "output_format", "invalid_value"),
            (
                {"output_compression": 50},
                "output_compression",
                "invalid_png_output_compression",
            ),
            ({"partial_images": 2}, "partial_images", "invalid_value"),
            ({"stream": True, "partial_images": 4}, "partial_images", "invalid_value"),
        ],
    )
    def test_a_wrong_field_is_named(self, fields: Document, param: str, code: str) -> None:
        error = refused(**fields)

        assert (error["param"], error["code"]) == (param, code)

    def test_the_supported_sizes_are_listed(self) -> None:
        assert refused(size="512x512")["message"] == (
            "Invalid value: '512x512'. Supported values are: "
            "'1024x1024', '1024x1536', '1536x1024', and 'auto'."
        )

    def test_a_model_that_is_not_listed_is_refused(self) -> None:
        answer = call(
            create_app(["gpt-image-1"]), "POST", GENERATIONS, {"model": "x", "prompt": "a"}
        )

        assert answer.status_code == 404

    def test_when_lenient_any_model_field_and_size_is_accepted(self) -> None:
        body = {"model": "x", "prompt": "", "size": "huge", "n": 99, "foo": 1, "style": "vivid"}

        answer = send(GENERATIONS, body | {"response_format": "b64_json"}, lenient=True)

        assert answer.status_code == 200
        assert [opened(item).size for item in answer.json()["data"]] == [(1024, 1024)] * 10


class TestFaults:
    def test_garbage_is_no_image(self) -> None:
        (item,) = create({"image": "garbage"})["data"]

        assert raw(item).startswith(b"upstream connect error")

    def test_an_svg_can_be_sent_instead(self) -> None:
        (item,) = create({"image": "svg"})["data"]

        assert raw(item).startswith(b"<svg")

    def test_a_truncated_image_is_the_first_half_of_the_true_one(self) -> None:
        whole = raw(create()["data"][0])

        (item,) = create({"image": "truncated"})["data"]

        assert raw(item) == whole[: len(whole) // 2]

    def test_one_image_is_missing_unless_more_are_ordered(self) -> None:
        whole = create(n=4, quality="low")["data"]

        one = create({"image": "missing"}, n=4, quality="low")
        three = create({"image": "missing", "images_spoilt": 3}, n=4, quality="low")

        assert one["data"] == whole[:3]
        assert three["data"] == whole[:1]
        assert three["usage"]["output_tokens"] == 272

    def test_only_the_last_images_can_be_garbage(self) -> None:
        whole = create(n=3)["data"]

        spoilt = create({"image": "garbage", "images_spoilt": 2}, n=3)["data"]

        assert spoilt[0] == whole[0]
        assert [raw(item)[:8] for item in spoilt[1:]] == [b"upstream"] * 2

    def test_noise_makes_a_big_picture_that_is_still_the_same_every_time(self) -> None:
        first, again = (create({"image": "noise"})["data"][0] for _ in range(2))

        assert 2_500_000 < len(raw(first)) < 4_000_000
        assert opened(first).size == (1024, 1024)
        assert first == again

    def test_usage_can_be_left_out_or_absurd(self) -> None:
        assert "usage" not in create({"usage": "none"})
        assert create({"usage": "huge"})["usage"]["output_tokens"] == 10**12

    def test_an_error_can_be_ordered(self) -> None:
        answer = send(GENERATIONS, {"model": "gpt-image-1", "prompt": "a"}, {"status": 429})

        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")

    def test_a_picture_served_by_url_can_be_garbage(self) -> None:
        app = create_app()
        fault = {"x-simulate": '{"image": "garbage"}'}

        answer = call(app, "POST", GENERATIONS, {"model": "dall-e-2", "prompt": "a"}, fault).json()

        url = answer["data"][0]["url"]
        served = call(app, "GET", url.removeprefix("http://simulator"))
        assert served.content.startswith(b"upstream")
