"""Chat completions: choose, quote, reserve, call, meter, settle, answer.

The one choke point of paid chat: no route reaches a provider around it, and whatever happens after
the reserve ends in a settlement or a void.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from farebox.domain.chat_request import ChatRequest, provider_body, refuse_unknown
from farebox.domain.errors import (
    ProviderError,
    ProviderFailed,
    ProviderTimedOut,
)
from farebox.domain.identity import Principal
from farebox.domain.json_text import encode_json
from farebox.domain.meter import read_usage
from farebox.domain.money import CreditUnit
from farebox.domain.quotes import Asked, prompt_bound_tokens
from farebox.services.admit import Admit, Order
from farebox.services.admitted import AdmittedRequest, Settled
from farebox.services.choose_route import Choice, ChooseRoute
from farebox.services.idempotency import Idempotency, Replay, Ticket
from farebox.services.metered import Metered
from farebox.services.ports.chat_provider import ChatProvider, ProviderReply
from farebox.services.ports.clock import Clock
from farebox.services.provider_errors import check_status
from farebox.services.quota_of import quota_of
from farebox.services.relay import (
    TICK_SECONDS,
    ErrorEncoder,
    Relay,
    estimate_usage,
    priced_usage,
    produced_bytes,
)

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
_PATIENT_SECONDS: Final = 10.0
"""A stream opens after this long without a byte, so that it can be kept awake by comments."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What surrounds a request besides its body."""

    deadline_ms: int
    """Unix milliseconds by which the answer must have been settled."""
    max_cost_nanousd: int | None = None
    idempotency_key: str | None = None
    store_answer: bool = False
    raw_body: bytes = b""
    """What an Idempotency-Key stands for."""


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """A whole answer, or the parts of a streamed one; `metered` is `None` for a replayed one."""

    body: bytes | Iterator[bytes]
    content_type: str
    metered: Metered | None
    replayed: str | None = None
    """The generation a replayed answer came from."""


class CompleteChat:
    """The use case."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        *,
        choose_route: ChooseRoute,
        admit: Admit,
        provider: ChatProvider,
        idempotency: Idempotency,
        clock: Clock,
        new_rid: Callable[[], str],
        credit_unit: CreditUnit,
        encode_error: ErrorEncoder,
        lenient: bool = False,
    ) -> None:
        self._choose_route = choose_route
        self._admit = admit
        self._provider = provider
        self._idempotency = idempotency
        self._clock = clock
        self._new_rid = new_rid
        self._unit = credit_unit
        self._encode_error = encode_error
        self._lenient = lenient

    def __call__(
        self, request: ChatRequest, principal: Principal, conditions: Conditions
    ) -> ChatAnswer:
        """Answer a chat request.

        Raises, in the order checked, with no credits moved:
            ModelNotFound, InvalidValue, ModelNotAvailable, NoRoute: See `ChooseRoute`.
            UnsupportedParameter: A field that may not reach the platform's provider account.
            IdempotencyKeyReused, Conflict: See `Idempotency`.
            TrialEnded … StoreUnavailable: See `Admit`.
            ProviderError: The provider gave no answer; the hold was voided.
        """
        choice = self._choose_route(request, principal)
        open_to_all = choice.route.provider.local or self._lenient
        if not open_to_all:
            refuse_unknown(request)
        rid = self._new_rid()
        ticket = self._idempotency.begin(
            principal.account_id,
            rid,
            key=conditions.idempotency_key,
            body=conditions.raw_body,
            store_answer=conditions.store_answer,
        )
        if isinstance(ticket, Replay):
            return ChatAnswer(ticket.answer.body, ticket.answer.content_type, None, ticket.rid)
        try:
            admitted = self._admit(self._order(rid, request, principal, choice, conditions))
        except BaseException:
            ticket.give_back()
            raise
        body = provider_body(
            request,
            upstream_model=choice.route.upstream_model,
            cap_field=choice.route.output_cap_field,
            cap_tokens=admitted.terms.quote.output_cap_tokens,
            pass_unknown=open_to_all,
        )
        return self._answer(request, admitted, principal, body, conditions, ticket)

    def _order(
        self,
        rid: str,
        request: ChatRequest,
        principal: Principal,
        choice: Choice,
        conditions: Conditions,
    ) -> Order:
        model = choice.model
        asked = Asked(
            model=model,
            price=model.price,
            prompt_bound_tokens=prompt_bound_tokens(request.body, model),
            power=request.power_level,
            tier=principal.tier,
            requested_cap_tokens=request.output_cap,
            choices=request.choices,
        )
        facts = {"stream": True} if request.stream else {}
        return Order(rid, principal, choice, asked, conditions.max_cost_nanousd, facts)

    def _answer(  # noqa: PLR0913, PLR0917 - the state of one request, passed on once
        self,
        request: ChatRequest,
        admitted: AdmittedRequest,
        principal: Principal,
        body: dict[str, object],
        conditions: Conditions,
        ticket: Ticket,
    ) -> ChatAnswer:
        def time_is_up() -> bool:
            return self._clock.now_ms() >= conditions.deadline_ms

        reply: ProviderReply | None = None
        try:
            ticket.check_fresh()
            reply = self._provider.send_chat(admitted.terms.choice.route.provider.name, body)
            self._await_start(reply, admitted, time_is_up, give_up_waiting=request.stream)
            if not request.stream:
                return self._whole(reply, admitted, principal, time_is_up, ticket)
        except ProviderError as failure:
            finish = "timed_out" if isinstance(failure, ProviderTimedOut) else "provider_failed"
            admitted.void(finish)
            _close(reply)
            raise
        except BaseException:
            # A fault of our own, before anything was answered: nobody pays for it.
            admitted.void("failed")
            _close(reply)
            raise
        relay = Relay(
            reply,
            admitted,
            include_usage=request.include_usage,
            credit_unit=self._unit,
            time_is_up=time_is_up,
            encode_error=self._encode_error,
            keep_answer=ticket.keeper("text/event-stream"),
        )
        return ChatAnswer(relay.parts(), "text/event-stream", self._metered(admitted, principal))

    def _await_start(
        self,
        reply: ProviderReply,
        admitted: AdmittedRequest,
        time_is_up: Callable[[], bool],
        *,
        give_up_waiting: bool,
    ) -> None:
        """Wait for the provider's first byte, and check what it says of the request.

        A stream goes on without it after a while: its client must be kept awake, and learns of a
        refusal by an event instead of a status.
        """
        waited_seconds = 0.0
        while not reply.started(TICK_SECONDS):
            waited_seconds += TICK_SECONDS
            admitted.keep_alive()
            if time_is_up():
                raise ProviderTimedOut("The provider did not answer in time.")
            if give_up_waiting and waited_seconds >= _PATIENT_SECONDS:
                return
        admitted.note(first_byte_ms=admitted.elapsed_ms)
        check_status(reply)

    def _whole(
        self,
        reply: ProviderReply,
        admitted: AdmittedRequest,
        principal: Principal,
        time_is_up: Callable[[], bool],
        ticket: Ticket,
    ) -> ChatAnswer:
        """Read a whole answer, settle it, and put what it cost beside its usage."""
        value = _decoded(self._read(reply, admitted, time_is_up))
        reply.close()
        reported = value.get("usage")
        usage = read_usage(reported)
        if usage is None:
            usage = estimate_usage(admitted, produced_bytes(value, "message"))
        cost = admitted.price_nanousd(usage)
        value["usage"] = priced_usage(reported, usage, cost, self._unit)
        body = encode_json(value)
        if (keep := ticket.keeper("application/json")) is not None:
            keep(body)
        settled = admitted.settle(usage, "complete")
        metered = self._metered(admitted, principal, settled)
        return ChatAnswer(body, "application/json", metered)

    def _read(
        self, reply: ProviderReply, admitted: AdmittedRequest, time_is_up: Callable[[], bool]
    ) -> bytes:
        parts: list[bytes] = []
        size = 0
        for chunk in reply.chunks(TICK_SECONDS):
            admitted.keep_alive()
            if time_is_up():
                raise ProviderTimedOut("The provider did not answer in time.")
            if chunk is not None:
                parts.append(chunk)
                size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise ProviderFailed("The provider's answer is too large.")
        return b"".join(parts)

    def _metered(
        self, admitted: AdmittedRequest, principal: Principal, settled: Settled | None = None
    ) -> Metered:
        account = admitted.account if settled is None else settled.account
        counted = account or admitted.account
        return Metered(
            rid=admitted.rid,
            provider=admitted.terms.choice.route.provider.name,
            quote=admitted.terms.quote,
            account=account,
            quota=quota_of(counted, exempt=principal.quota_exempt, now_ms=self._clock.now_ms()),
            processing_ms=admitted.elapsed_ms,
            cost_nanousd=None if settled is None else settled.cost_nanousd,
        )


def _close(reply: ProviderReply | None) -> None:
    if reply is not None:
        reply.close()


def _decoded(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderFailed("The provider sent what is not an answer.") from error
    if isinstance(value, dict) and isinstance(value.get("choices"), list) and value["choices"]:
        return value
    raise ProviderFailed("The provider sent what is not an answer.")
