"""A lean ASGI application over the route table, for the functions whose cold start matters most.

It speaks plain ASGI, so the streaming runtime, uvicorn and tests all run it; it knows no business.
Operations block: on Lambda an environment serves one request at a time, and the local front gives
each request a thread.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import parse_qs

from farebox.api.headers import COMMON_HEADERS
from farebox.api.problems import problem_of
from farebox.api.routes import Access, Match, match
from farebox.domain.errors import BodyTooLarge, InvalidValue, NotFound
from farebox.domain.identity import Principal
from farebox.domain.json_text import decode_json, encode_json

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES: Final = 6 * 1024 * 1024
"""What a Lambda event can carry."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an operation is given."""

    match: Match
    headers: Mapping[str, str]
    """By lower-case name; the last of several wins."""
    query: Mapping[str, str]
    body: bytes
    principal: Principal | None
    remaining_ms: Callable[[], int]
    """How long the environment has left for this request."""

    @property
    def caller(self) -> Principal:
        """The authenticated caller; every route that is not public has one."""
        if self.principal is None:
            raise RuntimeError(f"{self.match.route.name} asks for a caller and is public")
        return self.principal

    def json(self) -> object:
        """Decode the body.

        Raises:
            InvalidValue: It is not JSON, or nested beyond reason.
        """
        try:
            return decode_json(self.body)
        except ValueError as error:
            raise InvalidValue("The body is not valid JSON.") from error


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation gives back; a body of several parts is streamed as they come."""

    body: bytes | Iterable[bytes]
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Operation(Protocol):
    """One operation of a route: translates, and leaves deciding to a service."""

    def __call__(self, request: Request, /) -> Answer:
        """Serve a request."""
        ...


class Observer(Protocol):
    """Sees every request once it is over."""

    def __call__(
        self, *, route: str, status: int, request_id: str, error: BaseException | None
    ) -> None:
        """Note what happened."""
        ...


class Application:
    """Dispatches by the route table, authenticates, and turns every error into an envelope."""

    def __init__(
        self,
        operations: Mapping[str, Operation],
        authenticate: Callable[[str | None, str | None], Principal],
        observe: Observer,
        new_request_id: Callable[[], str],
        *,
        sandbox: bool = False,
    ) -> None:
        """Assemble an application.

        Args:
            operations: By the name of their route.
            authenticate: From an Authorization header and a scope to a caller.
            observe: Is told of every request once.
            new_request_id: Names requests that have no id of their own.
            sandbox: Serve the sandbox's routes too.
        """
        self._sandbox = sandbox
        self._operations = operations
        self._authenticate = authenticate
        self._observe = observe
        self._new_request_id = new_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI request."""
        if scope["type"] != "http":
            return
        route, failure = "", None
        try:
            found = match(scope["method"], scope["path"], sandbox=self._sandbox)
            route = found.route.name
            answer = self._operation(found)(await self._request(found, scope, receive))
        except Exception as error:  # noqa: BLE001 - the one place where any error becomes an answer
            failure = error
            answer = _answer_for(error)
        request_id = answer.headers.get("x-request-id") or self._new_request_id()
        try:
            await _send_answer(answer, request_id, scope["method"] != "HEAD", _Listener(send))
        except Exception as error:
            failure = error
            raise
        finally:
            self._observe(route=route, status=answer.status, request_id=request_id, error=failure)

    def _operation(self, found: Match) -> Operation:
        operation = self._operations.get(found.route.name)
        if operation is None:
            raise NotFound(f"{found.route.name} is served by another function.")
        return operation

    async def _request(self, found: Match, scope: Scope, receive: Receive) -> Request:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        principal = None
        if found.route.access is not Access.PUBLIC:
            principal = self._authenticate(headers.get("authorization"), found.route.scope)
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return Request(
            match=found,
            headers=headers,
            query={name: values[-1] for name, values in query.items()},
            body=await _read_body(receive),
            principal=principal,
            remaining_ms=_remaining(scope),
        )


def _answer_for(error: Exception) -> Answer:
    problem = problem_of(error)
    return Answer(problem.body(), problem.status, headers=problem.headers)


def json_answer(value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with a JSON value."""
    return Answer(encode_json(value), headers=headers or {})


def _remaining(scope: Scope) -> Callable[[], int]:
    context = scope.get("aws.context")
    return context.remaining_ms if context is not None else lambda: 900_000


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidValue("The body broke off.")
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes.")
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


class _Listener:
    """A client, who may leave: what is sent after that goes nowhere, and is made all the same."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._listens = True

    async def __call__(self, message: Message) -> None:
        if self._listens:
            try:
                await self._send(message)
            except OSError:
                self._listens = False


async def _send_answer(answer: Answer, request_id: str, with_body: bool, send: Send) -> None:
    headers = {
        **COMMON_HEADERS,
        "Content-Type": answer.content_type,
        "x-request-id": request_id,
        **answer.headers,
    }
    body = answer.body
    if isinstance(body, bytes):
        headers["Content-Length"] = str(len(body))
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()],
        }
    )
    if isinstance(body, bytes):
        await _send_part(body if with_body else b"", more=False, send=send)
        return
    for part in body:
        await _send_part(part, more=True, send=send)
    await _send_part(b"", more=False, send=send)


async def _send_part(part: bytes, *, more: bool, send: Send) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": more})
