"""Builds the function that sweeps expired holds and works off queued settlements."""

from collections.abc import Callable
from dataclasses import dataclass

from farebox.adapters.settlement_queue import deciding_of
from farebox.bootstrap.parts import Parts
from farebox.domain.protocol import Deciding
from farebox.observability import Telemetry
from farebox.services.ledger import Ledger


@dataclass(frozen=True, slots=True)
class SweepFunction:
    """What the sweeping handler uses."""

    ledger: Ledger
    read_message: Callable[[str], Deciding]
    telemetry: Telemetry


def build() -> SweepFunction:
    """Build it."""
    parts = Parts("sweep_holds")
    return SweepFunction(parts.ledger, deciding_of, parts.telemetry)
