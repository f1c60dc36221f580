"""Real answers have the shapes that `/openapi.json` gives them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from farebox.api import wire
from farebox.api.chat import model_object
from farebox.api.header_notes import METERED_HEADERS, RESPONSE_HEADERS
from farebox.api.headers import EXPOSED_HEADERS
from farebox.api.request_examples import CHAT_ANSWER, CHAT_STREAM
from farebox.domain.catalogue import Model, load_catalogue
from farebox.domain.identity import CallerKind, Principal
from farebox.domain.meter import Usage, cost_nanousd
from farebox.domain.money import CreditUnit
from farebox.domain.quotas import QuotaStatus
from farebox.domain.quotes import Asked, quote_chat
from farebox.domain.tiers import PowerLevel, Tier
from farebox.services.metered import Metered
from farebox.services.receipts import Receipt
from farebox.services.relay import priced_usage
from tests.builders import ACCOUNT, make_account, make_hold, make_rid
from tests.fakes.clock import NOON_MS
from tests.unit.api.documents import DOCUMENT, faults

CREDIT = CreditUnit.from_usd("0.001")
MONTH = QuotaStatus("Monthly", 10_000, 12, 1_796_083_200)
MODELS = load_catalogue().models


def make_principal(**fields: Any) -> Principal:  # noqa: ANN401 - any field of it
    known: dict[str, Any] = {
        "user_id": ACCOUNT,
        "account_id": ACCOUNT,
        "tier": Tier.PROFESSIONAL,
        "kind": CallerKind.USER,
        "key_id": "0123456789ab",
        "scopes": frozenset({"llm:inference"}),
    }
    return Principal(**(known | fields))


def make_receipt(**fields: Any) -> Receipt:  # noqa: ANN401 - any field of it
    known: dict[str, Any] = {
        "rid": make_rid(),
        "account_id": ACCOUNT,
        "state": "settled",
        "held_nanousd": 100,
        "cost_nanousd": 40,
        "started_ms": NOON_MS,
        "ended_ms": NOON_MS + 900,
        "expires_at": None,
        "facts": {"model": "gpt-4o-mini", "prompt_tokens": 12, "stream": True},
    }
    return Receipt(**(known | fields))


def shown(shape: wire.Wire) -> object:
    """Give a shape as it goes out."""
    return json.loads(shape.model_dump_json())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_model_of_the_catalogue_has_the_documented_shape(model: Model) -> None:
    described = model_object(model)

    assert faults("Model", described) == []
    assert faults("ModelList", {"object": "list", "data": [described]}) == []


def test_a_model_with_a_field_too_many_has_not() -> None:
    described = model_object(MODELS[0])

    assert faults("Model", described | {"margin": 1}) != []


def test_balances_have_the_documented_shapes() -> None:
    account = make_account(available_nanousd=2_500_000, holds={make_rid(): make_hold(500_000)})

    balance = shown(wire.Balance.of(account, CREDIT))
    credit = shown(wire.Credits.of(account, make_principal(), CREDIT))

    assert faults("Balance", balance) == []
    assert faults("Credits", credit) == []


@pytest.mark.parametrize(
    "receipt",
    [
        make_receipt(),
        make_receipt(state="pending", ended_ms=None, expires_at=NOON_MS // 1000, facts={}),
    ],
    ids=lambda receipt: receipt.state,
)
def test_receipts_have_the_documented_shape(receipt: Receipt) -> None:
    assert faults("Generation", shown(wire.Generation.of(receipt, CREDIT))) == []


@pytest.mark.parametrize(
    ("principal", "status"),
    [
        (make_principal(), MONTH),
        (make_principal(models=frozenset({"gpt-4o"}), budget_nanousd=5, expires_at=9), None),
    ],
    ids=["plain", "limited"],
)
def test_credentials_have_the_documented_shape(
    principal: Principal, status: QuotaStatus | None
) -> None:
    described = wire.KeyDescription.of(principal, make_account(), status, CREDIT)

    assert faults("KeyDescription", shown(described)) == []


def test_health_has_the_documented_shape() -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    assert faults("Health", shown(wire.Health(status="up", ledger="up", timestamp=now))) == []


def test_nothing_that_is_always_there_is_documented_as_if_it_might_lack() -> None:
    balance = DOCUMENT["components"]["schemas"]["Balance"]
    credit = DOCUMENT["components"]["schemas"]["Credits"]

    assert set(balance["required"]) == set(balance["properties"])
    assert set(credit["required"]) == set(credit["properties"])


def test_the_example_of_an_answer_is_priced_by_the_catalogue() -> None:
    model = load_catalogue().model("gpt-4o-mini")
    assert model is not None

    cost = cost_nanousd(Usage(12, 0, 2), model.price, PowerLevel.BALANCED, markup_percent=10)

    assert faults("ChatCompletion", CHAT_ANSWER) == []
    assert cost == 3300
    assert CHAT_ANSWER["usage"] == priced_usage(
        {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14},
        Usage(12, 0, 2),
        cost,
        CREDIT,
    )


def test_an_estimated_usage_has_the_documented_shape() -> None:
    estimated = priced_usage(None, Usage(12, 0, 2, estimated=True), 3300, CREDIT)

    assert faults("Usage", estimated) == []
    assert estimated["estimated"] is True


def test_the_example_of_a_stream_is_chunks_and_its_end() -> None:
    *chunks, end = (
        event.removeprefix("data: ") for event in CHAT_STREAM.removesuffix("\n\n").split("\n\n")
    )

    assert end == "[DONE]"
    assert len(chunks) == 3
    for chunk in chunks:
        assert faults("ChatCompletionChunk", json.loads(chunk)) == []
    assert json.loads(chunks[-1])["usage"] == CHAT_ANSWER["usage"]


def make_metered(cost_nanousd: int | None) -> Metered:
    """Make the figures of an answer that was capped, on a tier with a quota."""
    asked = Asked(
        model=MODELS[0],
        price=MODELS[0].price,
        prompt_bound_tokens=100,
        power=PowerLevel.BALANCED,
        tier=Tier.FREE,
        requested_cap_tokens=10_000_000,
    )
    return Metered(
        rid=make_rid(),
        provider="openai",
        quote=quote_chat(asked),
        account=make_account(),
        quota=MONTH,
        processing_ms=12,
        cost_nanousd=cost_nanousd,
    )


def test_the_headers_of_a_metered_answer_are_those_that_are_documented() -> None:
    whole = make_metered(cost_nanousd=40)
    stream = make_metered(cost_nanousd=None)

    sent = {*whole.headers(CREDIT), *stream.headers(CREDIT)}

    assert whole.quote.clamped_by is not None
    assert set(METERED_HEADERS) == sent | {"Idempotent-Replayed"}


def test_every_header_a_page_may_read_is_explained() -> None:
    assert set(EXPOSED_HEADERS) <= set(RESPONSE_HEADERS)
