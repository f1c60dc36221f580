"""The route table: every path Farebox serves, the function behind it, and who may call it.

Dispatch, the local front, `/openapi.json`, 404 and 405, and the authorization tests all read this
one table; API Gateway's events in template.yaml are tested against it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from farebox.domain.errors import MethodNotAllowed, NotFound

API_BASES: Final = ("/v1", "/api/v1/llm")
"""OpenAI's own shape, and the one of Ops-Center's clients; every API route is served under both."""

ROOT: Final = ("",)


class Access(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"
    KEY = "key"
    """A user key or a service key, with the route's scope."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation."""

    name: str
    """The operation's id; also the name of the function that serves it."""
    method: str
    path: str
    """Below its bases; `{name}` matches one segment, `{name+}` the rest of the path."""
    function: str
    summary: str
    access: Access = Access.KEY
    scope: str | None = None
    bases: tuple[str, ...] = API_BASES

    @property
    def paths(self) -> tuple[str, ...]:
        """The path under every base."""
        return tuple(base + self.path for base in self.bases)


ROUTES: Final = (
    Route(
        "create_chat_completion",
        "POST",
        "/chat/completions",
        "chat",
        "Answer a conversation, streamed or whole",
        scope="llm:inference",
    ),
    Route("list_models", "GET", "/models", "chat", "List models", scope="llm:models"),
    Route("get_model", "GET", "/models/{model+}", "chat", "Describe a model", scope="llm:models"),
    Route(
        "get_balance",
        "GET",
        "/credits/balance",
        "credits",
        "Tell what is available, held and spent",
        scope="credits:read",
    ),
    Route(
        "get_credits",
        "GET",
        "/credits",
        "credits",
        "Tell the balance and the tier",
        scope="credits:read",
    ),
    Route(
        "get_generation",
        "GET",
        "/generation",
        "credits",
        "Show the receipt of a request",
        scope="credits:read",
    ),
    Route(
        "get_generation_content",
        "GET",
        "/generation/content",
        "credits",
        "Fetch an answer that was stored on request",
        scope="llm:inference",
    ),
    Route("get_key", "GET", "/key", "account", "Describe the credential in use"),
    Route(
        "get_root", "GET", "/", "system", "Tell that it is ready", access=Access.PUBLIC, bases=ROOT
    ),
    Route("get_health", "GET", "/health", "system", "Check the stores", Access.PUBLIC, bases=ROOT),
    Route(
        "get_openapi",
        "GET",
        "/openapi.json",
        "system",
        "The description of this API",
        access=Access.PUBLIC,
        bases=ROOT,
    ),
    Route("get_docs", "GET", "/docs", "system", "The API for people", Access.PUBLIC, bases=ROOT),
)


SANDBOX_ROUTES: Final = (
    Route("delete_model", "DELETE", "/models/{model+}", "chat", "Pretend to delete a model"),
)
"""Served under SANDBOX_LENIENT only, for test suites of OpenAI's clients; documented nowhere."""


@dataclass(frozen=True, slots=True)
class Match:
    """The route a request is for, with the variable parts of its path."""

    route: Route
    parameters: Mapping[str, str]


def match(method: str, path: str, *, sandbox: bool = False) -> Match:
    """Find the route for a request.

    A trailing slash is ignored; HEAD is served as GET.

    Raises:
        NotFound: No route has this path.
        MethodNotAllowed: The path is served, with other methods.
    """
    wanted = "GET" if method == "HEAD" else method
    plain = path.rstrip("/") or "/"
    allowed: list[str] = []
    for pattern, route in _patterns(sandbox):
        found = pattern.fullmatch(plain)
        if found is None:
            continue
        if route.method == wanted:
            return Match(route, found.groupdict())
        allowed.append(route.method)
    if allowed:
        raise MethodNotAllowed(f"{method} is not allowed on {plain}.", tuple(allowed))
    raise NotFound(f"There is no route {method} {plain}.")


@cache
def _patterns(sandbox: bool) -> tuple[tuple[re.Pattern[str], Route], ...]:
    routes = ROUTES + SANDBOX_ROUTES if sandbox else ROUTES
    return tuple((_compile(path), route) for route in routes for path in route.paths)


def _compile(path: str) -> re.Pattern[str]:
    parts = []
    for segment in path.split("/"):
        if segment.startswith("{"):
            name = segment.strip("{}")
            greedy = name.endswith("+")
            parts.append(f"(?P<{name.rstrip('+')}>{'.+' if greedy else '[^/]+'})")
        else:
            parts.append(re.escape(segment))
    return re.compile("/".join(parts))
