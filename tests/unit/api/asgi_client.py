"""Calls an ASGI application in place: no server, no event loop, no socket."""

from collections.abc import Awaitable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from farebox.api.asgi import Answer, Application, Operation, Request, json_answer
from farebox.domain.identity import UserKeyRecord, hash_key, make_user_key
from farebox.services.authenticate import Authenticate
from tests.chat_world import make_principal
from tests.fakes.clock import FakeClock
from tests.fakes.key_ring import PEPPERS, FakeKeyRing
from tests.fakes.key_store import FakeKeyStore

KEY = make_user_key(1)
AUTH = {"Authorization": f"Bearer {KEY}"}
CHAT = "/v1/chat/completions"

type Message = MutableMapping[str, Any]


@dataclass
class Exchange:
    """What an application was sent and what it sent; `leaves_at` is when its client is gone."""

    chunks: Sequence[bytes] = (b"",)
    leaves_at: int | None = None
    """The message from which on sending fails."""
    disconnects_after: int | None = None
    """The part of the body after which the client hangs up."""
    sent: list[Message] = field(default_factory=list)
    attempts: int = 0
    received: int = 0

    async def receive(self) -> Message:
        """Give the next part of the request's body."""
        if self.disconnects_after == self.received:
            return {"type": "http.disconnect"}
        part = self.chunks[self.received]
        self.received += 1
        return {
            "type": "http.request",
            "body": part,
            "more_body": self.received < len(self.chunks),
        }

    async def send(self, message: Message) -> None:
        """Take a message, or fail as a broken connection does."""
        self.attempts += 1
        if self.leaves_at is not None and self.attempts > self.leaves_at:
            raise BrokenPipeError
        self.sent.append(message)

    @property
    def status(self) -> int:
        """The answer's status."""
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers."""
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def parts(self) -> list[bytes]:
        """The parts of the answer's body."""
        return [message["body"] for message in self.sent[1:]]

    @property
    def body(self) -> bytes:
        """The answer's body."""
        return b"".join(self.parts)


def call(
    app: Application,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    exchange: Exchange | None = None,
    scope: Mapping[str, object] | None = None,
) -> Exchange:
    """Make one request."""
    exchange = exchange or Exchange()
    everything: MutableMapping[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in (headers or {}).items()],
        **(scope or {}),
    }
    run(app(everything, exchange.receive, exchange.send))
    return exchange


def run(coroutine: Awaitable[None]) -> None:
    """Run a coroutine that waits for nothing."""
    steps = coroutine.__await__()
    for _ in steps:
        raise RuntimeError("it waits for something")


@dataclass
class Server:
    """An application whose operations note what they were given."""

    operations: dict[str, Operation] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    observed: list[tuple[str, int, str]] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    keys: FakeKeyStore = field(default_factory=FakeKeyStore)

    def __post_init__(self) -> None:
        record = UserKeyRecord(
            "000000000000", hash_key(KEY, PEPPERS["1"]), "1", "active", make_principal()
        )
        self.keys.records[KEY[3:15]] = replace(record, key_id=KEY[3:15])
        for name in ("create_chat_completion", "list_models", "get_model", "get_root"):
            self.operations.setdefault(name, self.note)
        self.app = Application(
            self.operations,
            authenticate=Authenticate(self.keys, FakeKeyRing(), FakeClock()),
            observe=self.observe,
            new_request_id=lambda: "rid-of-an-error",
        )

    def note(self, request: Request) -> Answer:
        """Answer with what was asked."""
        self.requests.append(request)
        return json_answer({"route": request.match.route.name}, {"X-Generation-Id": "g"})

    def observe(
        self, *, route: str, status: int, request_id: str, error: BaseException | None
    ) -> None:
        """Note what is observed."""
        self.request_ids.append(request_id)
        self.observed.append((route, status, type(error).__name__))


def answering(operation: Operation) -> Server:
    """Make a server whose chat does this."""
    return Server({"create_chat_completion": operation})


def raising(error: BaseException) -> Server:
    """Make a server whose chat fails so."""

    def fail(_: Request) -> Answer:
        raise error

    return answering(fail)
