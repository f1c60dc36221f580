"""The body of `POST /v1/embeddings`, typed."""

from typing import Annotated, Literal

from pydantic import Field

from local.simulator.chat_request import Wire

type Token = Annotated[int, Field(ge=0)]
type Tokens = Annotated[list[Token], Field(min_length=1)]
type Text = Annotated[str, Field(min_length=1)]


class EmbeddingRequest(Wire):
    """An embedding request; `None` means the field was absent or null."""

    model: str
    input: (
        Text
        | Annotated[list[Text], Field(min_length=1, max_length=2048)]
        | Tokens
        | Annotated[list[Tokens], Field(min_length=1, max_length=2048)]
    )
    dimensions: Annotated[int, Field(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None
