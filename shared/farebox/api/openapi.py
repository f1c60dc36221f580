"""`/openapi.json`: one description of the whole surface, generated from what serves it.

Paths, methods and scopes come from the route table, the chat request from the rules that check it,
answers from the wire models, errors from the table of problems.
"""

import json
from functools import cache
from typing import Final

from farebox.api.chat_schema import MESSAGE_PARTS, chat_request_schema
from farebox.api.header_notes import RESPONSE_HEADERS
from farebox.api.operations import OPERATIONS, TAGS
from farebox.api.refusals import error_examples, error_responses, error_schemas
from farebox.api.routes import API_BASES, ROUTES, Access, Route
from farebox.api.schemas import Json, model_schemas
from farebox.domain.identity import USER_SCOPES
from farebox.services.authenticate import REVOCATION_BOUND_SECONDS

API_VERSION: Final = "0.1.0"
"""The project's; a test holds it against pyproject.toml."""

_BEARER: Final = "bearer"
_DESCRIPTION: Final = (
    "OpenAI's API in front of many providers, paid from prepaid credits that cannot be overdrawn. "
    f"Everything but the system's own pages is served twice, under `{API_BASES[0]}` as OpenAI's "
    f"clients expect it and under `{API_BASES[1]}` as Ops-Center's do; both are the same. "
    "Every error, whoever makes it, is `{error: {message, type, param, code}}`."
)


def openapi_document(public_url: str = "") -> Json:
    """Describe the API, in OpenAPI 3.1.

    Args:
        public_url: Where clients reach it; empty for wherever the document came from.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Farebox",
            "version": API_VERSION,
            "summary": "An AI gateway with prepaid credits that cannot be overdrawn.",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": public_url or "."}],
        "tags": [{"name": name, "description": note} for name, note in TAGS.items()],
        "paths": _paths(),
        "components": {
            "securitySchemes": {_BEARER: _bearer()},
            "schemas": model_schemas()
            | MESSAGE_PARTS
            | {"ChatRequest": chat_request_schema()}
            | error_schemas(),
            "headers": dict(RESPONSE_HEADERS),
            "examples": error_examples(),
        },
    }


@cache
def openapi_bytes(public_url: str = "") -> bytes:
    """Give the document as JSON; made once a process."""
    document = openapi_document(public_url)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def openapi_path(path: str) -> str:
    """Write a path of the route table as OpenAPI does, which knows no greedy parameters."""
    return path.replace("+}", "}")


def _paths() -> Json:
    paths: Json = {}
    for route in ROUTES:
        for base, path in zip(route.bases, route.paths, strict=True):
            paths.setdefault(openapi_path(path), {})[route.method.lower()] = _operation(route, base)
    return paths


def _operation(route: Route, base: str) -> Json:
    noted = OPERATIONS[route.name]
    operation: Json = {
        "operationId": _operation_id(route, base),
        "tags": [noted.tag],
        "summary": route.summary,
        "description": noted.description,
        "security": [] if route.access is Access.PUBLIC else [{_BEARER: _scopes(route)}],
    }
    if noted.parameters:
        operation["parameters"] = list(noted.parameters)
    if noted.body is not None:
        operation["requestBody"] = noted.body
    responses = noted.answers | error_responses(noted.all_errors(route))
    operation["responses"] = dict(sorted(responses.items()))
    return operation


def _operation_id(route: Route, base: str) -> str:
    """Name an operation once: under the first base as the route, under others with the base."""
    if base == route.bases[0]:
        return route.name
    return "_".join((route.name, "at", *base.strip("/").split("/")))


def _scopes(route: Route) -> list[str]:
    return [] if route.scope is None else [route.scope]


def _bearer() -> Json:
    scopes = ", ".join(f"`{scope}`" for scope in USER_SCOPES)
    return {
        "type": "http",
        "scheme": "bearer",
        "description": "A user's key (`uc_…`), which pays from its account, or a service's "
        "(`sk-<service>-…`), which pays from its organisation. What a key may do are its scopes; "
        f"a user's key has all of {scopes} unless it was made for less. A key that is revoked "
        f"stops working within {REVOCATION_BOUND_SECONDS} seconds.",
    }
