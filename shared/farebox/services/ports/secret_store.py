"""Where secrets are kept: provider keys, peppers and the keys that encrypt."""

from collections.abc import Mapping
from typing import Protocol


class SecretStore(Protocol):
    """A store of small JSON documents that are never written by a request."""

    def get(self, name: str, *, fresh: bool = False) -> Mapping[str, object]:
        """Give a secret, parsed; it may be some minutes old unless `fresh` asks otherwise.

        Raises:
            StoreUnavailable: The store did not answer, and nothing recent enough is at hand.
            ConfigurationError: There is no such secret, or it is not a JSON object.
        """
        ...
