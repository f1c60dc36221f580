"""Builds the chat function: the lean path, with no framework and no boto3 at its start."""

from dataclasses import dataclass

from farebox.adapters.answer_store import DynamoIdempotencyStore
from farebox.adapters.provider_endpoints import SECRET as PROVIDERS
from farebox.adapters.provider_endpoints import ProviderEndpoints
from farebox.adapters.providers.openai_compatible import OpenAICompatibleProvider
from farebox.api.problems import error_event
from farebox.bootstrap.answers import build_answers
from farebox.bootstrap.parts import CREDENTIAL_SECRETS, Parts
from farebox.domain.catalogue import load_catalogue
from farebox.domain.money import CreditUnit
from farebox.observability import Telemetry
from farebox.services.admit import Admit
from farebox.services.authenticate import Authenticate
from farebox.services.choose_route import ChooseRoute
from farebox.services.complete_chat import CompleteChat
from farebox.services.describe_models import DescribeModels
from farebox.services.idempotency import Idempotency
from farebox.services.ledger import Ledger
from farebox.services.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class ChatFunction:
    """What the chat handler uses."""

    complete_chat: CompleteChat
    describe_models: DescribeModels
    authenticate: Authenticate
    ledger: Ledger
    clock: Clock
    credit_unit: CreditUnit
    telemetry: Telemetry
    lenient: bool


def build() -> ChatFunction:
    """Build it, with its connection open and its secrets fetched."""
    parts = Parts("chat")
    settings, clock, telemetry = parts.settings, parts.clock, parts.telemetry
    lenient = settings.sandbox_lenient
    catalogue = load_catalogue()
    provider = OpenAICompatibleProvider(ProviderEndpoints(parts.secrets, catalogue), clock)
    idempotency = Idempotency(
        parts.ledger.store,
        DynamoIdempotencyStore(parts.dynamodb, settings.app_table, clock),
        build_answers(parts),
        clock,
        telemetry,
    )
    parts.warm((*CREDENTIAL_SECRETS, PROVIDERS))
    return ChatFunction(
        complete_chat=CompleteChat(
            choose_route=ChooseRoute(catalogue, provider.is_configured, lenient=lenient),
            admit=Admit(parts.ledger, clock, telemetry, settings.credit_unit),
            provider=provider,
            idempotency=idempotency,
            clock=clock,
            new_rid=parts.ledger.new_rid,
            credit_unit=settings.credit_unit,
            encode_error=error_event,
            lenient=lenient,
        ),
        describe_models=DescribeModels(catalogue),
        authenticate=parts.authenticate,
        ledger=parts.ledger,
        clock=clock,
        credit_unit=settings.credit_unit,
        telemetry=telemetry,
        lenient=lenient,
    )
