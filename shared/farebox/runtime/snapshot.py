"""SnapStart: stop between initialisation and the first invocation while Lambda takes a snapshot.

Hooks are registered with AWS's `snapshot_restore_py`, which the managed runtime brings along; a
handler that registers none never imports it, and then there is nothing to run.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html (2026-11)
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

from farebox.runtime.faults import describe, log_failure
from farebox.runtime.runtime_api import RuntimeApi

type Hook = tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]

_BEFORE_SNAPSHOT_EXIT: Final = 64
_AFTER_RESTORE_EXIT: Final = 65


def pass_through_snapshot(api: RuntimeApi) -> None:
    """Run the hooks before the snapshot (last one first), wait for the restore, run those after it.

    Raises:
        SystemExit: a hook failed; Lambda has been told.
    """
    registry = sys.modules.get("snapshot_restore_py")
    try:
        if registry is not None:
            _run(reversed(registry.get_before_snapshot()))
        api.wait_for_restore()
    except Exception as error:
        log_failure("the environment could not be made ready for its snapshot", error)
        api.report_init_error(describe(error, "Runtime.BeforeSnapshotError"))
        raise SystemExit(_BEFORE_SNAPSHOT_EXIT) from error
    try:
        if registry is not None:
            _run(registry.get_after_restore())
    except Exception as error:
        log_failure("the environment could not be restored", error)
        api.report_restore_error(describe(error, "Runtime.AfterRestoreError"))
        raise SystemExit(_AFTER_RESTORE_EXIT) from error


def _run(hooks: Iterable[Hook]) -> None:
    for function, arguments, keywords in hooks:
        function(*arguments, **keywords)
