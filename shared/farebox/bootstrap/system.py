"""Builds the system function."""

from dataclasses import dataclass

from farebox.bootstrap.parts import Parts
from farebox.observability import Telemetry
from farebox.services.authenticate import Authenticate
from farebox.services.check_health import CheckHealth
from farebox.services.ledger import Ledger
from farebox.services.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class SystemFunction:
    """What the system handler uses."""

    check_health: CheckHealth
    authenticate: Authenticate
    ledger: Ledger
    clock: Clock
    public_url: str
    telemetry: Telemetry


def build() -> SystemFunction:
    """Build it."""
    parts = Parts("system")
    return SystemFunction(
        check_health=CheckHealth(parts.ledger.store),
        authenticate=parts.authenticate,
        ledger=parts.ledger,
        clock=parts.clock,
        public_url=parts.settings.public_url,
        telemetry=parts.telemetry,
    )
