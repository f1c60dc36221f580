"""Builds the credits function."""

from dataclasses import dataclass

from farebox.adapters.answer_store import DynamoAnswerStore
from farebox.adapters.object_store import S3ObjectStore
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
    settings = parts.settings
    bucket = S3ObjectStore(settings.answers_bucket, settings.region, settings.endpoint_url("s3"))
    answers = DynamoAnswerStore(
        parts.dynamodb, settings.app_table, lambda: bucket, parts.secrets, parts.clock
    )
    parts.warm(CREDENTIAL_SECRETS)
    return CreditsFunction(
        read_account=ReadAccount(parts.ledger),
        receipts=Receipts(parts.ledger.store, answers),
        authenticate=parts.authenticate,
        ledger=parts.ledger,
        credit_unit=settings.credit_unit,
        telemetry=parts.telemetry,
    )
