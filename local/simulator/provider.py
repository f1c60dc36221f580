"""The provider's side of every request: record, authenticate, take a fault, answer, deliver."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Route

from local.simulator.chat import answer_chat
from local.simulator.chat_documents import chunk_documents, whole_document
from local.simulator.chat_request import ChatRequest
from local.simulator.delivery import Delivery
from local.simulator.embedding_request import EmbeddingRequest
from local.simulator.embeddings import embed, embedding_usage
from local.simulator.faults import HEADER, Fault, FaultQueue, read_order
from local.simulator.image_chat import stream_with_pictures, with_pictures
from local.simulator.image_form import form_shown, read_form
from local.simulator.image_provider import ImageCall, ImageProvider
from local.simulator.models import BUILT_IN_MODELS, check_model, model_document
from local.simulator.problems import RefusedError
from local.simulator.replies import Reply, error_reply, plain, spoil_reply, stream
from local.simulator.stats import Recorder, Stats
from local.simulator.usage import spoil_document
from local.simulator.validation import check_chat, parse

_REFUSED_KEY = "invalid"


@dataclass(frozen=True)
class Call:
    """One authenticated request.

    Args:
        document: The decoded body, `None` when it was neither JSON nor a form.
        model: The model in the path, empty where the path has none.
        base_url: Where the simulator was reached.
        fault: What must go wrong.
    """

    document: object
    model: str
    base_url: str
    fault: Fault


type Answering = Callable[[Call], Reply | Awaitable[Reply]]


class Provider:
    """The simulated provider; `create_app` explains the arguments."""

    def __init__(
        self,
        models: Collection[str] | None,
        *,
        lenient: bool,
        pace_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self.faults = FaultQueue()
        self.recorder = Recorder()
        self.stats = Stats()
        self._listed = BUILT_IN_MODELS if models is None else tuple(models)
        self._accepted = None if lenient or models is None else frozenset(models)
        self._lenient = lenient
        self._pace_seconds = pace_seconds
        self._clock = clock
        self._images = ImageProvider(self._accepted, lenient=lenient, clock=clock)

    def routes(self) -> list[Route]:
        """Build the routes under `/v1`; models can be deleted only when lenient."""
        routes = [
            self._route("POST", "/v1/chat/completions", self._complete_chat),
            self._route("POST", "/v1/embeddings", self._embed),
            self._route("POST", "/v1/images/generations", _drawing(self._images.generate)),
            self._route("POST", "/v1/images/edits", _drawing(self._images.edit)),
            self._route("POST", "/v1/images/variations", _drawing(self._images.vary)),
            *self._images.shelf.routes(),
            self._route("GET", "/v1/models", self._list_models),
            self._route("GET", "/v1/models/{model:path}", self._get_model),
        ]
        if self._lenient:
            routes.append(self._route("DELETE", "/v1/models/{model:path}", self._delete_model))
        return routes

    def _route(self, method: str, path: str, answer: Answering) -> Route:
        async def endpoint(request: Request) -> Delivery:
            self.stats.calls[f"{method} {path}"] += 1
            fault, reply = await self._respond(request, await request.body(), answer)
            return Delivery(
                spoil_reply(reply, fault),
                fault,
                pace_seconds=self._pace_seconds,
                headers={"x-request-id": f"req_{uuid.uuid4().hex}"},
                stats=self.stats,
            )

        return Route(path, endpoint, methods=[method])

    async def _respond(
        self, request: Request, body: bytes, answer: Answering
    ) -> tuple[Fault, Reply]:
        form = read_form(request.headers.get("content-type", ""), body)
        document = _decoded(body) if form is None else form
        if form is None:
            self.recorder.record(request, body, document)
        else:
            self.recorder.record(request, b"", form_shown(form))
        fault = Fault()
        try:
            _authenticate(request)
            fault = self._fault(request, document)
            model = request.path_params.get("model", "")
            call = Call(document, model, str(request.base_url), fault)
            reply = error_reply(fault) or answer(call)
            return fault, reply if isinstance(reply, Reply) else await reply
        except RefusedError as error:
            return fault, plain(error.envelope, error.status)

    def _fault(self, request: Request, document: object) -> Fault:
        if ordered := request.headers.get(HEADER):
            return read_order(Fault, ordered, "X-Simulate")
        model = document.get("model") if isinstance(document, Mapping) else None
        return self.faults.take(request.method, request.url.path, model)

    def _complete_chat(self, call: Call) -> Reply:
        request = parse(ChatRequest, call.document, lenient=self._lenient)
        check_model(request.model, self._accepted)
        if not self._lenient:
            check_chat(request)
        answer = answer_chat(
            request,
            call.document if isinstance(call.document, Mapping) else {},
            created_at=int(self._clock()),
            tokens=call.fault.answer_tokens,
        )
        if request.stream:
            chunks = chunk_documents(answer, request, call.fault)
            return stream(stream_with_pictures(chunks, request, call.fault))
        whole = whole_document(answer, request, call.fault)
        return plain(with_pictures(whole, request, call.fault))

    def _embed(self, call: Call) -> Reply:
        request = parse(EmbeddingRequest, call.document, lenient=self._lenient)
        check_model(request.model, self._accepted)
        return plain(spoil_document(embed(request), embedding_usage(request), call.fault))

    def _list_models(self, _call: Call) -> Reply:
        return plain({"object": "list", "data": [model_document(name) for name in self._listed]})

    def _get_model(self, call: Call) -> Reply:
        check_model(call.model, self._accepted)
        return plain(model_document(call.model))

    def _delete_model(self, call: Call) -> Reply:
        return plain({"id": call.model, "object": "model", "deleted": True})


def _drawing(answer: Callable[[ImageCall], Reply]) -> Answering:
    """Let pictures be drawn in a thread, so that streams keep their pace meanwhile."""

    def draw(call: Call) -> Awaitable[Reply]:
        return asyncio.to_thread(answer, ImageCall(call.document, call.base_url, call.fault))

    return draw


def _decoded(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _authenticate(request: Request) -> None:
    """Accept any bearer key but `invalid`.

    Raises:
        RefusedError: 401, in this order: no key, the key that is never accepted.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise RefusedError(401, "You didn't provide an API key as a bearer token.")
    if key == _REFUSED_KEY:
        raise RefusedError(401, "Incorrect API key provided.", code="invalid_api_key")
