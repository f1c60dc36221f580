from typing import Any

import pytest

from farebox.domain.catalogue import load_catalogue
from farebox.domain.image_body import provider_body, provider_path
from farebox.domain.image_fields import Operation
from farebox.domain.image_request import ImageRequest, parse_image_request


def _parse(
    name: str,
    operation: Operation = Operation.GENERATION,
    **fields: Any,  # noqa: ANN401 - any JSON
) -> ImageRequest:
    model = load_catalogue().model(name)
    assert model is not None
    return parse_image_request(fields, operation=operation, model=model)


def _sent(request: ImageRequest, *data_urls: str) -> dict[str, object]:
    return provider_body(request, request.model.routes[0], data_urls)


def test_gpt_image_is_never_asked_for_a_response_format_or_told_who_asks() -> None:
    request = _parse(
        "gpt-image-1",
        prompt="A cat",
        n=2,
        response_format="url",
        user="ada",
        visibility="public",
        output_format="webp",
        output_compression=80,
    )

    assert _sent(request) == {
        "model": "gpt-image-1",
        "prompt": "A cat",
        "n": 2,
        "size": "auto",
        "quality": "auto",
        "output_format": "webp",
        "output_compression": 80,
    }


@pytest.mark.parametrize("response_format", ["url", "b64_json"])
def test_dall_e_is_always_asked_for_base64(response_format: str) -> None:
    request = _parse(
        "dalle-3", prompt="A cat", quality="hd", style="vivid", response_format=response_format
    )

    assert _sent(request) == {
        "model": "dall-e-3",
        "prompt": "A cat",
        "n": 1,
        "size": "1024x1024",
        "quality": "hd",
        "style": "vivid",
        "response_format": "b64_json",
    }


def test_a_model_of_one_quality_is_not_told_it() -> None:
    assert _sent(_parse("sdxl", prompt="A cat", quality="standard")) == {
        "model": "stabilityai/sdxl-turbo",
        "prompt": "A cat",
        "n": 1,
        "size": "1024x1024",
        "response_format": "b64_json",
    }


def test_a_stream_is_asked_for_with_its_partial_images() -> None:
    sent = _sent(_parse("gpt-image-1", prompt="A cat", stream=True, partial_images=2))

    assert (sent["stream"], sent["partial_images"]) == (True, 2)


def test_partial_images_outside_a_stream_are_not_asked_for() -> None:
    sent = _sent(_parse("gpt-image-1", prompt="A cat", partial_images=2))

    assert "stream" not in sent
    assert "partial_images" not in sent


def test_an_edits_images_are_not_among_its_fields() -> None:
    request = _parse(
        "gpt-image-1", Operation.EDIT, prompt="A hat", image=b"x", mask=b"y", input_fidelity="high"
    )

    assert _sent(request) == {
        "model": "gpt-image-1",
        "prompt": "A hat",
        "n": 1,
        "size": "auto",
        "quality": "auto",
        "input_fidelity": "high",
    }


def test_a_variation_has_no_prompt_and_no_quality() -> None:
    assert _sent(_parse("dall-e-2", Operation.VARIATION, image=b"x", size="256x256")) == {
        "model": "dall-e-2",
        "n": 1,
        "size": "256x256",
        "response_format": "b64_json",
    }


def test_openrouter_is_asked_in_a_chat_with_the_cap_the_quote_rests_on() -> None:
    request = _parse(
        "google/gemini-2.5-flash-image",
        Operation.EDIT,
        prompt="A hat",
        image=b"x",
        size="1344x768",
    )

    assert _sent(request, "data:image/png;base64,eA==") == {
        "model": "google/gemini-2.5-flash-image",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "A hat"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}},
                ],
            }
        ],
        "modalities": ["image", "text"],
        "usage": {"include": True},
        "image_config": {"aspect_ratio": "16:9"},
        "max_tokens": 4_096,
    }


@pytest.mark.parametrize(
    ("name", "operation", "path"),
    [
        ("gpt-image-1", Operation.GENERATION, "/images/generations"),
        ("gpt-image-1", Operation.EDIT, "/images/edits"),
        ("dall-e-2", Operation.VARIATION, "/images/variations"),
        ("gemini-2.5-flash-image", Operation.EDIT, "/chat/completions"),
    ],
)
def test_each_operation_has_its_path(name: str, operation: Operation, path: str) -> None:
    fields = {} if operation is Operation.VARIATION else {"prompt": "A cat"}
    shown = {} if operation is Operation.GENERATION else {"image": b"x"}

    assert provider_path(_parse(name, operation, **fields, **shown)) == path


@pytest.mark.parametrize(
    ("operation", "prefix"),
    [(Operation.GENERATION, "image_generation"), (Operation.EDIT, "image_edit")],
)
def test_each_operation_names_its_events(operation: Operation, prefix: str) -> None:
    assert operation.event_prefix == prefix
