"""`/docs` in a browser, as the system function serves it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from farebox.api.routes import ROUTES
from tests.browser.conftest import ROOT, OpenDocs
from tests.e2e.local_stack import LocalStack

pytestmark = pytest.mark.web

AXE = ROOT / "tests/web/node_modules/axe-core/axe.min.js"
SCREENSHOTS = ROOT / "build/screenshots"
SCHEMES = ("light", "dark")
PHONE, DESKTOP = 360, 1280


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")


def width_beyond(page: Page) -> int:
    """Give by how many pixels the page is wider than the window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return wider


def run(command: list[str], stack: LocalStack) -> str:
    """Run a command that finds its key in the environment."""
    environment = {**os.environ, "FAREBOX_KEY": stack.user_key}  # noqa: TID251 - of the test run
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_browser_finds_nothing_to_complain_about(
    open_docs: OpenDocs, complaints: list[str]
) -> None:
    page = open_docs()

    expect(page).to_have_title("Farebox API")
    assert complaints == []
    assert page.evaluate("violations") == []


def test_a_foreign_script_does_not_run(open_docs: OpenDocs) -> None:
    page = open_docs()

    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.intruded = true";
          document.body.append(script);
        }"""
    )

    assert page.evaluate("window.intruded === undefined")
    assert page.evaluate("violations") == ["script-src-elem"]


@pytest.mark.parametrize("width", [320, PHONE, 768, DESKTOP])
def test_the_page_is_never_wider_than_the_window(open_docs: OpenDocs, width: int) -> None:
    page = open_docs(width=width)

    unfold(page)

    assert width_beyond(page) == 0


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_there_is_no_barrier_that_axe_can_find(
    open_docs: OpenDocs, scheme: str, width: int
) -> None:
    page = open_docs(width=width, color_scheme=scheme)
    unfold(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))

    found = page.evaluate("axe.run(document, {preload: false, resultTypes: ['violations']})")

    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    assert "color-contrast" in {each["id"] for each in found["passes"]}


@pytest.mark.parametrize(
    ("scheme", "background"), [("light", "rgb(252, 251, 248)"), ("dark", "rgb(21, 23, 26)")]
)
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_page_is_as_light_or_dark_as_the_reader_likes(
    open_docs: OpenDocs, scheme: str, background: str, width: int
) -> None:
    page = open_docs(width=width, color_scheme=scheme)

    page.screenshot(path=SCREENSHOTS / f"docs-{scheme}-{width}.png", full_page=True)

    expect(page.locator("body")).to_have_css("background-color", background)


def test_the_keyboard_leads_past_the_navigation(open_docs: OpenDocs) -> None:
    page = open_docs()

    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    expect(page.locator(":focus")).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_answers_unfold_by_keyboard(open_docs: OpenDocs) -> None:
    page = open_docs()
    summary = page.locator("#list_models summary").first

    summary.focus()
    page.keyboard.press("Enter")

    expect(page.locator("#list_models details").first).to_have_attribute("open", "")
    expect(page.locator("#list_models").get_by_role("link", name="invalid_api_key")).to_be_visible()


def test_an_error_is_found_from_where_it_can_happen(open_docs: OpenDocs) -> None:
    page = open_docs()
    unfold(page)

    page.locator("#create_chat_completion").get_by_role("link", name="payment_required").click()

    expect(page.locator("#error-payment_required")).to_be_in_viewport()


def test_code_is_copied_and_the_reader_told(open_docs: OpenDocs) -> None:
    page = open_docs(permissions=["clipboard-read", "clipboard-write"])

    page.get_by_role("button", name="Copy: curl").click()

    expect(page.get_by_role("status")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("figure", has_text="curl").locator("pre").first.inner_text()


def test_code_that_cannot_be_copied_is_selected(open_docs: OpenDocs) -> None:
    page = open_docs()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(Error('no')); }")

    page.get_by_role("button", name="Copy: Python").click()

    expect(page.get_by_role("status")).to_have_text("Selected")
    assert page.evaluate("getSelection().toString()").startswith("import os")


def test_without_scripts_the_page_is_all_there(open_docs: OpenDocs, stack: LocalStack) -> None:
    page = open_docs(java_script_enabled=False)

    expect(page.locator("#start")).to_contain_text(f"{stack.url}/v1")
    expect(page.locator("article")).to_have_count(len(ROUTES))
    expect(page.locator("button:visible")).to_have_count(0)


def test_the_curl_line_works_as_it_stands(open_docs: OpenDocs, stack: LocalStack) -> None:
    line = open_docs().locator("figure pre").nth(0).inner_text()

    answer = json.loads(run(["bash", "-c", line], stack))

    assert stack.url in line
    assert answer["object"] == "chat.completion"
    assert answer["usage"]["cost_nanousd"] > 0


def test_the_python_lines_work_as_they_stand(
    open_docs: OpenDocs, stack: LocalStack, tmp_path: Path
) -> None:
    script = tmp_path / "hello.py"
    script.write_text(open_docs().locator("figure pre").nth(1).inner_text(), encoding="utf-8")

    said = run([sys.executable, str(script)], stack)

    assert said.strip() != ""
