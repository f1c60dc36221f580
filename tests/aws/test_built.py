"""What `make build` made, as it is zipped and unpacked to /opt and /var/task."""

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.aws

LAYERS = ("FareboxLayer", "DependenciesLayer")
FUNCTIONS = (
    "ChatFunction",
    "CreditsFunction",
    "AccountFunction",
    "SystemFunction",
    "SweepHoldsFunction",
)
UNZIPPED_BYTES = 250 * 1024 * 1024
"""Of a function and all its layers together.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (2026-11)
"""

AARCH64 = 183
"""`e_machine` of an ELF file: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html."""

UNCHECKED_HASH = 0b01
"""The flags of byte code that is never compared with its source: https://peps.python.org/pep-0552."""


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_the_wrapper_is_there_and_can_be_executed(build: Path) -> None:
    wrapper = build / "FareboxLayer/python/farebox/runtime/exec-wrapper"

    assert os.access(wrapper, os.X_OK)
    assert wrapper.read_bytes().startswith(b"#!/bin/sh\n")


def test_the_layer_with_our_code_has_nothing_else_in_it(build: Path) -> None:
    assert [each.name for each in (build / "FareboxLayer/python").iterdir()] == ["farebox"]
    assert (build / "FareboxLayer/python/farebox/domain/ledger.py").is_file()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_its_handler(build: Path, function: str) -> None:
    files = {each.name for each in (build / function).iterdir()}

    assert files - {"__pycache__"} == {"__init__.py", "handler.py"}


def test_every_native_library_is_for_the_processor_of_the_functions(build: Path) -> None:
    libraries = [file for file in build.rglob("*.so*") if file.is_file()]

    machines = {int.from_bytes(file.read_bytes()[18:20], "little") for file in libraries}

    assert len(libraries) >= 3
    assert machines == {AARCH64}


@pytest.mark.parametrize("layer", [*LAYERS, *FUNCTIONS])
def test_every_module_comes_with_byte_code_that_is_used_as_it_is(build: Path, layer: str) -> None:
    """Zipped files have no dates to compare, and /opt cannot be written to: without it, every
    cold start would compile.
    """
    modules = list((build / layer).rglob("*.py"))
    compiled = [file.parent / "__pycache__" / f"{file.stem}.cpython-313.pyc" for file in modules]

    flags = {int.from_bytes(file.read_bytes()[4:8], "little") for file in compiled}

    assert flags == {UNCHECKED_HASH}


def test_a_function_and_its_layers_are_well_below_lambdas_limit(build: Path) -> None:
    layers = sum(size_of(build / layer) for layer in LAYERS)

    assert layers + max(size_of(build / each) for each in FUNCTIONS) < UNZIPPED_BYTES // 2
