"""Embeddings: for each input a unit vector that depends on the model and the input alone.

Related texts get unrelated vectors; only equality can be tested with them.
"""

import base64
import hashlib
import math
import struct
from array import array

from local.simulator.embedding_request import EmbeddingRequest
from local.simulator.problems import RefusedError
from local.simulator.tokens import count
from local.simulator.usage import Usage

_SMALL_DIMENSIONS = 1536
_LARGE_DIMENSIONS = 3072
_MIDDLE = 1 << 15  # components are drawn as unsigned 16-bit integers around this


def embed(request: EmbeddingRequest) -> dict[str, object]:
    """Answer an embedding request, without its usage.

    Raises:
        RefusedError: 400 when more dimensions are asked for than the model has.
    """
    dimensions = _dimensions(request)
    vectors = [_unit_vector(request.model, item, dimensions) for item in _inputs(request)]
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _encoded(vector, request)}
            for index, vector in enumerate(vectors)
        ],
        "model": request.model,
    }


def embedding_usage(request: EmbeddingRequest) -> Usage:
    """Count the tokens of all inputs; token arrays are taken at their length."""
    inputs = _inputs(request)
    tokens = sum(count(item) if isinstance(item, str) else len(item) for item in inputs)
    return {"prompt_tokens": tokens, "total_tokens": tokens}


def _inputs(request: EmbeddingRequest) -> list[str | list[int]]:
    """List the inputs whichever of the four shapes they came in."""
    if isinstance(request.input, str):
        return [request.input]
    whole = [item for item in request.input if isinstance(item, int)]
    return [whole] if whole else [item for item in request.input if not isinstance(item, int)]


def _dimensions(request: EmbeddingRequest) -> int:
    most = _LARGE_DIMENSIONS if "large" in request.model else _SMALL_DIMENSIONS
    if request.dimensions is not None and request.dimensions > most:
        raise RefusedError(
            400,
            f"Invalid value for 'dimensions' = {request.dimensions}. Must be at most {most}.",
            param="dimensions",
        )
    return request.dimensions or most


def _unit_vector(model: str, item: str | list[int], dimensions: int) -> array[float]:
    seed = f"{model!r}/{item!r}".encode()
    drawn = struct.unpack(f"<{dimensions}H", hashlib.shake_256(seed).digest(2 * dimensions))
    centred = [value - _MIDDLE + 0.5 for value in drawn]  # the half keeps a lone one off zero
    length = math.sqrt(math.sumprod(centred, centred))
    return array("f", [value / length for value in centred])


def _encoded(vector: array[float], request: EmbeddingRequest) -> list[float] | str:
    if request.encoding_format == "base64":
        little_endian = struct.pack(f"<{len(vector)}f", *vector)
        return base64.b64encode(little_endian).decode()
    return vector.tolist()
