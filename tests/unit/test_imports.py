"""What the chat function's start may load: every cold start pays for it, and none may grow unseen.

`make bench-cold` measures what it costs; here modules are counted, which never fails by chance. A
name missing from `chat_imports.txt` may be added to it, once `--why` has said what it costs.
"""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

ALLOWED: Final = frozenset(Path(__file__).with_name("chat_imports.txt").read_text("utf-8").split())
"""Top-level packages; the standard library's private ones are not named."""

FORBIDDEN: Final = (
    "anyio",
    "asyncio",
    "boto3",
    "botocore.session",
    "cryptography",
    "fastapi",
    "httpx",
    "jwt",
    "mangum",
    "pydantic",
    "starlette",
    "uvicorn",
)

_PROGRAM: Final = """
import sys
before = set(sys.modules)
sys.path[:0] = sys.argv[1:]
import farebox.runtime.stream
import handler
print("loaded", *(set(sys.modules) - before))
"""

_ENVIRONMENT: Final = {
    "ACCOUNTS_TABLE": "accounts",
    "ENTRIES_TABLE": "entries",
    "APP_TABLE": "app",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}
"""Nothing listens there: a start takes note of that, and goes on."""


@cache
def loaded() -> frozenset[str]:
    """Start the function as the streaming runtime does, and list what it has loaded."""
    paths = [str(ROOT / "shared"), str(ROOT / "functions/chat")]
    done = subprocess.run(
        [sys.executable, "-I", "-c", _PROGRAM, *paths],
        env=_ENVIRONMENT,
        capture_output=True,
        check=True,
        text=True,
    )
    return frozenset(done.stdout.splitlines()[-1].split()[1:])


def test_the_chat_functions_start_loads_nothing_but_what_is_on_the_list() -> None:
    packages = {name.partition(".")[0] for name in loaded()}

    assert "farebox" in packages
    assert {name for name in packages if not name.startswith("_")} - ALLOWED == set()


@pytest.mark.parametrize("module", FORBIDDEN)
def test_it_does_not_load(module: str) -> None:
    assert module not in loaded()


def test_of_botocore_it_loads_the_name_only() -> None:
    """Powertools looks whether it is there; a module of it would cost tens of milliseconds."""
    assert {name for name in loaded() if name.startswith("botocore")} <= {"botocore"}
