import base64
import math
import struct
from typing import Any

import pytest

from local.simulator.app import create_app
from tests.unit.local.test_simulator_app import EMBEDDINGS, call


def embed(**fields: object) -> dict[str, Any]:
    """Return the answer to an embedding request."""
    body = {"model": "text-embedding-3-small", **fields}
    answer = call(create_app(), "POST", EMBEDDINGS, body)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


@pytest.mark.parametrize(
    ("model", "dimensions"),
    [
        ("text-embedding-3-small", 1536),
        ("text-embedding-ada-002", 1536),
        ("text-embedding-3-large", 3072),
    ],
)
def test_a_vector_has_the_model_s_dimensions_and_length_one(model: str, dimensions: int) -> None:
    vector = embed(model=model, input="hello")["data"][0]["embedding"]

    assert len(vector) == dimensions
    assert math.isclose(math.hypot(*vector), 1, abs_tol=1e-5)


@pytest.mark.parametrize("dimensions", [1, 3, 1536])
def test_fewer_dimensions_still_make_a_unit_vector(dimensions: int) -> None:
    vector = embed(input="hello", dimensions=dimensions)["data"][0]["embedding"]

    assert len(vector) == dimensions
    assert math.isclose(math.hypot(*vector), 1, abs_tol=1e-5)


def test_the_same_text_has_the_same_vector_and_another_has_another() -> None:
    first, second, third = (item["embedding"] for item in embed(input=["a", "b", "a"])["data"])

    assert first == third
    assert first != second


def test_base64_carries_the_same_numbers_as_little_endian_singles() -> None:
    plain = embed(input="hello", dimensions=4)["data"][0]["embedding"]

    packed = embed(input="hello", dimensions=4, encoding_format="base64")["data"][0]["embedding"]

    assert list(struct.unpack("<4f", base64.b64decode(packed))) == plain


@pytest.mark.parametrize(
    ("given", "vectors", "tokens"),
    [
        ("abcdefgh", 1, 2),
        (["abcdefgh", "a"], 2, 3),
        ([5, 6, 7], 1, 3),
        ([[5, 6, 7], [8]], 2, 4),
    ],
)
def test_every_shape_of_input_is_embedded_and_counted(
    given: object, vectors: int, tokens: int
) -> None:
    answer = embed(input=given, dimensions=2)

    assert [item["index"] for item in answer["data"]] == list(range(vectors))
    assert answer["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}
