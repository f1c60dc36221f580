"""What the environment of `make serve` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.problems import CannotServe

PROVIDER_VARIABLES: Final = {
    "openai": "OPENAI_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "groq": "GROQ_API_KEY",
    "together": "TOGETHER_API_KEY",
    "fireworks": "FIREWORKS_API_KEY",
    "deepinfra": "DEEPINFRA_API_KEY",
    "huggingface": "HF_TOKEN",
}
"""Which variable holds the real key of which provider."""

_DEFAULT_PORT: Final = "8080"
_DEFAULT_STATE_DIR: Final = ".local/state"
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """How to serve."""

    root: Path
    """The checkout."""
    port: int
    """0 lets the system choose."""
    state_dir: Path
    env_file: Path
    """Where the credentials are written for a shell to source."""
    reload: bool
    lenient: bool
    provider_keys: Mapping[str, str]
    """Real provider keys by provider."""
    inherited: Mapping[str, str]
    """The rest of the environment that our processes may see."""


def read_settings(
    environment: Mapping[str, str], root: Path, env_file: Path | None
) -> ServeSettings:
    """Read the settings; an empty variable counts as unset.

    Args:
        environment: The process's variables.
        root: The checkout, to which relative paths are relative.
        env_file: Where to write the credentials; `None` for `.local/env`.

    Raises:
        CannotServe: PORT is not a port.
    """
    port = environment.get("PORT") or _DEFAULT_PORT
    if not port.isascii() or not port.isdecimal() or int(port) > _LAST_PORT:
        raise CannotServe(f"PORT={port} is not a port number.")
    keys = {name: environment.get(name, "").strip() for name in PROVIDER_VARIABLES.values()}
    return ServeSettings(
        root=root,
        port=int(port),
        state_dir=root / (environment.get("STATE_DIR") or _DEFAULT_STATE_DIR),
        env_file=env_file or root / ".local" / "env",
        reload=environment.get("RELOAD", "0") not in ("", "0"),
        lenient=environment.get("SANDBOX_LENIENT", "0") not in ("", "0"),
        provider_keys={
            provider: keys[name] for provider, name in PROVIDER_VARIABLES.items() if keys[name]
        },
        inherited=_harmless(environment),
    )


def _harmless(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out provider keys, and what could lead an AWS client to a real account."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("AWS_", "PYTHONPATH")) and name not in PROVIDER_VARIABLES.values()
    }
    direct = ",".join(filter(None, (environment.get("NO_PROXY"), "127.0.0.1", "localhost")))
    return kept | {
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": direct,
        "no_proxy": direct,
    }
