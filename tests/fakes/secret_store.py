"""Secrets in memory, cached as the real store caches them: what is written shows when it is old."""

from collections.abc import Mapping

from farebox.domain.errors import ConfigurationError, StoreUnavailable


class FakeSecretStore:
    """Shows what `write` put there only after `age` was called, or to who asks for it fresh."""

    def __init__(self, secrets: Mapping[str, Mapping[str, object]] | None = None) -> None:
        self._written = dict(secrets or {})
        self._cached = dict(self._written)
        self.fresh_reads: list[str] = []
        self.down = False

    def write(self, name: str, secret: Mapping[str, object]) -> None:
        """Give a secret a new version."""
        self._written[name] = secret

    def age(self) -> None:
        """Let the cache grow old."""
        self._cached = dict(self._written)

    def get(self, name: str, *, fresh: bool = False) -> Mapping[str, object]:
        """Give a secret."""
        if self.down:
            raise StoreUnavailable("The secret store is down.")
        if fresh:
            self.fresh_reads.append(name)
            self._cached[name] = self._written[name]
        if name not in self._cached:
            raise ConfigurationError(f"There is no secret {name!r}.")
        return self._cached[name]
