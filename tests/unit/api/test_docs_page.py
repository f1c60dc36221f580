"""`/docs`: complete, well formed, usable without a mouse, and closed to anything foreign."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from farebox.api.docs_html import code, figure, flattened, kind_of, link, noted, prose
from farebox.api.docs_page import DOCS_HEADERS, docs_page
from farebox.api.headers import EXPOSED_HEADERS
from farebox.api.refusals import refusals
from farebox.api.routes import ROUTES, Route
from farebox.api.schemas import Json
from farebox.domain.chat_fields import FIELDS, Field

VOID = {"meta", "link", "br", "wbr"}


class Page(HTMLParser):
    """What a test wants to know of a page; refuses tags that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data

    def attributes(self, name: str) -> list[str]:
        return [str(attrs[name]) for _, attrs in self.tags if name in attrs]

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for each, attrs in self.tags if each == tag]


PAGE = Page(docs_page())
CODES = PAGE.texts["code"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_operation_is_shown_under_each_of_its_bases(route: Route) -> None:
    for path in route.paths:
        assert path.replace("+}", "}") in CODES
    assert route.summary in PAGE.texts["h3"]
    assert route.name in PAGE.attributes("id")
    assert route.scope is None or route.scope in CODES


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_of_a_chat_request_is_shown(field: Field) -> None:
    notes = [row for row in PAGE.texts["tr"] if row.startswith(field.name)]

    assert any(field.note.replace("`", "") in note for note in notes)


def test_fields_stand_under_what_becomes_of_them() -> None:
    captions = [each for each in PAGE.texts["caption"] if each.startswith("Body")]

    assert captions == [
        "Body: read by Farebox",
        "Body: passed on to the provider",
        "Body: accepted, and not passed on",
        "Body: refused with unsupported_parameter",
    ]


@pytest.mark.parametrize("name", refusals())
def test_every_error_is_explained_at_a_place_of_its_own(name: str) -> None:
    problem = refusals()[name].problem

    assert f"error-{name}" in PAGE.attributes("id")
    assert any(str(problem.status) in row and problem.message in row for row in PAGE.texts["tr"])


@pytest.mark.parametrize("name", EXPOSED_HEADERS)
def test_every_header_is_explained(name: str) -> None:
    assert name in CODES


def test_the_groups_come_in_an_order_that_reads_well() -> None:
    assert PAGE.texts["h2"] == [
        "Getting started",
        "Chat",
        "Models",
        "Credits",
        "Account",
        "System",
        "Headers",
        "Errors",
    ]


def test_both_addresses_and_two_ways_to_call_them_are_ready_to_copy() -> None:
    curl, python = PAGE.texts["pre"][:2]

    assert "https://farebox.example/v1" in CODES
    assert "https://farebox.example/api/v1/llm" in CODES
    assert curl.startswith("curl https://farebox.example/v1/chat/completions \\\n")
    assert '"messages": [{"role": "user", "content": "Say hello in one word."}]' in curl
    compile(python, "the example", "exec")


def test_an_operators_address_replaces_the_made_up_one() -> None:
    page = docs_page("https://api.acme.example")

    assert "curl https://api.acme.example/v1/chat/completions" in page
    assert "farebox.example" not in page


def test_links_within_the_page_lead_somewhere() -> None:
    ids = PAGE.attributes("id")
    targets = {href[1:] for href in PAGE.attributes("href") if href.startswith("#")}

    assert len(ids) == len(set(ids))
    assert targets
    assert targets <= set(ids)


def test_headings_never_skip_a_level() -> None:
    levels = [int(tag[1]) for tag, _ in PAGE.tags if re.fullmatch(r"h[1-6]", tag)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_there_are_landmarks_and_a_way_past_the_navigation() -> None:
    tags = [tag for tag, _ in PAGE.tags]
    (first_link, *_) = PAGE.of("a")

    assert all(tags.count(mark) == 1 for mark in ("header", "nav", "main", "footer"))
    assert first_link == {"class": "skip", "href": "#content"}
    assert PAGE.of("main")[0]["id"] == "content"
    assert PAGE.of("nav")[0]["aria-label"] == "Contents"
    assert PAGE.of("html")[0]["lang"] == "en"


def test_tables_and_code_say_what_they_are() -> None:
    assert len(PAGE.texts["caption"]) == len(PAGE.of("table"))
    assert all(attrs["scope"] == "row" for attrs in PAGE.of("th"))
    assert all(attrs["tabindex"] == "0" and attrs["aria-label"] for attrs in PAGE.of("pre"))
    assert all(attrs["aria-label"] for attrs in PAGE.of("button"))


def test_nothing_is_loaded_from_anywhere() -> None:
    outside = [
        href
        for href in PAGE.attributes("href") + PAGE.attributes("src")
        if not href.startswith(("#", "data:"))
    ]

    assert outside == ["openapi.json"]
    assert "url(" not in PAGE.texts["style"][0]
    assert "@import" not in PAGE.texts["style"][0]


@pytest.mark.parametrize("tag", ["style", "script"])
def test_the_policy_lets_in_what_came_with_the_page_alone(tag: str) -> None:
    (text,) = PAGE.texts[tag]
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    policy = dict(
        directive.split(" ", 1) for directive in DOCS_HEADERS["Content-Security-Policy"].split("; ")
    )

    assert policy == {
        "default-src": "'none'",
        "style-src": policy["style-src"],
        "script-src": policy["script-src"],
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert policy[f"{tag}-src"] == f"'sha256-{digest}'"


def test_no_style_or_handler_hides_in_an_attribute() -> None:
    names = {name for _, attrs in PAGE.tags for name in attrs}

    assert not any(name == "style" or name.startswith("on") for name in names)


def test_types_are_never_guessed() -> None:
    assert DOCS_HEADERS["X-Content-Type-Options"] == "nosniff"
    assert DOCS_HEADERS["Referrer-Policy"] == "no-referrer"


HOSTILE = "<script>alert('x')</script>&\""


@pytest.mark.parametrize(
    "html",
    [
        prose(HOSTILE),
        prose(f"`{HOSTILE}`"),
        code(HOSTILE),
        link(HOSTILE, ""),
        figure(HOSTILE, ""),
        noted(HOSTILE, HOSTILE),
    ],
)
def test_whatever_a_text_holds_comes_out_as_text(html: str) -> None:
    page = Page(html)

    assert "script" not in [tag for tag, _ in page.tags]
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "boolean"}, "boolean"),
        ({"type": ["number", "null"], "minimum": -2, "maximum": 2}, "number, -2 to 2"),
        ({"type": "integer", "minimum": 1, "maximum": 10_000_000}, "integer, 1 to 10,000,000"),
        ({"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}, "integer"),
        ({"type": "string", "maxLength": 1_000}, "string, at most 1,000 characters"),
        ({"type": "string", "format": "date-time"}, "date and time"),
        ({"enum": ["eco", "balanced", None]}, "eco | balanced"),
        ({"enum": [False, None]}, "false"),
        ({"const": "list"}, "list"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Tool"}}, "list of Tool"),
        ({"anyOf": [{"type": "string"}, {"type": "object"}, {"type": "null"}]}, "string or object"),
        ({}, "anything"),
    ],
)
def test_a_schema_is_put_into_words(schema: Json, words: str) -> None:
    assert kind_of(schema) == words


def test_an_object_is_listed_with_what_is_in_it() -> None:
    schemas: Json = {
        "Answer": {
            "properties": {
                "tier": {"$ref": "#/components/schemas/Tier"},
                "data": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
                "best": {"anyOf": [{"$ref": "#/components/schemas/Item"}, {"type": "null"}]},
            }
        },
        "Item": {"properties": {"id": {"type": "string"}}},
        "Tier": {"type": "string", "enum": ["free", "trial"]},
    }

    listed = {name: kind_of(field) for name, field in flattened(schemas["Answer"], schemas)}

    assert listed == {
        "tier": "free | trial",
        "data": "list of Item",
        "data[].id": "string",
        "best": "Item",
        "best.id": "string",
    }
