"""Peppers and service keys in memory."""

from collections.abc import Iterable, Mapping

from farebox.domain.errors import StoreUnavailable
from farebox.domain.identity import ServiceKeyRecord

PEPPERS = {"1": b"pepper of version one, 32 bytes.", "2": b"pepper of version two, 32 bytes."}


class FakeKeyRing:
    """Gives what it was made with; `down` makes it fail."""

    def __init__(
        self,
        service_keys: Iterable[ServiceKeyRecord] = (),
        peppers: Mapping[str, bytes] | None = None,
    ) -> None:
        self.records = list(service_keys)
        self.pepper_versions = dict(PEPPERS if peppers is None else peppers)
        self.down = False

    def peppers(self) -> Mapping[str, bytes]:
        """Give the peppers by version."""
        self._check()
        return self.pepper_versions

    def service_keys(self, service: str) -> tuple[ServiceKeyRecord, ...]:
        """Give the records of a service's keys."""
        self._check()
        return tuple(record for record in self.records if record.service == service)

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("The secret store is down.")
