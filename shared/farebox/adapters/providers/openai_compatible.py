"""Providers that speak OpenAI's own wire format: what a caller sent is passed on untranslated.

OpenAI, OpenRouter, Groq, Together, Fireworks, DeepInfra, Hugging Face, Ollama and, by its
compatibility layer, Anthropic (base URLs and their sources are in the catalogue).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

from farebox.adapters.http_wire import Exchange, Origin, WireError
from farebox.domain.errors import ProviderFailed, ProviderTimedOut
from farebox.domain.json_text import encode_json
from farebox.services.ports.clock import Clock

_CHAT_PATH: Final = "/chat/completions"
_SILENCE_SECONDS: Final = 120.0
"""How long a provider may say nothing, before its first byte as between two."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is reached, and with what key; none for a machine of our own."""

    base_url: str
    api_key: str | None


class OpenAICompatibleProvider:
    """Implements the `ChatProvider` port over connections kept to every endpoint."""

    def __init__(
        self,
        endpoints: Callable[[], Mapping[str, Endpoint]],
        clock: Clock,
        *,
        silence_seconds: float = _SILENCE_SECONDS,
    ) -> None:
        """Prepare, without connecting.

        Args:
            endpoints: Gives the configured endpoints by provider name; asked on every request, so
                that a rotated key is used once its cache says so.
            clock: Tells for how long a connection was idle.
            silence_seconds: How long a provider may say nothing while it owes an answer.
        """
        self._endpoints = endpoints
        self._clock = clock
        self._silence_seconds = silence_seconds
        self._origins: dict[str, Origin] = {}
        self._lock = Lock()

    def is_configured(self, provider: str) -> bool:
        """Tell whether the operator has configured this provider."""
        return provider in self._endpoints()

    def send_chat(self, provider: str, body: Mapping[str, object]) -> "OpenAICompatibleReply":
        """Send a chat completion request; see the port."""
        endpoint = self._endpoints().get(provider)
        if endpoint is None:
            raise ProviderFailed(f"The provider {provider} is not configured.")
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream" if body.get("stream") else "application/json",
            "User-Agent": "farebox",
        }
        if endpoint.api_key is not None:
            headers["Authorization"] = f"Bearer {endpoint.api_key}"
        try:
            return OpenAICompatibleReply(
                provider, self._origin(endpoint).post(_CHAT_PATH, encode_json(body), headers)
            )
        except WireError as error:
            raise _translated(provider, error) from error

    def _origin(self, endpoint: Endpoint) -> Origin:
        origin = self._origins.get(endpoint.base_url)
        if origin is None:
            with self._lock:
                made = Origin(endpoint.base_url, self._clock, silence_seconds=self._silence_seconds)
                origin = self._origins.setdefault(endpoint.base_url, made)
        return origin


class OpenAICompatibleReply:
    """Implements the `ProviderReply` port."""

    def __init__(self, provider: str, exchange: Exchange) -> None:
        self._provider = provider
        self._exchange = exchange

    def started(self, patience_seconds: float) -> bool:
        """Wait for the first byte; see the port."""
        try:
            return self._exchange.started(patience_seconds)
        except WireError as error:
            raise _translated(self._provider, error) from error

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._exchange.status

    def header(self, name: str) -> str | None:
        """Give a header of the answer."""
        return self._exchange.header(name)

    def chunks(self, patience_seconds: float) -> Iterator[bytes | None]:
        """Give the body as it arrives; see the port."""
        try:
            yield from self._exchange.chunks(patience_seconds)
        except WireError as error:
            raise _translated(self._provider, error) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._exchange.close()


def _translated(provider: str, error: WireError) -> ProviderFailed | ProviderTimedOut:
    if error.timed_out:
        return ProviderTimedOut(f"The provider {provider} did not answer in time.")
    return ProviderFailed(f"The connection to the provider {provider} failed.")
