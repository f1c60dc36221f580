"""The secrets of one STATE_DIR: made at its first start, kept in one private file.

Everything the seeding writes can be written again from it, so that an emulator that lost its state
comes back with the same keys, the same users and the same opening grants.
"""

import base64
import dataclasses
import json
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from farebox.domain.identity import make_service_key, make_user_key
from local.problems import CannotServe
from local.state import write_private

DEMO_SERVICE: Final = "demo"
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is random, and stays as it is from one start to the next."""

    created_ms: int
    """When the state directory was first used, unix milliseconds; dates the opening grants."""
    access_key_id: str
    """The emulator's; nobody else is told."""
    secret_access_key: str
    user_id: str
    user_key: str
    admin_id: str
    admin_key: str
    organisation_id: str
    service_key: str
    pepper: str
    """The first pepper, base64; the secret store may have newer ones."""
    answers_key: str
    """The first key that stored answers are encrypted with, base64."""

    @classmethod
    def make(cls, created_ms: int) -> Self:
        """Make new ones."""
        return cls(
            created_ms=created_ms,
            access_key_id=f"FAREBOX{secrets.token_hex(8).upper()}",
            secret_access_key=secrets.token_hex(20),
            user_id=f"usr_{secrets.token_hex(8)}",
            user_key=make_user_key(secrets.randbits(224)),
            admin_id=f"usr_{secrets.token_hex(8)}",
            admin_key=make_user_key(secrets.randbits(224)),
            organisation_id=f"org_{secrets.token_hex(8)}",
            service_key=make_service_key(DEMO_SERVICE, secrets.randbits(256)),
            pepper=base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii"),
            answers_key=base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii"),
        )


def load_or_make(path: Path, now_ms: int) -> Credentials:
    """Read the credentials of a state directory, making them at its first start.

    Args:
        path: The file that keeps them.
        now_ms: The time, for new ones.

    Raises:
        CannotServe: The file is there and is not what we wrote.
    """
    if not path.exists():
        made = Credentials.make(now_ms)
        write_private(path, json.dumps(dataclasses.asdict(made), indent=2) + "\n")
        return made
    try:
        return Credentials(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CannotServe(
            f"{path} cannot be used ({error}); to start afresh, delete its directory."
        ) from error


def write_env_file(path: Path, credentials: Credentials, url: str) -> None:
    """Write what a client needs, for a shell to source.

    Args:
        path: The file; its directory is made if need be.
        credentials: Whose keys.
        url: Where we serve, without a path.
    """
    variables = {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": credentials.user_key,
        "FAREBOX_URL": url,
        "FAREBOX_ADMIN_KEY": credentials.admin_key,
        "FAREBOX_SERVICE_KEY": credentials.service_key,
    }
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, "".join(lines))
