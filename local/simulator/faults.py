r"""Orders for misbehaviour: how a test makes the simulator fail the way providers fail.

A fault is a JSON object. It comes either in the request's own header

    X-Simulate: {"status": 429, "retry_after_seconds": 2}

or queued by the control route, for the next requests or until cleared

    POST /simulator/faults {"fault": {...}, "times": 3, "model": "gpt-4o", "path": null}
    GET /simulator/faults            what is still queued
    DELETE /simulator/faults         clears the queue

`times` defaults to 1; null means until cleared. `model` (null: any) restricts the order to one
model. Without `path` an order concerns POST requests only; with one (`/v1/models`) every method
on exactly that path. The oldest order that fits is used; a header wins and uses up none. Faults
are taken after the key was accepted and before the request is validated.

Every key may be left out, and keys combine unless said otherwise. Seconds are 0 to 600. A *chunk*
is one event of a stream (the first carries the role, `[DONE]` is not counted) or half of a plain
body; when there are fewer chunks than asked for, the fault strikes after the last.

    delay_seconds          wait before the first byte
    chunk_delay_seconds    wait between the events of a stream, instead of the usual pace
    trickle_bytes          send the body in pieces of so many bytes ...
    trickle_delay_seconds  ... with this wait after each (0.01)
    status                 answer with this error or redirect, 300-599 but 304
    retry_after_seconds    whole seconds in Retry-After; 1 when status is 429
    headers                {"Name": "value"} added to the answer, or put in place of its own
    error                  {"message", "type", "code", "param"}: replaces those of the envelope
    body                   "garbage": what is sent is no JSON; "empty": nothing is sent
    content_type           media type claimed by the answer
    cut_after_chunks       cut the connection after so many chunks; 0: before the status line
    cut                    "reset" (TCP reset, the default) or "close" (orderly, body unfinished)
    error_after_chunks     send an error event after so many chunks and end; a plain answer
                           becomes an error envelope under status 200
    silence_after_chunks   send nothing more until the peer leaves or 600 s have passed, then cut;
                           0: never answer
                           (of cut_, error_ and silence_after_chunks only one can be given)
    usage                  "none": left out        "null": "usage": null
                           "nulls": counts null    "strings": counts as text
                           "negative"              "huge": every count 10**12
                           "twice": two usage chunks, streams only
                           "inside": in the last chunk with choices, streams only
                           {...}: sent as it stands
                           (all but "none" send usage even to those who did not ask for it)
    done                   false: a stream ends without [DONE]
    image                  "garbage": bytes that are no image    "svg": a drawing with a script
                           "truncated": the first half of the bytes
                           "missing": fewer images than were asked for
                           "noise": no fault: pictures that hardly pack (PNG 1024x1024: 3 MB)
    images_spoilt          how many of the images that concerns, counted from the last; without it
                           one is "missing", and all are anything else ("noise": always all)
    answer_tokens          no fault: the text is exactly so long, before any cap and stop
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from local.simulator.problems import RefusedError

type _Seconds = Annotated[float, Field(ge=0, le=600)]
type _Chunks = Annotated[int, Field(ge=0)]
type _HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
type _HeaderValue = Annotated[str, Field(pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$")]
type UsageFault = Literal["none", "null", "nulls", "strings", "negative", "huge", "twice", "inside"]

HEADER = "x-simulate"


class _Order(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class ErrorFields(_Order):
    """What replaces the envelope's own fields; an absent one keeps its default."""

    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None


class Fault(_Order):
    """One way to misbehave; the module's docstring explains each field."""

    delay_seconds: _Seconds = 0
    chunk_delay_seconds: _Seconds | None = None
    trickle_bytes: Annotated[int, Field(ge=1)] | None = None
    trickle_delay_seconds: _Seconds = 0.01
    status: Annotated[int, Field(ge=300, le=599)] | None = None
    retry_after_seconds: Annotated[int, Field(ge=0)] | None = None
    headers: dict[_HeaderName, _HeaderValue] = {}
    error: ErrorFields = ErrorFields()
    body: Literal["garbage", "empty"] | None = None
    content_type: _HeaderValue | None = None
    cut_after_chunks: _Chunks | None = None
    cut: Literal["reset", "close"] = "reset"
    error_after_chunks: _Chunks | None = None
    silence_after_chunks: _Chunks | None = None
    usage: UsageFault | dict[str, object] | None = None
    done: bool = True
    image: Literal["garbage", "svg", "truncated", "missing", "noise"] | None = None
    images_spoilt: Annotated[int, Field(ge=1, le=128)] | None = None
    answer_tokens: Annotated[int, Field(ge=1, le=100_000)] | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        ends = (self.cut_after_chunks, self.error_after_chunks, self.silence_after_chunks)
        if sum(end is not None for end in ends) > 1:
            raise ValueError("give one of cut_, error_ and silence_after_chunks")
        if self.status == 304:  # noqa: PLR2004 (a 304 carries no body, so no server can send one)
            raise ValueError("304 cannot be simulated")
        return self

    @property
    def abandons(self) -> bool:
        """Tell whether the answer stops before its proper end."""
        return self.ends_after_chunks is not None

    @property
    def ends_after_chunks(self) -> int | None:
        """Return after how many chunks the answer stops, `None` when it runs to its end."""
        ends = (self.cut_after_chunks, self.error_after_chunks, self.silence_after_chunks)
        return next((end for end in ends if end is not None), None)


class FaultOrder(_Order):
    """A queued fault and the requests it is meant for."""

    fault: Fault
    times: Annotated[int, Field(ge=1)] | None = 1
    model: str | None = None
    path: str | None = None

    def fits(self, method: str, path: str, model: str | None) -> bool:
        """Tell whether the order concerns this request; `model` is `None` when it names none."""
        concerned = method == "POST" if self.path is None else path == self.path
        return concerned and self.model in (None, model)


class FaultQueue:
    """The orders still to be carried out, oldest first."""

    def __init__(self) -> None:
        self._orders: list[FaultOrder] = []

    @property
    def orders(self) -> tuple[FaultOrder, ...]:
        """Return what is queued, with the times that are left."""
        return tuple(self._orders)

    def add(self, order: FaultOrder) -> None:
        """Queue an order behind the others."""
        self._orders.append(order)

    def clear(self) -> None:
        """Forget every order."""
        self._orders.clear()

    def take(self, method: str, path: str, model: str | None) -> Fault:
        """Return the fault of the oldest order that fits, using it up once; else no fault."""
        for index, order in enumerate(self._orders):
            if order.fits(method, path, model):
                self._use_up(index, order)
                return order.fault
        return Fault()

    def _use_up(self, index: int, order: FaultOrder) -> None:
        if order.times == 1:
            del self._orders[index]
        elif order.times is not None:
            self._orders[index] = order.model_copy(update={"times": order.times - 1})


def read_order[T: BaseModel](kind: type[T], text: str | bytes, param: str) -> T:
    """Read a fault, or an order for one, from JSON.

    Raises:
        RefusedError: 400, naming the first key that is wrong.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "order"
        raise RefusedError(
            400, f"Not a fault order: {where}: {first['msg']}", param=param, code="invalid_value"
        ) from None
