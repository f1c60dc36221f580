"""The shapes of every answer, described for `/openapi.json`.

The chat path imports no pydantic at its start and writes its answers by hand, so the models here
build nothing: they only describe, and tests hold real answers against them.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from farebox.api import wire
from farebox.domain.catalogue import Kind
from farebox.domain.tiers import Tier

type Json = dict[str, Any]


class Passed(BaseModel):
    """The base of what comes from a provider: fields it adds are passed on."""

    model_config = ConfigDict(extra="allow")


class Usage(Passed):
    """The tokens of a request, and what they cost."""

    prompt_tokens: int = Field(description="Tokens read, those from the provider's cache included.")
    completion_tokens: int = Field(description="Tokens written, reasoning included.")
    total_tokens: int | None = None
    cost: float = Field(description="What was charged, in US dollars.")
    cost_credits: float = Field(description="What was charged, in credits.")
    cost_nanousd: int = Field(description="What was charged, exactly, in nano-dollars.")
    estimated: bool = Field(
        default=False, description="The provider reported no usage; the counts are estimates."
    )


class FunctionCall(Passed):
    """A function the model wants called; `arguments` is JSON, as text."""

    name: str
    arguments: str


class ToolCall(Passed):
    """A call the model asks for."""

    id: str
    type: Literal["function"]
    function: FunctionCall


class AnswerMessage(Passed):
    """What the model says."""

    role: Literal["assistant"]
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None


class Choice(Passed):
    """One of `n` answers."""

    index: int
    message: AnswerMessage
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None


class ChatCompletion(Passed):
    """An answer, whole: OpenAI's object, with the cost beside the usage."""

    id: str
    object: Literal["chat.completion"]
    created: int = Field(description="Unix time in seconds.")
    model: str = Field(description="The model as its provider calls it.")
    choices: list[Choice]
    usage: Usage


class ChunkChoice(Passed):
    """What a chunk adds to one of `n` answers."""

    index: int
    delta: dict[str, Any] = Field(description="The parts of a message that are new.")
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None


class ChatCompletionChunk(Passed):
    """One event of a streamed answer.

    If `stream_options.include_usage` asks for it, the usage comes once, last, with no `choices`.
    """

    id: str
    object: Literal["chat.completion.chunk"]
    created: int = Field(description="Unix time in seconds.")
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None


class Pricing(wire.Wire):
    """List prices; power level and tier change what is charged."""

    currency: Literal["USD"]
    per_tokens: Literal[1_000_000]
    input: float
    cached_input: float
    output: float
    version: str = Field(description="Names these figures; receipts carry it.")
    source: str = Field(description="The seller's own page.")


class Model(wire.Wire):
    """A model: OpenAI's object, with what it costs and can do."""

    id: str
    object: Literal["model"]
    created: int = Field(description="The day of its release, unix time in seconds.")
    owned_by: str
    kind: Kind
    tier: Tier = Field(description="The lowest tier that may use it.")
    context_length: int
    max_output_tokens: int
    capabilities: list[str]
    aliases: list[str] = Field(description="Other names it answers to.")
    pricing: Pricing


class ModelList(wire.Wire):
    """Models, in the catalogue's order."""

    object: Literal["list"]
    data: list[Model]


class Ready(wire.Wire):
    """A sign of life."""

    name: Literal["farebox"]
    status: Literal["ready"]
    docs: str


class Error(wire.Wire):
    """What went wrong; all four keys are always there."""

    message: str = Field(description="For a person.")
    type: str = Field(description="The family of the error.")
    param: str | None = Field(description="The field or header at fault.")
    code: str = Field(description="For a program.")


_WRITTEN_BY_HAND: Final = (ChatCompletion, ChatCompletionChunk, Model, ModelList, Ready, Error)
_BUILT: Final = (wire.Balance, wire.Credits, wire.Generation, wire.KeyDescription, wire.Health)


class _Plain(GenerateJsonSchema):
    """Schemas without titles that repeat names, and without defaults that only mean absence."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - inherited
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: ANN401 - inherited
        return self.mode == "serialization" or super().field_is_required(field, total)

    def default_schema(self, schema: Any) -> Json:  # noqa: ANN401 - inherited
        return self.generate_inner(schema["schema"])


def model_schemas() -> Json:
    """Describe every answer and its parts, by name."""
    # What we only describe may lack what has a default; what we build never does.
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((model, "validation") for model in _WRITTEN_BY_HAND),
        *((model, "serialization") for model in _BUILT),
    ]
    _, schemas = models_json_schema(
        modes, ref_template="#/components/schemas/{model}", schema_generator=_Plain
    )
    described: Json = schemas["$defs"]
    return described
