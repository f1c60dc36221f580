"""`make serve`: Farebox on this machine, as it would run on AWS. `python -m local.serve`.

Settings come from the environment: PORT (8080), STATE_DIR (.local/state), RELOAD=1,
SANDBOX_LENIENT=1, and the real keys of providers; see `local.settings`.
"""

import argparse
import importlib.util
import os
import sys
from pathlib import Path
from typing import Final

from local.problems import CannotServe
from local.settings import read_settings

_ROOT: Final = Path(__file__).resolve().parents[1]
_OLDEST_PYTHON: Final = (3, 13)
_NEEDED: Final = ("boto3", "fastapi", "pydantic", "starlette", "uvicorn", "yaml")
_EMULATOR: Final = Path(".venv-emulator/bin/ministack")


def main() -> int:
    """Serve until told to stop; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--env-file", type=Path, help="where to write the credentials (.local/env)")
    options = parser.parse_args()
    try:
        require_installed(_ROOT)
        environment = os.environ  # noqa: TID251 - the settings of a tool outside the product
        settings = read_settings(environment, _ROOT, options.env_file)
        sys.path.insert(0, str(_ROOT / "shared"))
        from local.supervisor import serve  # noqa: PLC0415 - it needs what was just checked

        return serve(settings)
    except CannotServe as problem:
        print(f"make serve: {problem}", file=sys.stderr)
        return problem.exit_code


def require_installed(root: Path) -> None:
    """Check that everything is there, so that what is not is named in one line.

    Raises:
        CannotServe: Python is too old, or packages or the emulator are missing.
    """
    if sys.version_info < _OLDEST_PYTHON:
        raise CannotServe("Python 3.13 or newer is needed.")
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        names = ", ".join(missing)
        raise CannotServe(f"{sys.executable} lacks {names}; `make serve` installs them in .venv.")
    if not (root / _EMULATOR).exists():
        raise CannotServe("The AWS emulator is missing; `make serve` installs it.")


if __name__ == "__main__":
    sys.exit(main())
