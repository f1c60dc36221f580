from typing import Any

import pytest

from farebox.domain.catalogue import Model, load_catalogue
from farebox.domain.errors import InvalidRequest, InvalidValue
from farebox.domain.image_fields import Operation, Visibility, coerce_form
from farebox.domain.image_request import ImageRequest, model_name, parse_image_request
from farebox.domain.image_sources import InlineImage


def _model(name: str) -> Model:
    model = load_catalogue().model(name)
    assert model is not None
    return model


def parse(
    model: str = "gpt-image-1",
    operation: Operation = Operation.GENERATION,
    **fields: Any,  # noqa: ANN401 - any JSON
) -> ImageRequest:
    if operation is not Operation.VARIATION:
        fields = {"prompt": "A cat", **fields}
    return parse_image_request(fields, operation=operation, model=_model(model))


def refused(
    model: str = "gpt-image-1",
    operation: Operation = Operation.GENERATION,
    **fields: Any,  # noqa: ANN401 - any JSON
) -> tuple[str, str | None, str]:
    with pytest.raises(InvalidRequest) as refusal:
        parse(model, operation, **fields)
    return refusal.value.code, refusal.value.param, refusal.value.message


class TestTheModelsName:
    @pytest.mark.parametrize(
        ("body", "operation", "name"),
        [
            ({}, Operation.GENERATION, "gpt-image-1"),
            ({"model": None}, Operation.EDIT, "gpt-image-1"),
            ({"model": "auto"}, Operation.EDIT, "gpt-image-1"),
            ({}, Operation.VARIATION, "dall-e-2"),
            ({"model": "sdxl"}, Operation.GENERATION, "sdxl"),
        ],
    )
    def test_it_is_the_one_named_or_the_operations_default(
        self, body: object, operation: Operation, name: str
    ) -> None:
        assert model_name(body, operation) == name

    @pytest.mark.parametrize(("body", "param"), [([], None), ("{}", None), ({"model": 5}, "model")])
    def test_a_body_without_fields_or_a_name_that_is_no_text_is_refused(
        self, body: object, param: str | None
    ) -> None:
        with pytest.raises(InvalidValue) as refusal:
            model_name(body, Operation.GENERATION)

        assert refusal.value.param == param


class TestDefaults:
    def test_a_prompt_is_all_that_gpt_image_needs(self) -> None:
        request = parse()

        assert (request.images, request.size, request.quality) == (1, "auto", "auto")
        assert (request.response_format, request.stream) == ("b64_json", False)
        assert request.visibility is Visibility.PRIVATE
        assert request.options == {}
        assert (request.output_format, request.fidelity, request.input_images) == ("png", "low", 0)

    @pytest.mark.parametrize(
        ("model", "quality", "size"),
        [
            ("dall-e-3", "standard", "1024x1024"),
            ("dall-e-2", "standard", "1024x1024"),
            ("sdxl", "standard", "1024x1024"),
            ("gpt-image-2", "auto", "1024x1024"),
        ],
    )
    def test_auto_is_what_the_model_makes_of_it(self, model: str, quality: str, size: str) -> None:
        request = parse(model, size="auto", quality="auto")

        assert (request.quality, request.size) == (quality, size)

    @pytest.mark.parametrize("model", ["dall-e-3", "dall-e-2", "sdxl", "gemini-2.5-flash-image"])
    def test_other_models_answer_a_url_unless_told(self, model: str) -> None:
        assert parse(model).response_format == "url"
        assert parse(model, response_format="b64_json").response_format == "b64_json"

    def test_gpt_image_answers_a_url_when_told(self) -> None:
        assert parse(response_format="url").response_format == "url"

    @pytest.mark.parametrize(
        ("model", "asked", "quality"),
        [
            ("gpt-image-1", "standard", "medium"),
            ("gpt-image-1", "hd", "high"),
            ("gpt-image-1", "low", "low"),
            ("dall-e-3", "high", "hd"),
            ("dall-e-3", "medium", "standard"),
        ],
    )
    def test_another_models_word_for_a_quality_is_understood(
        self, model: str, asked: str, quality: str
    ) -> None:
        assert parse(model, quality=asked).quality == quality


class TestRefusals:
    @pytest.mark.parametrize("body", [None, [], "A cat", 5])
    def test_a_body_that_is_no_object_is_refused(self, body: object) -> None:
        with pytest.raises(InvalidValue, match=r"The body must be a JSON object\."):
            parse_image_request(body, operation=Operation.GENERATION, model=_model("sdxl"))

    def test_a_chat_model_makes_no_images(self) -> None:
        message = "The model 'gpt-4o-mini' is not an image model."

        assert refused("gpt-4o-mini") == ("invalid_value", "model", message)

    @pytest.mark.parametrize(
        ("model", "operation"),
        [
            ("dall-e-3", Operation.EDIT),
            ("stable-diffusion-xl", Operation.EDIT),
            ("gpt-image-1", Operation.VARIATION),
            ("dall-e-3", Operation.VARIATION),
        ],
    )
    def test_an_operation_the_model_does_not_know_is_refused(
        self, model: str, operation: Operation
    ) -> None:
        message = f"The model '{model}' does not support image {operation.value}."

        assert refused(model, operation, image=b"x") == ("invalid_value", "model", message)

    def test_a_missing_prompt_is_named(self) -> None:
        message = "Missing required parameter: 'prompt'."

        assert refused(prompt=None) == ("missing_field", "prompt", message)

    @pytest.mark.parametrize("prompt", ["", "  \n"])
    def test_an_empty_prompt_is_refused(self, prompt: str) -> None:
        assert refused(prompt=prompt)[:2] == ("invalid_value", "prompt")

    @pytest.mark.parametrize(
        ("model", "longest"), [("gpt-image-1", 32_000), ("dall-e-3", 4_000), ("dall-e-2", 1_000)]
    )
    def test_a_prompt_may_be_as_long_as_the_model_allows_and_no_longer(
        self, model: str, longest: int
    ) -> None:
        assert len(parse(model, prompt="\u00e9" * longest).prompt) == longest

        code, param, _ = refused(model, prompt="\u00e9" * (longest + 1))
        assert (code, param) == ("invalid_value", "prompt")

    def test_the_prompts_length_is_told_as_openai_does(self) -> None:
        assert refused("dall-e-2", prompt="x" * 1_001)[2] == (
            "Invalid 'prompt': string too long. Expected a string with maximum length 1000, "
            "but got a string with length 1001 instead."
        )

    def test_dall_e_3_makes_one_image_a_request(self) -> None:
        message = "Invalid 'n': the model 'dall-e-3' makes at most 1 image a request, but got 2."

        assert parse("dall-e-3", n=1).images == 1
        assert refused("dall-e-3", n=2) == ("invalid_value", "n", message)

    @pytest.mark.parametrize("model", ["gpt-image-1", "dall-e-2", "sdxl", "sd3"])
    def test_others_make_ten(self, model: str) -> None:
        assert parse(model, n=10).images == 10
        assert refused(model, n=11)[:2] == ("invalid_value", "n")

    @pytest.mark.parametrize(
        ("model", "size"),
        [
            ("gpt-image-1", "512x512"),
            ("gpt-image-1", "1792x1024"),
            ("dall-e-3", "512x512"),
            ("dall-e-3", "1536x1024"),
            ("dall-e-2", "1792x1024"),
            ("sdxl", "256x256"),
            ("sdxl", "1024X1024"),
            ("sd3", ""),
        ],
    )
    def test_a_size_that_is_not_the_models_is_refused(self, model: str, size: str) -> None:
        assert refused(model, size=size)[:2] == ("invalid_value", "size")

    def test_the_sizes_it_may_be_are_told(self) -> None:
        assert refused("dall-e-3", size="1x1")[2] == (
            "Invalid value: '1x1'. Supported values are: "
            "'1024x1024', '1792x1024', '1024x1792' and 'auto'."
        )

    @pytest.mark.parametrize(
        ("model", "quality"),
        [("gpt-image-1", "max"), ("dall-e-3", "ultra"), ("dall-e-2", "hd"), ("sdxl", "high")],
    )
    def test_a_quality_that_is_not_the_models_is_refused(self, model: str, quality: str) -> None:
        assert refused(model, quality=quality)[:2] == ("invalid_value", "quality")

    @pytest.mark.parametrize(
        ("model", "field", "value"),
        [
            ("dall-e-3", "background", "transparent"),
            ("dall-e-3", "moderation", "low"),
            ("dall-e-3", "output_format", "webp"),
            ("dall-e-3", "output_compression", 50),
            ("dall-e-3", "stream", True),
            ("dall-e-3", "partial_images", 1),
            ("gpt-image-1", "style", "vivid"),
            ("dall-e-2", "style", "natural"),
            ("gemini-2.5-flash-image", "stream", True),
        ],
    )
    def test_what_the_model_does_not_take_is_refused_by_name(
        self, model: str, field: str, value: object
    ) -> None:
        message = f"The model '{model}' does not support '{field}'."
        fields: dict[str, Any] = {field: value}

        assert refused(model, **fields) == ("unsupported_parameter", field, message)

    def test_a_value_the_model_does_not_take_is_refused(self) -> None:
        message = "Invalid value: 'transparent'. Supported values are: 'auto' and 'opaque'."

        assert refused("gpt-image-2", background="transparent") == (
            "invalid_value",
            "background",
            message,
        )

    def test_what_asks_for_nothing_is_taken_by_every_model(self) -> None:
        request = parse(
            "dall-e-3",
            background="auto",
            moderation="auto",
            output_format="png",
            output_compression=100,
            stream=False,
            partial_images=0,
            user="ada",
        )

        assert request.options == {}

    @pytest.mark.parametrize(
        ("fields", "param"),
        [
            ({"background": "transparent", "output_format": "jpeg"}, "background"),
            ({"output_compression": 50}, "output_compression"),
            ({"output_compression": 99, "output_format": "png"}, "output_compression"),
            ({"visibility": "private", "is_public": True}, "is_public"),
            ({"visibility": "unlisted", "is_public": False}, "is_public"),
        ],
    )
    def test_contradictions_are_refused(self, fields: dict[str, Any], param: str) -> None:
        assert refused(**fields)[:2] == ("invalid_value", param)


class TestOptions:
    def test_what_the_model_takes_is_sent_as_it_came(self) -> None:
        request = parse(
            background="transparent", output_format="webp", output_compression=0, moderation="low"
        )

        assert request.options == {
            "background": "transparent",
            "moderation": "low",
            "output_format": "webp",
            "output_compression": 0,
        }

    def test_partial_images_belong_to_a_stream(self) -> None:
        assert parse(stream=True, partial_images=3).partial_images == 3
        assert parse(stream=True).partial_images == 0
        assert parse(partial_images=3).partial_images == 0

    @pytest.mark.parametrize(
        ("fields", "visibility"),
        [
            ({}, Visibility.PRIVATE),
            ({"is_public": True}, Visibility.PUBLIC),
            ({"is_public": False}, Visibility.PRIVATE),
            ({"visibility": "unlisted"}, Visibility.UNLISTED),
            ({"visibility": "public", "is_public": True}, Visibility.PUBLIC),
        ],
    )
    def test_images_are_private_unless_said_otherwise(
        self, fields: dict[str, Any], visibility: Visibility
    ) -> None:
        assert parse(**fields).visibility is visibility


class TestEdits:
    def test_images_and_a_mask_are_read(self) -> None:
        request = parse(operation=Operation.EDIT, image="aGk=", mask=b"png", input_fidelity="high")

        assert request.sources == (InlineImage("aGk="),)
        assert request.mask == b"png"
        assert (request.input_images, request.fidelity) == (2, "high")

    def test_an_edit_without_an_image_is_refused(self) -> None:
        message = "Missing required parameter: 'image'."

        assert refused(operation=Operation.EDIT) == ("missing_field", "image", message)

    @pytest.mark.parametrize(
        ("model", "most"), [("gpt-image-1", 16), ("dall-e-2", 1), ("gemini-2.5-flash-image", 3)]
    )
    def test_there_may_be_as_many_images_as_the_model_reads_and_no_more(
        self, model: str, most: int
    ) -> None:
        fields = {"image": [b"x"] * most}

        assert len(parse(model, Operation.EDIT, **fields).sources) == most
        code, param, _ = refused(model, Operation.EDIT, **fields, **{"image[]": b"x"})
        assert (code, param) == ("invalid_value", "image")

    def test_seventeen_images_in_one_field_are_refused(self) -> None:
        assert refused(operation=Operation.EDIT, image=[b"x"] * 17)[1] == "image"

    def test_a_chat_takes_no_mask(self) -> None:
        code, param, _ = refused("gemini-2.5-flash-image", Operation.EDIT, image=b"x", mask=b"y")

        assert (code, param) == ("unsupported_parameter", "mask")

    def test_mini_knows_no_high_fidelity(self) -> None:
        code, param, _ = refused(
            "gpt-image-1-mini", Operation.EDIT, image=b"x", input_fidelity="high"
        )

        assert (code, param) == ("invalid_value", "input_fidelity")

    def test_a_form_is_read_like_json(self) -> None:
        form = {"prompt": "A hat", "image[]": [b"a", b"b"], "n": "2", "stream": "true"}

        request = parse_image_request(
            coerce_form(form), operation=Operation.EDIT, model=_model("gpt-image-1")
        )

        assert (request.images, request.stream, request.sources) == (2, True, (b"a", b"b"))


class TestVariations:
    def test_an_image_is_all_it_takes(self) -> None:
        request = parse("dall-e-2", Operation.VARIATION, image=b"x", n=2, size="256x256")

        assert (request.prompt, request.images, request.sources) == ("", 2, (b"x",))

    def test_two_images_are_one_too_many(self) -> None:
        assert refused("dall-e-2", Operation.VARIATION, image=[b"x", b"y"])[1] == "image"
