"""What a provider's refusal means to our caller, decided by status, never by the words in it."""

import json
import re
from collections.abc import Mapping
from typing import Final

from farebox.domain.errors import NoRoute, ProviderError, ProviderFailed, ProviderRefused
from farebox.services.ports.chat_provider import ProviderReply

_OK: Final = 200
_CALLERS_FAULT: Final = {400: 400, 413: 413, 422: 400}
"""Statuses that are about the request itself; 401, 403 and 404 are about our own access."""
_BUSY: Final = frozenset({402, 429, 503, 529})
_ERROR_BYTES: Final = 64 * 1024
_MESSAGE_CHARACTERS: Final = 500
_SECRETS: Final = re.compile(
    r"\bBearer [\w\-.*+/=]{6,}"
    r"|\b(?:sk|gsk|hf|fw|tgp|key)[-_][\w\-.*]{6,}"
    r"|\b(?=[A-Za-z]*[0-9])[A-Za-z0-9]{32,}\b",
    re.ASCII,
)
"""What the keys of the catalogue's providers look like, those without a prefix included."""

_DEFAULT_RETRY_SECONDS: Final = 5
_LONGEST_RETRY_SECONDS: Final = 3600
_MOST_DIGITS: Final = 9


def check_status(reply: ProviderReply) -> None:
    """Raise unless the provider accepted the request.

    Raises:
        ProviderRefused: It found fault with the request; its message is passed on, trimmed and
            without anything that looks like a key.
        NoRoute: It is busy or out of quota; says when to come back.
        ProviderFailed: Anything else.
    """
    status = reply.status
    if status == _OK:
        return
    if status in _CALLERS_FAULT:
        error = _error_of(reply)
        raise ProviderRefused(
            _scrubbed(error.get("message")),
            status=_CALLERS_FAULT[status],
            code=_text(error.get("code")),
            param=_text(error.get("param")),
        )
    if status in _BUSY:
        raise NoRoute("The provider is busy. Try again shortly.", _retry_after(reply))
    raise ProviderFailed(f"The provider answered with status {status}.")


def _error_of(reply: ProviderReply) -> Mapping[str, object]:
    """Read what is wrong; nothing if that cannot be read, for the status says enough."""
    body = b""
    try:
        for chunk in reply.chunks(1.0):
            if chunk is None or len(body) > _ERROR_BYTES:
                break
            body += chunk
        value = json.loads(body)
    except (ProviderError, ValueError, RecursionError):
        return {}
    error = value.get("error") if isinstance(value, dict) else None
    return error if isinstance(error, dict) else {}


def _scrubbed(message: object) -> str:
    if not isinstance(message, str) or not message:
        return "The provider refused the request."
    return _SECRETS.sub("[removed]", message)[:_MESSAGE_CHARACTERS]


def _text(value: object) -> str | None:
    return value[:100] if isinstance(value, str) else None


def _retry_after(reply: ProviderReply) -> int:
    header = reply.header("Retry-After")
    if header is None or not header.isdecimal():
        return _DEFAULT_RETRY_SECONDS
    if len(header) > _MOST_DIGITS:
        return _LONGEST_RETRY_SECONDS
    return min(int(header), _LONGEST_RETRY_SECONDS)
