"""The route table: what each path and method means, and that no two of them clash."""

from collections import Counter

import pytest

from farebox.api.routes import ROUTES, Access, match
from farebox.domain.errors import MethodNotAllowed, NotFound


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/v1/chat/completions", "create_chat_completion"),
        ("GET", "/v1/models", "list_models"),
        ("GET", "/v1/models/gpt-4o", "get_model"),
        ("GET", "/v1/credits/balance", "get_balance"),
        ("GET", "/v1/credits", "get_credits"),
        ("GET", "/v1/generation", "get_generation"),
        ("GET", "/v1/generation/content", "get_generation_content"),
        ("GET", "/v1/key", "get_key"),
    ],
)
def test_both_bases_lead_to_the_same_route(method: str, path: str, name: str) -> None:
    ops_path = path.replace("/v1", "/api/v1/llm", 1)

    assert match(method, path).route.name == name
    assert match(method, ops_path).route.name == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "get_root"),
        ("/health", "get_health"),
        ("/openapi.json", "get_openapi"),
        ("/docs", "get_docs"),
    ],
)
def test_the_systems_pages_are_at_the_root_alone(path: str, name: str) -> None:
    found = match("GET", path)

    assert found.route.name == name
    with pytest.raises(NotFound):
        match("GET", f"/v1{path}")


@pytest.mark.parametrize("model", ["gpt-4o", "openai/gpt-4o", "a/b/c", "claude-3.5-sonnet"])
def test_a_models_id_may_contain_slashes(model: str) -> None:
    found = match("GET", f"/v1/models/{model}")

    assert found.route.name == "get_model"
    assert found.parameters == {"model": model}


def test_a_slash_at_the_end_is_ignored() -> None:
    assert match("GET", "/v1/models/").route.name == "list_models"
    assert match("GET", "/v1/credits/balance/").route.name == "get_balance"


def test_head_is_served_as_get() -> None:
    assert match("HEAD", "/health").route.name == "get_health"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", ("POST",)),
        ("HEAD", "/v1/chat/completions", ("POST",)),
        ("DELETE", "/v1/models/gpt-4o", ("GET",)),
        ("POST", "/docs", ("GET",)),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    method: str, path: str, allowed: tuple[str, ...]
) -> None:
    with pytest.raises(MethodNotAllowed) as refusal:
        match(method, path)

    assert refusal.value.allowed == allowed
    assert refusal.value.message == f"{method} is not allowed on {path}."


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v2/models",
        "/chat/completions",
        "/v1/chat",
        "/v1/chat/completions/1",
        "/api/v1/models",
        "/v1xmodels",
        "/openapixjson",
        "/V1/models",
    ],
)
def test_other_paths_are_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        match("GET", path)


def test_names_and_calls_are_unique() -> None:
    names = Counter(route.name for route in ROUTES)
    calls = Counter((route.method, path) for route in ROUTES for path in route.paths)

    assert names.most_common(1)[0][1] == 1
    assert calls.most_common(1)[0][1] == 1


def test_only_the_systems_routes_are_open_to_anyone() -> None:
    public = {route.name for route in ROUTES if route.access is Access.PUBLIC}

    assert public == {"get_root", "get_health", "get_openapi", "get_docs"}


def test_whatever_spends_asks_for_a_scope() -> None:
    unscoped = {
        route.name for route in ROUTES if route.access is Access.KEY and route.scope is None
    }

    assert unscoped == {"get_key"}
