"""A model provider, as a use case sees it: a request goes out, an answer trickles in."""

from collections.abc import Iterator, Mapping
from typing import Protocol


class ProviderReply(Protocol):
    """The answer under way.

    Every method may raise `ProviderFailed` (connection lost, not HTTP) or `ProviderTimedOut`
    (silent for longer than the provider may be).
    """

    def started(self, patience_seconds: float) -> bool:
        """Wait for the first byte of the answer; `False` if it is not here yet."""
        ...

    @property
    def status(self) -> int:
        """The HTTP status; only once it has started."""
        ...

    def header(self, name: str) -> str | None:
        """Give a header of the answer; only once it has started."""
        ...

    def chunks(self, patience_seconds: float) -> Iterator[bytes | None]:
        """Give the body as it arrives; `None` whenever nothing came for that long."""
        ...

    def close(self) -> None:
        """Let go of the connection; it is kept for the next request if the body was read whole."""
        ...


class ChatProvider(Protocol):
    """The way to the providers the operator has configured."""

    def is_configured(self, provider: str) -> bool:
        """Tell whether there is a key, or a machine of our own, behind this name."""
        ...

    def send_chat(self, provider: str, body: Mapping[str, object]) -> ProviderReply:
        """Send a chat completion request.

        Raises:
            ProviderFailed: No connection could be made; nothing was sent.
        """
        ...
