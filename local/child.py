"""Run a module as a child of `make serve`: `python -m local.child MODULE [ARGUMENT…]`.

A child must not outlive its supervisor, however that one dies. Its standard input is a pipe only
the supervisor holds open, so the end of that pipe is the sign, on every Unix.
"""

import os
import runpy
import signal
import sys
import threading
import time
from typing import Final

_GRACE_SECONDS: Final = 10.0


def main() -> None:
    """Watch the pipe, and become the module named on the command line."""
    threading.Thread(target=_end_with_the_supervisor, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_the_supervisor() -> None:
    while os.read(sys.__stdin__.fileno() if sys.__stdin__ else 0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
