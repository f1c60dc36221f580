"""What every header of ours says, for `/openapi.json` and `/docs`."""

from collections.abc import Mapping
from typing import Final

from farebox.api.headers import EXPOSED_HEADERS
from farebox.api.schemas import Json
from farebox.domain.chat_fields import POWER_LEVELS
from farebox.services.idempotency import LONGEST_KEY

_STEERS_RETRIES: Final = ("Retry-After", "x-should-retry")

REQUEST_HEADERS: Final[Mapping[str, Json]] = {
    "X-Power-Level": {
        "description": "The price level; wins over `power_level` in the body.",
        "schema": {"type": "string", "enum": list(POWER_LEVELS)},
    },
    "X-Max-Cost": {
        "description": "The most this request may cost, in credits. The output is capped to fit; "
        "if even the prompt does not, the answer is 402 and no provider is called.",
        "schema": {"type": "number", "minimum": 0.000001, "maximum": 1_000_000_000_000},
        "example": 50,
    },
    "Idempotency-Key": {
        "description": "The same key with the same body calls a provider once and is charged once; "
        "who asks again gets the same answer for 24 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    },
    "X-Store-Answer": {
        "description": "`true` keeps the answer, encrypted, for 24 hours: "
        "`GET /generation/content` fetches it.",
        "schema": {"type": "string"},
    },
}
"""What a chat request may carry besides its body."""

_COUNT: Final[Json] = {"type": "integer"}
_CREDITS: Final[Json] = {"type": "number"}
_TEXT: Final[Json] = {"type": "string"}

RESPONSE_HEADERS: Final[Mapping[str, Json]] = {
    "x-request-id": {"description": "Names the request; quote it to support.", "schema": _TEXT},
    "X-Generation-Id": {
        "description": "The id of the receipt: `GET /generation?id=`.",
        "schema": _TEXT,
    },
    "X-Provider-Used": {"description": "Who answered.", "schema": _TEXT},
    "X-Cost-Incurred": {
        "description": "What was charged, in credits. Not known when a stream begins: there it is "
        "in the last usage event.",
        "schema": _CREDITS,
    },
    "X-Credits-Held": {
        "description": "In front of a stream, what is set aside for it; else what is set aside for "
        "all requests in flight. In credits.",
        "schema": _CREDITS,
    },
    "X-Credits-Remaining": {
        "description": "What further requests may be admitted with, in credits.",
        "schema": _CREDITS,
    },
    "X-Output-Cap": {
        "description": "The output tokens each choice was capped to, and by what; only where less "
        "was allowed than asked for.",
        "schema": _TEXT,
        "example": "812; by=balance",
    },
    "X-RateLimit-Limit": {
        "description": "Calls the month allows; where the day's ran out, those of the day. Absent "
        "where calls are not limited.",
        "schema": _COUNT,
    },
    "X-RateLimit-Remaining": {"description": "Calls that are left of them.", "schema": _COUNT},
    "X-RateLimit-Reset": {
        "description": "When they are counted anew, unix time in seconds.",
        "schema": _COUNT,
    },
    "openai-processing-ms": {"description": "How long it took, in milliseconds.", "schema": _COUNT},
    "Idempotent-Replayed": {
        "description": "`true` on an answer given before to the same `Idempotency-Key`.",
        "schema": {"const": "true"},
    },
    "Retry-After": {"description": "Seconds to wait before the next try.", "schema": _COUNT},
    "x-should-retry": {
        "description": "`false` where waiting does not help; OpenAI's clients obey it.",
        "schema": {"enum": ["true", "false"]},
    },
    "Allow": {"description": "The methods of the path.", "schema": _TEXT},
    "WWW-Authenticate": {"description": "The scheme to use.", "schema": {"const": "Bearer"}},
}
"""What answers carry."""

METERED_HEADERS: Final = (
    *(name for name in EXPOSED_HEADERS if name not in _STEERS_RETRIES),
    "Idempotent-Replayed",
)
"""What an answer that was charged for carries."""
