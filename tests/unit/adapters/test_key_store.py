from typing import Any

import pytest

from farebox.adapters.aws_wire import AwsError, AwsUnreachable
from farebox.adapters.key_store import DynamoKeyStore
from farebox.domain.errors import ConfigurationError, StoreUnavailable
from farebox.domain.identity import CallerKind, Principal, UserKeyRecord
from farebox.domain.tiers import Tier
from tests.fakes.clock import NOON_MS, FakeClock
from tests.unit.adapters.app_table import AppTable

KEY_ID = "0123456789ab"
NOON = NOON_MS // 1000
LEAST = {
    "pk": {"S": f"K#{KEY_ID}"},
    "sk": {"S": "KEY"},
    "hash": {"S": "ab" * 32},
    "pepper": {"S": "1"},
    "status": {"S": "active"},
    "user_id": {"S": "ada"},
    "account": {"S": "usr_ada"},
    "tier": {"S": "starter"},
}
ALL = LEAST | {
    "scopes": {"L": [{"S": "llm:inference"}, {"S": "credits:read"}]},
    "name": {"S": "laptop"},
    "models": {"L": [{"S": "gpt-4o-mini"}]},
    "keyslot": {"S": "3"},
    "budget": {"N": "5000000000"},
    "exp": {"N": str(NOON + 60)},
    "created": {"N": str(NOON_MS)},
}


def table_of(item: dict[str, Any]) -> AppTable:
    """Make a table that holds one key."""
    table = AppTable()
    table.items[f"K#{KEY_ID}", "KEY"] = item
    return table


def find(table: AppTable, clock: FakeClock | None = None) -> UserKeyRecord | None:
    return DynamoKeyStore(table, "app", clock or FakeClock()).find(KEY_ID)


def test_a_record_is_read_in_one_call_with_all_it_says() -> None:
    table = table_of(ALL)

    record = find(table)

    assert record == UserKeyRecord(
        KEY_ID,
        "ab" * 32,
        "1",
        "active",
        Principal(
            user_id="ada",
            account_id="usr_ada",
            tier=Tier.STARTER,
            kind=CallerKind.USER,
            key_id=KEY_ID,
            scopes=frozenset({"llm:inference", "credits:read"}),
            key_name="laptop",
            models=frozenset({"gpt-4o-mini"}),
            keyslot="3",
            budget_nanousd=5_000_000_000,
            expires_at=NOON + 60,
            created_ms=NOON_MS,
        ),
    )
    assert [operation for operation, _ in table.calls] == ["GetItem"]


def test_what_a_record_does_not_say_is_no_licence() -> None:
    record = find(table_of(LEAST))

    assert record is not None
    assert record.principal.scopes == frozenset()
    assert record.principal.models is None
    assert record.principal.budget_nanousd is None
    assert record.principal.expires_at is None
    assert record.principal.created_ms == 0


def test_a_list_of_no_models_is_a_list_of_none() -> None:
    record = find(table_of(LEAST | {"models": {"L": []}}))

    assert record is not None
    assert record.principal.models == frozenset()


@pytest.mark.parametrize(("seconds", "there"), [(59.999, True), (60, False)])
def test_an_expired_record_is_none_whatever_the_table_has_cleaned_up(
    seconds: float, there: bool
) -> None:
    clock = FakeClock()
    clock.tick(seconds)

    assert (find(table_of(ALL), clock) is not None) is there


def test_an_unknown_key_is_none() -> None:
    assert find(AppTable()) is None


@pytest.mark.parametrize(
    "error", [AwsUnreachable("cut"), AwsError("ThrottlingException", "no", 400)]
)
def test_a_store_that_does_not_answer_is_unavailable(error: AwsUnreachable | AwsError) -> None:
    table = table_of(ALL)
    table.fails_with = error

    with pytest.raises(StoreUnavailable):
        find(table)


def test_a_tier_nobody_knows_is_not_guessed_at() -> None:
    with pytest.raises(ConfigurationError):
        find(table_of(LEAST | {"tier": {"S": "gold"}}))
