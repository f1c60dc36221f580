"""Where the configured providers are, and with which keys, from the `providers` secret."""

from collections.abc import Mapping

from farebox.adapters.providers.openai_compatible import Endpoint
from farebox.domain.catalogue import Catalogue
from farebox.domain.errors import ConfigurationError
from farebox.services.ports.secret_store import SecretStore

SECRET: str = "providers"  # noqa: S105 - the name of a secret


class ProviderEndpoints:
    """Reads the secret anew when its cache is old; parses it only when it has changed."""

    def __init__(self, secrets: SecretStore, catalogue: Catalogue) -> None:
        self._secrets = secrets
        self._catalogue = catalogue
        self._parsed: tuple[Mapping[str, object], Mapping[str, Endpoint]] | None = None

    def __call__(self) -> Mapping[str, Endpoint]:
        """Give the endpoints by provider name.

        Raises:
            StoreUnavailable: The secret store does not answer, and nothing is cached.
            ConfigurationError: The secret names a provider the catalogue does not have, or one
                without a key that is not on a machine of ours.
        """
        secret = self._secrets.get(SECRET)
        if self._parsed is None or self._parsed[0] is not secret:
            endpoints = {name: self._endpoint(name, value) for name, value in secret.items()}
            self._parsed = (secret, endpoints)
        return self._parsed[1]

    def _endpoint(self, name: str, value: object) -> Endpoint:
        provider = self._catalogue.providers.get(name)
        if provider is None or not isinstance(value, Mapping):
            raise ConfigurationError(f"the secret '{SECRET}' has no usable provider '{name}'")
        api_key = value.get("api_key") or None
        if api_key is None and not provider.local:
            raise ConfigurationError(f"the secret '{SECRET}' has no api_key for '{name}'")
        return Endpoint(
            base_url=str(value.get("base_url") or provider.base_url),
            api_key=None if api_key is None else str(api_key),
        )
