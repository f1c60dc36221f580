"""`/openapi.json` describes what is served: all of it, and nothing else."""

import ast
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from farebox.api import wire
from farebox.api.header_notes import METERED_HEADERS, REQUEST_HEADERS
from farebox.api.openapi import API_VERSION, openapi_bytes, openapi_document
from farebox.api.operations import OPERATIONS
from farebox.api.routes import ROUTES, Access, Route
from local.template_routes import TemplateRoutes, read_template
from tests.unit.api.documents import DOCUMENT, operation

ROOT = Path(__file__).parents[3]
HANDLERS = sorted((ROOT / "functions").glob("*/handler.py"))


def calls(document: dict[str, Any]) -> set[tuple[str, str]]:
    paths = document["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_the_document_is_openapi_3_1() -> None:
    schemathesis.openapi.from_dict(openapi_document()).validate()

    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_route_is_there_under_each_of_its_bases_and_nothing_else() -> None:
    assert calls(DOCUMENT) == {
        ("POST", "/v1/chat/completions"),
        ("POST", "/api/v1/llm/chat/completions"),
        ("GET", "/v1/models"),
        ("GET", "/api/v1/llm/models"),
        ("GET", "/v1/models/{model}"),
        ("GET", "/api/v1/llm/models/{model}"),
        ("GET", "/v1/credits/balance"),
        ("GET", "/api/v1/llm/credits/balance"),
        ("GET", "/v1/credits"),
        ("GET", "/api/v1/llm/credits"),
        ("GET", "/v1/generation"),
        ("GET", "/api/v1/llm/generation"),
        ("GET", "/v1/generation/content"),
        ("GET", "/api/v1/llm/generation/content"),
        ("GET", "/v1/key"),
        ("GET", "/api/v1/llm/key"),
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
    }


def test_the_notes_are_about_the_routes_of_the_table() -> None:
    assert set(OPERATIONS) == {route.name for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_who_may_call_is_what_the_table_says(route: Route) -> None:
    described = [operation(route.method, path.replace("+}", "}")) for path in route.paths]

    expected: list[dict[str, list[str]]] = [{"bearer": [route.scope] if route.scope else []}]
    for each in described:
        assert each["security"] == ([] if route.access is Access.PUBLIC else expected)
        assert each["summary"] == route.summary


def test_operations_have_names_of_their_own() -> None:
    names = [each["operationId"] for path in DOCUMENT["paths"].values() for each in path.values()]

    assert len(names) == len(set(names))
    assert names[:2] == ["create_chat_completion", "create_chat_completion_at_api_v1_llm"]


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))

    assert found
    for reference in found:
        place = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_shape_header_and_example_is_used() -> None:
    used = set(references(DOCUMENT))

    unused = {
        f"{kind}/{name}"
        for kind in ("schemas", "headers", "examples")
        for name in DOCUMENT["components"][kind]
        if f"#/components/{kind}/{name}" not in used
    }

    # A path that is there answers other methods with it, and belongs to no operation.
    assert unused == {"schemas/MethodNotAllowed", "headers/Allow", "examples/method_not_allowed"}


def test_every_variable_of_a_path_is_explained() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for each in methods.values():
            named = {p["name"] for p in each.get("parameters", ()) if p["in"] == "path"}
            assert named == ({"model"} if "{model}" in path else set()), path


def test_a_chat_request_may_carry_four_headers_of_ours() -> None:
    parameters = operation("POST", "/v1/chat/completions")["parameters"]

    assert [each["name"] for each in parameters] == [
        "X-Power-Level",
        "X-Max-Cost",
        "Idempotency-Key",
        "X-Store-Answer",
    ]


def test_pages_of_other_origins_may_send_those_headers() -> None:
    template = TemplateRoutes.of(read_template(ROOT / "template.yaml"))

    preflight = template.preflight_for("/v1/chat/completions") or {}

    allowed = set(preflight["Access-Control-Allow-Headers"].replace(" ", "").split(","))
    assert {name.lower() for name in REQUEST_HEADERS} <= allowed


def test_a_chat_answer_is_whole_or_a_stream_and_carries_the_figures() -> None:
    answer = operation("POST", "/v1/chat/completions")["responses"]["200"]

    assert set(answer["content"]) == {"application/json", "text/event-stream"}
    assert set(answer["headers"]) == set(METERED_HEADERS)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_what_a_handler_returns_is_what_is_documented(handler: Path) -> None:
    tree = ast.parse(handler.read_text(encoding="utf-8"))
    returned = {
        node.name: node.returns.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
        and isinstance(node.returns, ast.Name)
        and hasattr(wire, node.returns.id)
    }

    for name, shape in returned.items():
        content = OPERATIONS[name].answers["200"]["content"]["application/json"]
        assert content["schema"] == {"$ref": f"#/components/schemas/{shape}"}


def test_some_handlers_return_documented_shapes() -> None:
    text = "".join(handler.read_text(encoding="utf-8") for handler in HANDLERS)

    for shape in ("Balance", "Credits", "Generation", "KeyDescription"):
        assert f"-> {shape}:" in text


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["version"] == API_VERSION
    assert DOCUMENT["info"]["version"] == API_VERSION


def test_the_server_is_where_the_document_came_from_unless_the_operator_says() -> None:
    told = openapi_document("https://api.farebox.example")

    assert DOCUMENT["servers"] == [{"url": "."}]
    assert told["servers"] == [{"url": "https://api.farebox.example"}]


def test_the_bytes_are_the_document_and_are_made_once() -> None:
    made = openapi_bytes()

    assert json.loads(made) == DOCUMENT
    assert openapi_bytes() is made
