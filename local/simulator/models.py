"""The models the simulator knows, and what sets some of them apart.

The list names what the providers call their models today; an id is all the simulator needs, so a
list from a file (`--models-file`) replaces it completely.
"""

import re
from collections.abc import Collection
from pathlib import Path

from local.simulator.problems import RefusedError

BUILT_IN_MODELS = (
    "gpt-3.5-turbo",
    "gpt-4-turbo",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4.1-nano",
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-5",
    "gpt-5-mini",
    "o1",
    "o1-mini",
    "o1-preview",
    "o3",
    "o3-mini",
    "o4-mini",
    "text-embedding-3-large",
    "text-embedding-3-small",
    "text-embedding-ada-002",
    "gpt-image-1",
    "gpt-image-1-mini",
    "gpt-image-2",
    "dall-e-2",
    "dall-e-3",
    "google/gemini-2.5-flash-image",
    "claude-3-5-haiku-latest",
    "claude-3-5-sonnet-latest",
    "claude-sonnet-4-5",
    "anthropic/claude-3.5-sonnet",
    "openai/gpt-4o",
    "openai/gpt-4o-mini",
    "google/gemini-2.5-flash",
    "deepseek/deepseek-chat",
    "llama-3.1-8b-instant",
    "llama-3.3-70b-versatile",
    "meta-llama/Llama-3.3-70B-Instruct",
    "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "meta-llama/Meta-Llama-3.1-70B-Instruct",
    "mistralai/Mixtral-8x22B-Instruct-v0.1",
    "mistralai/Mixtral-8x7B-Instruct-v0.1",
    "Qwen/Qwen2.5-72B-Instruct-Turbo",
    "accounts/fireworks/models/qwen2p5-72b-instruct",
    "llama3:8b",
    "qwen2.5:32b",
)
# GET /v1/models reports when a model was published; one fixed day (2026-01-01) serves for all.
PUBLISHED_AT = 1_767_225_600
_REASONING = re.compile(r"(^|/)(o\d|gpt-5)")


def read_models_file(path: Path) -> tuple[str, ...]:
    """Read one model id a line; blank lines and lines starting with # are skipped."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def reasons(model: str) -> bool:
    """Tell whether the model spends reasoning tokens before it answers."""
    return _REASONING.search(model) is not None


def check_model(model: str, accepted: Collection[str] | None) -> None:
    """Refuse a model that is not accepted; `None` accepts every id.

    Raises:
        RefusedError: 404 `model_not_found`.
    """
    if accepted is None or model in accepted:
        return
    raise RefusedError(
        404,
        f"The model `{model}` does not exist or you do not have access to it.",
        param="model",
        code="model_not_found",
    )


def model_document(model: str) -> dict[str, object]:
    """Build one model as `GET /v1/models` lists it."""
    return {"id": model, "object": "model", "created": PUBLISHED_AT, "owned_by": "simulator"}
