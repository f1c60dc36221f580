"""The body of `POST /v1/chat/completions`, typed.

Only what shapes the answer is typed closely; the rest is known by name, so that a misspelt field
is refused as OpenAI refuses it, and otherwise ignored.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

type _Penalty = Annotated[float, Field(ge=-2, le=2)]
type _Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class Wire(BaseModel):
    """A part of a request: no coercion, unknown keys inside it ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class ImageUrl(Wire):
    """Where an image is; never fetched."""

    url: str


class Part(Wire):
    """One part of a message's content."""

    type: Literal["text", "image_url", "input_audio", "file", "refusal"]
    text: str | None = None
    refusal: str | None = None
    image_url: ImageUrl | None = None

    @model_validator(mode="after")
    def _has_its_payload(self) -> Self:
        if self.type in ("text", "image_url") and getattr(self, self.type) is None:
            raise PydanticCustomError("missing_payload", self.type)
        return self


class FunctionCall(Wire):
    """A function call as the assistant wrote it; `arguments` is JSON text."""

    name: str
    arguments: str


class CallPart(Wire):
    """One tool call of an earlier assistant message."""

    id: str
    function: FunctionCall | None = None


class Message(Wire):
    """One message of the conversation."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_calls: list[CallPart] | None = None
    tool_call_id: str | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.role == "tool" and self.tool_call_id is None:
            raise PydanticCustomError("missing_payload", "tool_call_id")
        if self.role != "assistant" and self.content is None:
            raise PydanticCustomError("missing_payload", "content")
        return self

    @property
    def parts(self) -> list[Part]:
        """Return the content as parts, whichever way it was written."""
        if isinstance(self.content, list):
            return self.content
        return [Part(type="text", text=self.content)] if self.content else []

    @property
    def text(self) -> str:
        """Return all the text of the content, one part a line."""
        return "\n".join(part.text or part.refusal or "" for part in self.parts).strip("\n")

    @property
    def images(self) -> int:
        """Return how many images the content has."""
        return sum(part.type == "image_url" for part in self.parts)


class FunctionTool(Wire):
    """A function the model may call; `parameters` is a JSON schema."""

    name: _Name
    description: str | None = None
    parameters: dict[str, object] | None = None


class Tool(Wire):
    """A tool; only functions are ever called."""

    type: Literal["function", "custom"]
    function: FunctionTool | None = None


class FunctionName(Wire):
    """The function a `tool_choice` insists on."""

    name: str


class NamedToolChoice(Wire):
    """A `tool_choice` given as an object."""

    type: str
    function: FunctionName | None = None


class NamedSchema(Wire):
    """The JSON schema of a structured answer."""

    name: _Name
    document: Mapping[str, object] = Field(default={}, alias="schema")


class ResponseFormat(Wire):
    """What the answer's text must be."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None


class StreamOptions(Wire):
    """What a stream carries besides the answer."""

    include_usage: bool | None = None


class ChatRequest(Wire):
    """A chat completion request; `None` means the field was absent or null."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    seed: int | None = None
    user: str | None = None
    reasoning_effort: str | None = None
    audio: object = None
    function_call: object = None
    functions: object = None
    image_config: object = None
    logit_bias: object = None
    metadata: object = None
    modalities: object = None
    moderation: object = None
    prediction: object = None
    prompt_cache_key: object = None
    prompt_cache_options: object = None
    prompt_cache_retention: object = None
    safety_identifier: object = None
    service_tier: object = None
    store: object = None
    verbosity: object = None
    web_search_options: object = None

    @property
    def cap(self) -> int | None:
        """Return the output bound in tokens, `None` when the request sets none."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    @property
    def pictures(self) -> int:
        """Return how many pictures the answer has: one a choice when the modality asks for it."""
        asked = isinstance(self.modalities, list) and "image" in self.modalities
        return (self.n or 1) if asked else 0

    @property
    def last_user_text(self) -> str:
        """Return the text of the last user message, or of the last message without one."""
        return self._last_user_message.text

    @property
    def last_user_images(self) -> int:
        """Return the images of the same message."""
        return self._last_user_message.images

    @property
    def last_user_image_urls(self) -> list[str]:
        """Return where those images are."""
        parts = self._last_user_message.parts
        return [part.image_url.url for part in parts if part.image_url is not None]

    @property
    def tool_results(self) -> list[Message]:
        """Return the tool messages that end the conversation, oldest first."""
        results: list[Message] = []
        for message in reversed(self.messages):
            if message.role not in ("tool", "function"):
                break
            results.insert(0, message)
        return results

    @property
    def _last_user_message(self) -> Message:
        said = [message for message in self.messages if message.role == "user"]
        return said[-1] if said else self.messages[-1]
