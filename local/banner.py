"""What `make serve` tells the person at the terminal."""

import json
import shlex
import time
from pathlib import Path

from local.credentials import Credentials
from local.providers import Providers
from local.settings import ServeSettings


class Progress:
    """One line for each step done, with the time it took."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def done(self, what: str) -> None:
        """Report a step that has just ended."""
        now = time.monotonic()
        print(f"  {what:<40} {now - self._last:5.1f} s", flush=True)
        self._last = now


def ready_message(
    settings: ServeSettings, credentials: Credentials, providers: Providers, url: str
) -> str:
    """Compose what is said once everything is up: where, on what, and a line to paste."""
    example = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}
    curl = (
        f"curl {url}/v1/chat/completions -H 'Authorization: Bearer {credentials.user_key}' "
        f"-H 'Content-Type: application/json' -d '{json.dumps(example)}'"
    )
    state = _short(settings.state_dir)
    return "\n".join(
        (
            "",
            f"Farebox is ready at {url} (Ctrl-C stops it).",
            "",
            f"  models    {providers.describe()}",
            f"  state     {state} (logs in {state}/log)",
            f"  keys      source {shlex.quote(_short(settings.env_file))}",
            f"  pages     {url}/docs",
            "",
            f"  {curl}",
            "",
        )
    )


def _short(path: Path) -> str:
    """Give a path as a person in the current directory would write it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
