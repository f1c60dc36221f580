"""Builds the account function."""

from dataclasses import dataclass

from farebox.bootstrap.parts import CREDENTIAL_SECRETS, Parts
from farebox.domain.money import CreditUnit
from farebox.observability import Telemetry
from farebox.services.authenticate import Authenticate
from farebox.services.ledger import Ledger
from farebox.services.ports.clock import Clock
from farebox.services.read_account import ReadAccount


@dataclass(frozen=True, slots=True)
class AccountFunction:
    """What the account handler uses."""

    read_account: ReadAccount
    authenticate: Authenticate
    ledger: Ledger
    clock: Clock
    credit_unit: CreditUnit
    telemetry: Telemetry


def build() -> AccountFunction:
    """Build it."""
    parts = Parts("account")
    parts.warm(CREDENTIAL_SECRETS)
    return AccountFunction(
        read_account=ReadAccount(parts.ledger),
        authenticate=parts.authenticate,
        ledger=parts.ledger,
        clock=parts.clock,
        credit_unit=parts.settings.credit_unit,
        telemetry=parts.telemetry,
    )
