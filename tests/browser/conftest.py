"""A stack that serves, and a Chromium that looks at it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.local_stack import LocalStack, local_stack

ROOT = Path(__file__).parents[2]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
COLLECT = """
window.violations = [];
addEventListener("securitypolicyviolation", event => violations.push(event.violatedDirective));
"""

type OpenDocs = Callable[..., Page]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with local_stack(tmp_path_factory.mktemp("state")) as stack:
        yield stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("There is no Chromium; `make test-web` installs it.")
    # Chromium's sandbox refuses to work for root, as whom containers run.
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*QUIET, *sandbox])
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser found fault with on the pages of a test."""
    return []


@pytest.fixture
def open_docs(browser: Browser, stack: LocalStack, complaints: list[str]) -> Iterator[OpenDocs]:
    """Opens `/docs`; settings are those of a Playwright context."""
    opened = []

    def open_page(*, width: int = 1280, **settings: Any) -> Page:  # noqa: ANN401 - Playwright's
        context = browser.new_context(viewport={"width": width, "height": 800}, **settings)
        opened.append(context)
        context.add_init_script(COLLECT)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto(f"{stack.url}/docs")
        return page

    yield open_page
    for context in opened:
        context.close()
