"""The tree a function finds on Lambda, byte-compiled as our build compiles it.

    opt/python  both layers: our code, and what it depends on
    runtime     what the managed runtime brings along
    task        the functions, each in its folder, and those that are measured beside them

Measured on a source tree, imports would cost twice as much and the environment's own start-up hooks
would count too.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from bench.world import ROOT

PYTHON: Final = f"{sys.base_prefix}/bin/python3.13"
"""The interpreter itself: that of a virtual environment runs hooks Lambda does not have."""

_RUNTIME: Final = ("awslambdaric", "simplejson", "snapshot-restore-py")
_LOCK: Final = ROOT / "layers/dependencies/requirements.txt"
_IGNORED: Final = shutil.ignore_patterns("__pycache__")


@dataclass(frozen=True, slots=True)
class Artefacts:
    """Where the parts are."""

    layers: Path
    runtime: Path
    task: Path

    @property
    def exec_wrapper(self) -> Path:
        """The layer's wrapper."""
        return self.layers / "farebox/runtime/exec-wrapper"


def build_artefacts(directory: Path) -> Artefacts:
    """Copy and compile everything."""
    made = Artefacts(directory / "opt/python", directory / "runtime", directory / "task")
    shutil.copytree(ROOT / "shared/farebox", made.layers / "farebox", ignore=_IGNORED)
    _copy_distributions(_locked_names(), made.layers)
    _copy_distributions(_RUNTIME, made.runtime)
    for folder in ("functions", "bench"):
        shutil.copytree(ROOT / folder, made.task / folder, ignore=_IGNORED)
    _compile(directory)
    return made


def _compile(directory: Path) -> None:
    how = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([PYTHON, "-m", "compileall", *how, directory], check=True)


def _locked_names() -> Iterator[str]:
    return iter(re.findall(r"^([a-z0-9-]+)==", _LOCK.read_text(encoding="utf-8"), re.MULTILINE))


def _copy_distributions(names: Iterable[str], target: Path) -> None:
    for name in names:
        for file in distribution(name).files or ():
            if ".." in file.parts or "__pycache__" in file.parts:
                continue
            there = target / file
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), there)
