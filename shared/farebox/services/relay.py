"""A streamed answer on its way from the provider to the client: bytes pass, money is settled.

Events go out as they came, but for three things that are ours: the usage chunk (asked of the
provider always, shown to the client if it asked, once, with the cost), `[DONE]` (withheld until
the charge is settled, for the environment may freeze after the last byte), and silence (broken by
comments, so that no one in between gives up).

The generator runs to its end whether or not anyone still listens: who leaves is charged for what
the provider produced, no more and never nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from farebox.domain.errors import (
    FareboxError,
    ProviderFailed,
    ProviderTimedOut,
    StoreUnavailable,
)
from farebox.domain.json_text import encode_json
from farebox.domain.meter import Usage, estimate_tokens, read_usage
from farebox.domain.money import CreditUnit, nanousd_to_usd
from farebox.domain.sse import DONE, PING, EventSplitter, EventTooLargeError, data_of, encode_event
from farebox.services.admitted import AdmittedRequest
from farebox.services.ports.chat_provider import ProviderReply
from farebox.services.provider_errors import check_status

TICK_SECONDS: Final = 1.0
"""How often a silent provider is looked away from: for the lease, the deadline and the client."""

_PING_AFTER_MS: Final = 10_000
"""How long the client is sent nothing before it gets a comment: well under the 15 s some wait."""

_THEIR_PRICES: Final = frozenset({"cost", "cost_details", "is_byok"})
"""What OpenRouter says in a usage of what it charges the operator: not the caller's business.

https://openrouter.ai/docs/use-cases/usage-accounting (2026-11)
"""

type ErrorEncoder = Callable[[FareboxError], bytes]
"""Makes an SSE event of an error."""


class Relay:
    """One streamed answer."""

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        reply: ProviderReply,
        admitted: AdmittedRequest,
        *,
        include_usage: bool,
        credit_unit: CreditUnit,
        time_is_up: Callable[[], bool],
        encode_error: ErrorEncoder,
        keep_answer: Callable[[bytes], None] | None = None,
    ) -> None:
        self._reply = reply
        self._admitted = admitted
        self._include_usage = include_usage
        self._credit_unit = credit_unit
        self._time_is_up = time_is_up
        self._encode_error = encode_error
        self._keep_answer = keep_answer
        self._splitter = EventSplitter()
        self._passed: list[bytes] = []
        self._kept: list[bytes] = []
        self._reported: object = None
        self._done = False
        self._failure: ProviderFailed | None = None
        self._spoke_ms = 0

    def parts(self) -> Iterator[bytes]:
        """Give what the client is sent, as it comes; settles before the last of it."""
        try:
            yield from self._relay()
        except FareboxError as failure:
            yield self._fail(failure)
        finally:
            self._reply.close()
            # Open only after a fault of our own; what was produced is charged all the same.
            self._conclude("failed")

    def _relay(self) -> Iterator[bytes]:
        yield from self._wait_for_start()
        check_status(self._reply)
        for chunk in self._reply.chunks(TICK_SECONDS):
            self._tick()
            part = self._pass_on(chunk) if chunk else b""
            if part or self._is_quiet():
                yield self._spoken(part or PING)
            if self._failure is not None:
                raise self._failure
            if self._done:
                break
        if not self._done and (part := self._pass_event(self._splitter.rest())):
            yield part
        yield from self._finish()

    def _wait_for_start(self) -> Iterator[bytes]:
        """Wait on where the use case gave up; the answer's head leaves with the first comment."""
        if self._reply.started(0.0):
            return
        yield self._spoken(PING)
        while not self._reply.started(TICK_SECONDS):
            self._tick()
            if self._is_quiet():
                yield self._spoken(PING)
        self._admitted.note(first_byte_ms=self._admitted.elapsed_ms)

    def _is_quiet(self) -> bool:
        """Tell whether the client has heard nothing for long, whatever the provider sent."""
        return self._admitted.elapsed_ms - self._spoke_ms >= _PING_AFTER_MS

    def _spoken(self, part: bytes) -> bytes:
        self._spoke_ms = self._admitted.elapsed_ms
        return part

    def _tick(self) -> None:
        self._admitted.keep_alive()
        if self._time_is_up():
            raise ProviderTimedOut("The answer took longer than a request may.")

    def _pass_on(self, chunk: bytes) -> bytes:
        """Give what of a chunk is to be sent; a failure reported in it comes after that."""
        passed = []
        try:
            for event in self._splitter.feed(chunk):
                passed.append(self._pass_event(event))  # noqa: PERF401 - a failure keeps the rest
        except EventTooLargeError as error:
            raise ProviderFailed("The provider sent an event without end.") from error
        except ProviderFailed as failure:
            self._failure = failure
        return b"".join(passed)

    def _pass_event(self, event: bytes) -> bytes:
        data = data_of(event)
        if not data or self._done:
            return b""
        if data == DONE:
            self._done = True
            return b""
        if b'"error"' in data:
            _raise_if_error(data)
        if b'"usage"' in data and (rest := self._take_usage(data)) is not None:
            data = rest
        if not data:
            return b""
        self._passed.append(data)
        return self._remember(b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n")

    def _take_usage(self, data: bytes) -> bytes | None:
        """Take the usage out of an event; give what is left of it to send, `None` if as it came."""
        value = _parsed(data)
        usage = value.get("usage")
        if usage is None:
            return None
        if read_usage(usage) is not None:
            self._reported = usage
        if not value.get("choices"):
            return b""
        rest = {**value, "usage": None} if self._include_usage else _without(value, "usage")
        return encode_json(rest)

    def _finish(self) -> Iterator[bytes]:
        """Settle, then let the end go out."""
        if not (self._done and self._passed) and not self._has_finish_reason():
            raise ProviderFailed("The provider's answer broke off.")
        last = self._last_parts()
        if self._keep_answer is not None:
            self._keep_answer(b"".join([*self._kept, last]))
        self._conclude("complete")
        yield last

    def _last_parts(self) -> bytes:
        usage_chunk = b""
        if self._include_usage:
            usage_chunk = encode_event(self._usage_chunk())
        return usage_chunk + b"data: " + DONE + b"\n\n"

    def _usage_chunk(self) -> dict[str, object]:
        """Make the one usage chunk: the provider's counts, and what they cost here."""
        first = _parsed(self._passed[0]) if self._passed else {}
        usage = self._usage()
        cost_nanousd = self._admitted.price_nanousd(usage)
        return {
            "id": first.get("id", f"chatcmpl-{self._admitted.rid}"),
            "object": "chat.completion.chunk",
            "created": first.get("created", 0),
            "model": first.get("model", self._admitted.terms.choice.model.id),
            "choices": [],
            "usage": priced_usage(self._reported, usage, cost_nanousd, self._credit_unit),
        }

    def _fail(self, failure: FareboxError) -> bytes:
        """End a stream that cannot go on: charge what was produced, say what happened."""
        finish = "timed_out" if isinstance(failure, ProviderTimedOut) else "provider_failed"
        try:
            self._conclude(finish)
        except StoreUnavailable as worse:
            failure = worse
        return self._encode_error(failure)

    def _conclude(self, finish: str) -> None:
        """Resolve the hold, if nothing has yet."""
        if self._admitted.is_resolved:
            return
        if finish != "complete" and self._reported is None and not self._produced_bytes():
            self._admitted.void(finish)
        else:
            self._admitted.settle(self._usage(), finish)

    def _usage(self) -> Usage:
        reported = read_usage(self._reported)
        return reported or estimate_usage(self._admitted, self._produced_bytes())

    def _produced_bytes(self) -> int:
        return sum(produced_bytes(_parsed(data), "delta") for data in self._passed)

    def _has_finish_reason(self) -> bool:
        """Look whether the model said it was through, for providers that leave out `[DONE]`."""
        return any(
            isinstance(choice, Mapping) and choice.get("finish_reason")
            for data in self._passed[-8:]
            for choice in _choices(_parsed(data))
        )

    def _remember(self, part: bytes) -> bytes:
        if self._keep_answer is not None:
            self._kept.append(part)
        return part


def priced_usage(
    reported: object, usage: Usage, cost_nanousd: int, unit: CreditUnit
) -> dict[str, object]:
    """Put the cost beside the counts, under names no client trips over.

    The provider's own object is kept when it could be read; our count replaces it when it could
    not, marked `estimated`.
    """
    counts: dict[str, object]
    if isinstance(reported, Mapping) and not usage.estimated:
        counts = {name: value for name, value in reported.items() if name not in _THEIR_PRICES}
    else:
        counts = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
            "estimated": True,
        }
    return counts | {
        "cost": nanousd_to_usd(cost_nanousd),
        "cost_credits": unit.to_credits(cost_nanousd),
        "cost_nanousd": cost_nanousd,
    }


def estimate_usage(admitted: AdmittedRequest, produced: int) -> Usage:
    """Count here what a provider did not report: the prompt from its bound, the output by bytes.

    Never nothing, and never more than was set aside for it.
    """
    quote = admitted.terms.quote
    cap = quote.output_cap_tokens * quote.choices
    return Usage(
        prompt_tokens=max(1, estimate_tokens(quote.prompt_bound_tokens)),
        cached_tokens=0,
        completion_tokens=min(cap, estimate_tokens(produced)),
        estimated=True,
    )


def produced_bytes(value: Mapping[str, object], key: str) -> int:
    """Count the bytes of text a model produced in an answer or a chunk of one.

    Args:
        value: The answer or the chunk.
        key: Where its choices have what was produced: `message` or `delta`.
    """
    produced = 0
    todo: list[object] = [
        {**part, "role": None}
        for choice in _choices(value)
        if isinstance(choice, Mapping) and isinstance(part := choice.get(key), Mapping)
    ]
    while todo:
        each = todo.pop()
        if isinstance(each, str):
            produced += len(each.encode(errors="surrogatepass"))
        elif isinstance(each, Mapping):
            todo += each.values()
        elif isinstance(each, list):
            todo += each
    return produced


def _choices(value: Mapping[str, object]) -> list[object]:
    choices = value.get("choices")
    return choices if isinstance(choices, list) else []


def _parsed(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _without(value: Mapping[str, object], name: str) -> dict[str, object]:
    return {key: each for key, each in value.items() if key != name}


def _raise_if_error(data: bytes) -> None:
    if _parsed(data).get("error"):
        raise ProviderFailed("The provider reported an error while answering.")
