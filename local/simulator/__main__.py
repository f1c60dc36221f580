"""`python -m local.simulator --port N`: start the simulator and say where it listens."""

import argparse
import os
from pathlib import Path

from local.simulator.app import create_app
from local.simulator.models import BUILT_IN_MODELS, read_models_file
from local.simulator.server import listen, serve


def main() -> None:
    """Read the command line and serve until told to stop."""
    options = _parser().parse_args()
    models = read_models_file(options.models_file) if options.models_file else BUILT_IN_MODELS
    lenient = options.lenient or _lenient_by_environment()
    app = create_app(models=models, lenient=lenient, pace_seconds=options.pace)
    listener = listen(options.port)
    print(f"simulator: http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)
    serve(app, listener)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--pace", type=float, default=0.03, help="seconds between stream events")
    parser.add_argument("--models-file", type=Path, help="accepted model ids, one a line")
    parser.add_argument(
        "--lenient", action="store_true", help="any model, any field (or SANDBOX_LENIENT=1)"
    )
    return parser


def _lenient_by_environment() -> bool:
    # A process of its own, outside the product and its settings.
    return os.environ.get("SANDBOX_LENIENT") == "1"  # noqa: TID251


if __name__ == "__main__":
    main()
