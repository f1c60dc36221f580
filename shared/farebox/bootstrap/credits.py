"""Builds the credits function."""

from dataclasses import dataclass

from farebox.bootstrap.answers import build_answers
from farebox.bootstrap.parts import CREDENTIAL_SECRETS, Parts
from farebox.domain.money import CreditUnit
from farebox.observability import Telemetry
from farebox.services.authenticate import Authenticate
from farebox.services.ledger import Ledger
from farebox.services.read_account import ReadAccount
from farebox.services.receipts import Receipts


@dataclass(frozen=True, slots=True)
class CreditsFunction:
    """What the credits handler uses."""

    read_account: ReadAccount
    receipts: Receipts
    authenticate: Authenticate
    ledger: Ledger
    credit_unit: CreditUnit
    telemetry: Telemetry


def build() -> CreditsFunction:
    """Build it."""
    parts = Parts("credits")
    parts.warm(CREDENTIAL_SECRETS)
    return CreditsFunction(
        read_account=ReadAccount(parts.ledger),
        receipts=Receipts(parts.ledger.store, build_answers(parts)),
        authenticate=parts.authenticate,
        ledger=parts.ledger,
        credit_unit=parts.settings.credit_unit,
        telemetry=parts.telemetry,
    )
