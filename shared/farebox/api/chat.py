"""Chat and models on the wire: headers in, headers out, and the shape of a model."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from farebox.api.asgi import Answer, Request
from farebox.domain.catalogue import Model
from farebox.domain.errors import InvalidValue, UnsupportedMediaType
from farebox.domain.money import CreditUnit, nanousd_to_usd
from farebox.services.complete_chat import ChatAnswer, Conditions

_STREAM_SECONDS: Final = 890
_WHOLE_SECONDS: Final = 280
"""API Gateway gives up on a silent connection after 5 minutes; we answer before it does."""
_WHOLE_BEHIND_CLOUDFRONT_SECONDS: Final = 55
_MARGIN_MS: Final = 3_000
"""Kept back from the environment's own deadline, to settle and to say so."""

_TOKENS_A_PRICE: Final = 1_000_000


def check_media_type(headers: Mapping[str, str]) -> None:
    """Insist on JSON, which clients that send none of the kind forget to say.

    Raises:
        UnsupportedMediaType: The Content-Type is another.
    """
    content_type = headers.get("content-type", "application/json")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("Send the body as JSON, with Content-Type: application/json.")


def read_conditions(request: Request, *, stream: bool, unit: CreditUnit, now_ms: int) -> Conditions:
    """Read what a request says outside its body, and when its time will be up.

    Raises:
        InvalidValue: X-Max-Cost is not a positive amount of credits.
    """
    headers = request.headers
    seconds = _STREAM_SECONDS
    if not stream:
        behind_cloudfront = "x-amz-cf-id" in headers
        seconds = _WHOLE_BEHIND_CLOUDFRONT_SECONDS if behind_cloudfront else _WHOLE_SECONDS
    milliseconds = min(seconds * 1000, request.remaining_ms() - _MARGIN_MS)
    return Conditions(
        deadline_ms=now_ms + milliseconds,
        max_cost_nanousd=_max_cost(headers.get("x-max-cost"), unit),
        idempotency_key=headers.get("idempotency-key"),
        store_answer=headers.get("x-store-answer", "").lower() in {"1", "true", "yes"},
        raw_body=request.body,
    )


def chat_answer(answer: ChatAnswer, unit: CreditUnit) -> Answer:
    """Put the figures of an answer into its headers."""
    headers = {} if answer.metered is None else answer.metered.headers(unit)
    if answer.replayed is not None:
        headers = {
            "X-Generation-Id": answer.replayed,
            "x-request-id": answer.replayed,
            "Idempotent-Replayed": "true",
        }
    return Answer(answer.body, content_type=answer.content_type, headers=headers)


def model_object(model: Model) -> dict[str, object]:
    """Describe a model as OpenAI does, with what it costs and can do beside it."""
    price = model.price
    return {
        "id": model.id,
        "object": "model",
        "created": model.created_seconds,
        "owned_by": model.owned_by,
        "kind": model.kind.value,
        "tier": model.tier.value,
        "context_length": model.context_length,
        "max_output_tokens": model.max_output_tokens,
        "capabilities": sorted(model.capabilities),
        "aliases": list(model.aliases),
        "pricing": {
            "currency": "USD",
            "per_tokens": _TOKENS_A_PRICE,
            "input": nanousd_to_usd(price.input_nanousd_per_million),
            "cached_input": nanousd_to_usd(price.cached_input_nanousd_per_million),
            "output": nanousd_to_usd(price.output_nanousd_per_million),
            "version": price.version,
            "source": price.source,
        },
    }


def _max_cost(header: str | None, unit: CreditUnit) -> int | None:
    if header is None:
        return None
    try:
        amount = Decimal(header.strip())
        nanousd = unit.to_nanousd(amount) if amount > 0 else 0
    except (InvalidOperation, ValueError):
        nanousd = 0
    if nanousd <= 0:
        raise InvalidValue("X-Max-Cost must be a positive amount of credits.", "X-Max-Cost")
    return nanousd
