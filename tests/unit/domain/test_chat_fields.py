import pytest

from farebox.domain.chat_fields import CREDENTIAL_FIELDS, FIELDS, FIELDS_BY_NAME, Field, Handling


def names(handling: Handling) -> set[str]:
    return {field.name for field in FIELDS if field.handling is handling}


def test_a_field_has_one_rule_and_none_is_a_credential() -> None:
    assert len(FIELDS_BY_NAME) == len(FIELDS)
    assert CREDENTIAL_FIELDS.isdisjoint(FIELDS_BY_NAME)


def test_what_costs_more_or_reaches_the_shared_account_is_refused() -> None:
    assert names(Handling.REFUSE) == {
        "store",
        "service_tier",
        "modalities",
        "audio",
        "prediction",
        "web_search_options",
        "prompt_cache_retention",
    }


def test_what_names_our_callers_users_stays_here() -> None:
    assert names(Handling.DROP) == {
        "user",
        "safety_identifier",
        "prompt_cache_key",
        "metadata",
    }


def test_what_decides_on_price_and_route_is_ours() -> None:
    assert names(Handling.OURS) == {
        "messages",
        "model",
        "max_tokens",
        "max_completion_tokens",
        "n",
        "stream",
        "stream_options",
        "power_level",
        "task_type",
        "privacy_required",
    }


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_value_that_is_harmless_is_one_the_field_may_have(field: Field) -> None:
    assert [field.check.fault(value) for value in field.harmless] == [None] * len(field.harmless)
