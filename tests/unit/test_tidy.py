"""Rules of the house that no linter keeps: sizes, and what the project must not say."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
LONGEST_HANDLER = 120


def tracked(*endings: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    files = [ROOT / name for name in listed] or list(ROOT.rglob("*"))
    return [f for f in files if f.is_file() and f.name.endswith(endings)]


PYTHON_FILES = tracked(".py")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PYTHON_FILES, ids=relative)
def test_a_module_and_its_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert text.count("\n") <= LONGEST_MODULE
    for function in functions:
        lines = (function.end_lineno or 0) - function.lineno + 1
        assert lines <= LONGEST_FUNCTION, f"{function.name} has {lines} lines"


def test_handlers_fit_two_screens() -> None:
    handlers = sorted((ROOT / "functions").glob("*/handler.py"))

    assert handlers
    for handler in handlers:
        assert handler.read_text(encoding="utf-8").count("\n") <= LONGEST_HANDLER, handler


def test_every_module_of_the_product_says_what_it_is_for() -> None:
    product = {"shared", "local", "functions", "bench"}
    modules = [path for path in PYTHON_FILES if path.relative_to(ROOT).parts[0] in product]

    silent = [
        relative(path)
        for path in modules
        if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]

    assert modules
    assert silent == []


def test_locks_are_hashed_and_name_no_hosts() -> None:
    locks = tracked("requirements.txt")

    assert len(locks) >= 4
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        pins = re.findall(r"^[a-zA-Z0-9_.\[\]-]+==", text, re.MULTILINE)
        assert pins, lock
        assert text.count("--hash=sha256:") >= len(pins), lock
        assert "://" not in text, lock


def test_the_project_speaks_of_itself_alone() -> None:
    machine_path = re.compile(r"(?<![\w./-])/(?:work|root|farm)/")

    guilty = [
        relative(path)
        for path in tracked(".py", ".md", ".toml", ".yaml", ".json", ".txt", ".in", "Makefile")
        if path.name != "test_tidy.py"
        and (
            machine_path.search(path.read_text(encoding="utf-8"))
            or "registry." + "npmjs" in path.read_text(encoding="utf-8")
        )
    ]

    assert guilty == []


def test_every_sample_event_is_json_and_belongs_to_a_function() -> None:
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}

    for event in sorted((ROOT / "events").glob("*.json")):
        json.loads(event.read_text(encoding="utf-8"))
        assert any(event.stem.startswith(name) for name in functions), event
    for name in functions:
        assert (ROOT / "events" / f"{name}.json").exists(), name
