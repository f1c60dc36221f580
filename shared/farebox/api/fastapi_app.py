"""A FastAPI application over the route table, for the functions that are not on the lean path.

The same table, the same credentials and the same envelope as `farebox.api.asgi`; FastAPI adds typed
parameters and the schemas of the documentation.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from farebox.api.headers import COMMON_HEADERS
from farebox.api.problems import Problem, problem_of
from farebox.api.routes import ROUTES, Access, Route, match
from farebox.domain.errors import FareboxError, InvalidValue, MissingField
from farebox.domain.identity import Principal

type Observe = Callable[..., None]
type Handle = Callable[[Request], Awaitable[Response]]


def caller(request: Request) -> Principal:
    """Give the authenticated caller of a request to an operation that asks for one."""
    principal: Principal = request.state.principal
    return principal


Caller = Annotated[Principal, Depends(caller)]
"""The type by which an operation asks for its caller."""


def make_app(
    function: str,
    operations: Mapping[str, Callable[..., Any]],
    *,
    authenticate: Callable[[str | None, str | None], Principal],
    observe: Observe,
    new_request_id: Callable[[], str],
) -> FastAPI:
    """Serve a function's routes.

    Args:
        function: Its name in the route table; every route of it must have an operation.
        operations: By the name of their route.
        authenticate: From an Authorization header and a scope to a caller.
        observe: Is told of every request once.
        new_request_id: Names the requests.
    """
    app = FastAPI(title="Farebox", docs_url=None, redoc_url=None, openapi_url=None)
    for route in ROUTES:
        if route.function == function:
            _add(app, route, operations[route.name], authenticate)
    app.add_exception_handler(RequestValidationError, _as_problem)
    app.add_exception_handler(FareboxError, _as_problem)
    app.add_exception_handler(HTTPException, _as_problem)

    @app.middleware("http")
    async def finish(request: Request, handle: Handle) -> Response:
        error: Exception | None = None
        try:
            response = await handle(request)
        except Exception as unexpected:  # noqa: BLE001 - the one place where any becomes an answer
            error = unexpected
            response = _response_of(problem_of(unexpected))
        for name, value in COMMON_HEADERS.items():
            response.headers.setdefault(name, value)
        request_id = response.headers.setdefault("x-request-id", new_request_id())
        observe(
            route=_route_name(request),
            status=response.status_code,
            request_id=request_id,
            error=error,
        )
        return response

    return app


def _add(
    app: FastAPI,
    route: Route,
    operation: Callable[..., Any],
    authenticate: Callable[[str | None, str | None], Principal],
) -> None:
    def check(request: Request) -> None:
        request.state.principal = authenticate(request.headers.get("authorization"), route.scope)

    guards = [] if route.access is Access.PUBLIC else [Depends(check)]
    for path in route.paths:
        app.add_api_route(path, operation, methods=[route.method], dependencies=guards)


async def _as_problem(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        error = _our_own(request, error)
    if isinstance(error, RequestValidationError):
        error = _invalid(error)
    return _response_of(problem_of(error))


def _our_own(request: Request, error: Exception) -> Exception:
    """Say 404 and 405 as the route table does, which knows what is allowed."""
    try:
        match(request.method, request.url.path)
    except FareboxError as ours:
        return ours
    return error


def _invalid(error: RequestValidationError) -> FareboxError:
    first = error.errors()[0]
    param = ".".join(str(each) for each in first["loc"][1:]) or None
    if first["type"] == "missing":
        return MissingField(f"Missing required parameter: '{param}'.", param)
    return InvalidValue(f"'{param}': {first['msg']}.", param)


def _response_of(problem: Problem) -> Response:
    return Response(
        problem.body(),
        status_code=problem.status,
        media_type="application/json",
        headers=dict(problem.headers),
    )


def _route_name(request: Request) -> str:
    try:
        return match(request.method, request.url.path).route.name
    except FareboxError:
        return ""
