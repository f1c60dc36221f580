"""The documentation names everything a reader could meet, and nothing that is not there."""

import re
from pathlib import Path

import pytest

from farebox.api.problems import TABLE
from farebox.api.routes import ROUTES, Route
from farebox.domain import errors

ROOT = Path(__file__).parents[2]
DOCS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")}
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def all_codes() -> set[str]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    own = {code for kind in kinds if isinstance(code := vars(kind).get("code"), str)}
    services = (ROOT / "shared/farebox/services/idempotency.py").read_text(encoding="utf-8")
    return own | {row.code for row in TABLE} | set(re.findall(r'"(idempotency_[a-z_]+)"', services))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_is_in_the_api_page(route: Route) -> None:
    path = route.path.replace("+}", "}")

    assert f"{path}`" in DOCS["api.md"] or f"{path}?" in DOCS["api.md"]


@pytest.mark.parametrize("code", sorted(all_codes()))
def test_every_error_code_is_in_the_api_page(code: str) -> None:
    assert f"`{code}`" in DOCS["api.md"]


def test_every_setting_is_in_the_operations_page() -> None:
    settings = (ROOT / "shared/farebox/settings.py").read_text(encoding="utf-8")
    local = (ROOT / "local/settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r'"([A-Z][A-Z_]{3,})"', settings + local))

    missing = {name for name in names if name not in DOCS["operations.md"] + README}

    assert names >= {"ACCOUNTS_TABLE", "CREDIT_USD", "PORT", "STATE_DIR"}
    set_for_others = {"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "NO_PROXY", "PYTHONPATH"}
    assert missing - {"AWS_LAMBDA_RUNTIME_API"} - set_for_others == set()


def test_every_metric_is_in_the_operations_page() -> None:
    product = (path.read_text(encoding="utf-8") for path in (ROOT / "shared").rglob("*.py"))
    counted = set(re.findall(r'(?:count\(|_METRIC: Final = )"([A-Z]\w+)"', "\n".join(product)))

    missing = {name for name in counted if f"`{name}`" not in DOCS["operations.md"]}

    assert "Loss" in counted
    assert missing == set()


def test_every_make_target_explains_itself_and_every_one_named_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
    explained = set(re.findall(r"^([a-z][a-z-]*):.*## ", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", "\n".join([README, *DOCS.values()])))

    assert targets - explained == {"chromium", "dynoxide"}
    assert named <= targets


def test_every_page_is_reachable_and_no_link_is_dead() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]

    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in README, page.name
