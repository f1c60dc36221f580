"""How accounts and entries look in DynamoDB."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.adapters.dynamodb_items import (
    SWEEP_SHARDS,
    account_item,
    account_of,
    entry_item,
    entry_key,
    entry_of,
    months_between,
    sweep_shard,
)
from farebox.domain.ids import make_ulid
from farebox.domain.ledger import EntryKind, Fact
from tests.builders import make_account, make_entry, make_hold, make_rid

NEW_YEAR_2027_MS = 1_798_761_600_000


def test_an_account_reads_like_this() -> None:
    account = make_account(
        available_nanousd=900,
        spent_nanousd=7,
        holds={make_rid(1): make_hold(100, expires_at=500)},
        counters={"t": 1, "k7": 100},
    )

    item = account_item(account)

    assert item == {
        "pk": {"S": "A#usr_ada#0"},
        "sk": {"S": "BAL"},
        "available": {"N": "900"},
        "spent": {"N": "7"},
        "granted": {"N": "1007"},
        "debt": {"N": "0"},
        "tier": {"S": "professional"},
        "status": {"S": "active"},
        "holds": {"M": {make_rid(1): {"S": "100:500:N1:"}}},
        "created": {"N": "1795176000000"},
        "hs": {"S": "H#0"},
        "hx": {"N": "500"},
        "t": {"N": "1"},
        "k7": {"N": "100"},
    }
    assert account_of(item) == account


def test_an_account_outside_the_sweepers_index_has_no_place_in_it() -> None:
    account = make_account()

    item = account_item(account)

    assert "hx" not in item
    assert account_of(item) == account


def test_an_entry_reads_like_this() -> None:
    facts: dict[str, Fact] = {"model": "gpt-5", "tokens": 12, "estimated": False}
    entry = replace(make_entry(make_rid(1), amount_nanousd=40), facts=facts)

    item = entry_item(entry)

    assert item == {
        "pk": {"S": "E#usr_ada#0#202611"},
        "sk": {"S": make_rid(1)},
        "kind": {"S": "settlement"},
        "amount": {"N": "40"},
        "debit": {"S": "usr_ada"},
        "credit": {"S": "house"},
        "at": {"N": "1795176000000"},
        "nonce": {"S": "N1"},
        "hold": {"N": "100"},
        "facts": {
            "M": {"model": {"S": "gpt-5"}, "tokens": {"N": "12"}, "estimated": {"BOOL": False}}
        },
    }
    assert entry_of(item) == entry


@given(
    account_id=st.text("abcXYZ019_-#.|", min_size=1, max_size=40),
    kind=st.sampled_from(EntryKind),
    amount_nanousd=st.integers(0, 10**27),
    facts=st.dictionaries(st.text(), st.text() | st.integers() | st.booleans()),
)
def test_any_entry_survives(
    account_id: str, kind: EntryKind, amount_nanousd: int, facts: dict[str, Fact]
) -> None:
    entry = make_entry(account_id=account_id, kind=kind, amount_nanousd=amount_nanousd)
    entry = replace(entry, facts=facts)

    assert entry_of(entry_item(entry)) == entry


@pytest.mark.parametrize(
    ("time_ms", "suffix", "partition"),
    [
        (NEW_YEAR_2027_MS - 1, "", "E#usr_ada#0#202612"),
        (NEW_YEAR_2027_MS, "", "E#usr_ada#0#202701"),
        (NEW_YEAR_2027_MS - 1, "#LOSS", "E#usr_ada#0#202612"),
    ],
)
def test_an_entry_lies_in_the_month_its_rid_was_made_in(
    time_ms: int, suffix: str, partition: str
) -> None:
    rid = make_ulid(time_ms, 1) + suffix

    assert entry_key("usr_ada", rid) == {"pk": {"S": partition}, "sk": {"S": rid}}


def test_months_run_through_the_turn_of_the_year() -> None:
    months = list(months_between(NEW_YEAR_2027_MS - 40 * 86_400_000, NEW_YEAR_2027_MS))

    assert months == ["202611", "202612", "202701"]


def test_one_moment_lies_in_one_month() -> None:
    assert list(months_between(NEW_YEAR_2027_MS, NEW_YEAR_2027_MS)) == ["202701"]


def test_an_end_before_the_beginning_has_no_months() -> None:
    assert list(months_between(NEW_YEAR_2027_MS, NEW_YEAR_2027_MS - 1)) == []


def test_accounts_spread_over_the_sweepers_shards_and_stay_in_theirs() -> None:
    shards = [sweep_shard(f"usr_{number}") for number in range(1_000)]

    assert min(shards.count(shard) for shard in SWEEP_SHARDS) > 200
    assert sweep_shard("usr_ada") == "H#0"
