"""Every error Farebox raises on purpose.

    FareboxError
    ├── ConfigurationError
    ├── Refusal                      the caller's request is not served; nothing was charged
    │   ├── InvalidRequest
    │   │   ├── MissingField · InvalidValue · UnsupportedParameter · IdempotencyKeyReused
    │   │   └── InvalidImage
    │   ├── InvalidCredential
    │   ├── InsufficientCredits
    │   ├── Forbidden
    │   │   ├── ModelNotAvailable · TrialEnded · InsufficientPermissions · AccountSuspended
    │   ├── NotFound
    │   │   └── ModelNotFound
    │   ├── MethodNotAllowed
    │   ├── Conflict
    │   ├── BodyTooLarge · UnsupportedMediaType
    │   └── QuotaExceeded · TooManyInFlight
    ├── ProviderError
    │   ├── ProviderRefused          the provider found fault with the request itself
    │   ├── ProviderFailed · ProviderTimedOut
    │   └── NoRoute
    └── StoreError
        ├── StoreUnavailable         down or throttled; what was sent may have been applied
        └── StoreConflict            a transaction touches the item; nothing was applied

What an error looks like over HTTP is decided in one place, `farebox.api.problems`.
"""

from collections.abc import Mapping


class FareboxError(Exception):
    """The root of the tree."""

    @property
    def message(self) -> str:
        """The sentence a person reads."""
        return str(self)


class ConfigurationError(FareboxError):
    """The operator's settings or data cannot be used as they are."""


class Refusal(FareboxError):
    """The request is not served; no money moved."""


class InvalidRequest(Refusal):
    """The request cannot be understood; `param` names the field at fault, if one is."""

    code = "invalid_value"

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class InvalidValue(InvalidRequest):
    """A field has a value outside what it may be."""


class MissingField(InvalidRequest):
    """A required field is absent."""

    code = "missing_field"


class UnsupportedParameter(InvalidRequest):
    """A field would change the price or reach the shared provider account, or is unknown."""

    code = "unsupported_parameter"


class IdempotencyKeyReused(InvalidRequest):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_key_reused"


class InvalidImage(InvalidRequest):
    """The bytes are no still PNG, JPEG or WebP picture that is safe to decode."""


class InvalidCredential(Refusal):
    """No credential, a malformed one, or one that is unknown, expired or revoked."""


class InsufficientCredits(Refusal):
    """The account, or the key's budget, cannot carry the request's quote."""

    def __init__(self, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers = dict(headers or {})


class Forbidden(Refusal):
    """The caller is known and may not do this."""

    code = "insufficient_permissions"


class ModelNotAvailable(Forbidden):
    """The model is above the caller's tier, or outside what the key may use."""

    code = "model_not_available"


class TrialEnded(Forbidden):
    """The trial's seven days or its lifetime of calls are over."""

    code = "trial_ended"


class InsufficientPermissions(Forbidden):
    """The credential lacks the scope the route asks for."""


class AccountSuspended(Forbidden):
    """The account is not active, or owes money."""

    code = "account_suspended"


class NotFound(Refusal):
    """There is nothing here for this caller."""

    code = "not_found"

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class ModelNotFound(NotFound):
    """No model has this name."""

    code = "model_not_found"


class MethodNotAllowed(Refusal):
    """The path exists, the method does not; `allowed` lists those that do."""

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class Conflict(Refusal):
    """The same idempotency key is in progress, or its answer is no longer to be had."""

    def __init__(self, message: str, code: str, generation_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.generation_id = generation_id


class BodyTooLarge(Refusal):
    """The body does not fit what a function can take."""


class UnsupportedMediaType(Refusal):
    """The body is not JSON."""


class QuotaExceeded(Refusal):
    """A window's calls are used up; `headers` carry its figures, `retry_after_seconds` its end."""

    def __init__(
        self, message: str, *, retry_after_seconds: int | None, headers: Mapping[str, str]
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.headers = dict(headers)


class TooManyInFlight(Refusal):
    """As many requests are open on the account as it may hold at once."""


class ProviderError(FareboxError):
    """The model provider did not give a usable answer."""


class ProviderRefused(ProviderError):
    """The provider answered 4xx about the request itself; what is kept is its own."""

    def __init__(
        self, message: str, *, status: int, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param


class ProviderFailed(ProviderError):
    """The provider answered 5xx or 429, cut the connection, or sent what is not an answer."""


class ProviderTimedOut(ProviderError):
    """The provider was silent for longer than it may be."""


class NoRoute(ProviderError):
    """No provider can serve this request now: none is configured, or all are busy."""

    def __init__(self, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class StoreError(FareboxError):
    """A store did not do what it was asked."""


class StoreUnavailable(StoreError):
    """The store is down or throttled; what was sent may or may not have been applied."""


class StoreConflict(StoreError):
    """A transaction is touching the item; nothing was applied."""
