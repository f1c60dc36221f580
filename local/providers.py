"""Who answers behind the gateway: real providers whose keys are set, or the simulator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from farebox.domain.identity import user_key_id
from local.ports import HOST
from local.probe import get
from local.settings import PROVIDER_VARIABLES

OLLAMA: Final = "ollama"
SIMULATOR_KEY: Final = "simulator"
_OLLAMA_PORT: Final = 11434
_PROBE_SECONDS: Final = 0.3

type Secret = dict[str, dict[str, str]]
"""By provider: its `api_key`, and its `base_url` where that is not the catalogue's."""


@dataclass(frozen=True, slots=True)
class Providers:
    """What is behind the gateway in this run."""

    keys: Mapping[str, str]
    """Real keys by provider."""
    ollama: bool
    """Whether an Ollama answers on this machine."""
    simulated: bool
    """Whether the simulator is needed."""

    def secret(self, simulator_url: str | None) -> Secret:
        """Compose the `providers` secret.

        With real keys, only their providers are configured, and the simulator stands in for the
        local models alone.
        """
        real = {provider: {"api_key": key} for provider, key in self.keys.items()}
        if self.ollama:
            real[OLLAMA] = {"base_url": f"http://{HOST}:{_OLLAMA_PORT}/v1"}
        if simulator_url is None:
            return real
        stand_in = {"api_key": SIMULATOR_KEY, "base_url": f"{simulator_url}/v1"}
        names = (OLLAMA,) if self.keys else (*PROVIDER_VARIABLES, OLLAMA)
        return dict.fromkeys(names, stand_in) | real

    def describe(self) -> str:
        """Name them for a person, without a secret."""
        names = [f"{provider} ({PROVIDER_VARIABLES[provider]})" for provider in sorted(self.keys)]
        names += ["Ollama on this machine"] if self.ollama else []
        names += ["the provider simulator"] if self.simulated else []
        return ", ".join(names)


def find_providers(
    keys: Mapping[str, str], own_keys: frozenset[str], *, lenient: bool, ollama: bool
) -> Providers:
    """Decide who answers.

    A shell that sourced our own `.local/env` has one of our keys in OPENAI_API_KEY; such a key is
    no provider's, and taking it for one would point the gateway at a stranger.

    Args:
        keys: What the environment has, by provider.
        own_keys: The keys this state directory hands out.
        lenient: Whether local models must answer even if there are real keys.
        ollama: Whether an Ollama answers here.
    """
    real = {
        provider: key
        for provider, key in keys.items()
        if key not in own_keys and user_key_id(key) is None
    }
    return Providers(real, ollama=ollama, simulated=not real or (lenient and not ollama))


def ollama_answers(port: int = _OLLAMA_PORT) -> bool:
    """Look whether an Ollama listens on this machine; takes 0.3 s at most."""
    answer = get(port, "/api/version", _PROBE_SECONDS)
    return answer is not None and b'"version"' in answer[1]
