"""A chat costs three write units, however busy its account: that is the ledger's price per call."""

from dataclasses import replace
from typing import Final

import pytest

from farebox.adapters.dynamodb_items import Item, account_item, entry_item
from farebox.adapters.ledger_store import DynamoLedgerStore
from farebox.domain.ledger import Account, Fact, Hold
from farebox.domain.protocol import Held
from farebox.services.ledger import Ledger
from tests.builders import make_account, make_admission, make_rid
from tests.contract.capacity import MeteredWire, item_bytes, write_units
from tests.contract.conftest import Tables
from tests.fakes.clock import FakeClock
from tests.fakes.randomness import FakeRandomness

USER: Final = "usr_3f2504e0-4f89-41d3-9a0c-0305e82c3301"
QUOTE_NANOUSD: Final = 123_456_789
FACTS: Final[dict[str, Fact]] = {
    "model": "anthropic/claude-sonnet-4-5-20250929",
    "provider": "openrouter",
    "provider_id": "gen-1763640000-AbCdEfGhIjKlMnOpQrSt",
    "price": "2026-11-01",
    "prompt_tokens": 123_456,
    "cached_tokens": 100_000,
    "completion_tokens": 12_345,
    "reasoning_tokens": 2_345,
    "duration_ms": 23_456,
    "streamed": True,
    "estimated": False,
}


def busy_account(holds: int) -> Account:
    """Make an account as full as they get: long id, two days of windows, two budgeted keys."""
    counters = {"d20261119": 334, "d20261120": 333, "m202610": 9_876, "m202611": 9_999, "t": 54_321}
    return make_account(
        USER,
        available_nanousd=98_765_432_198_765,
        spent_nanousd=12_345_678_912_345,
        holds={
            make_rid(100 + number): Hold(QUOTE_NANOUSD, 1_795_176_111, "7ZZZZZZZ", "12")
            for number in range(holds)
        },
        counters={**counters, "k1": 98_765_432_198, "k12": 12_345_678_912},
    )


def chat(ledger: Ledger) -> str:
    """Reserve for a call, settle it, and give its rid."""
    admission = make_admission(
        account_id=USER,
        quote_nanousd=QUOTE_NANOUSD,
        keyslot="12",
        key_budget_nanousd=99_999_999_999_999,
    )
    held = ledger.reserve(admission)
    assert isinstance(held, Held)
    ledger.settle(admission, held, 98_765_432, FACTS)
    return held.rid


def test_the_documented_sizes_add_up() -> None:
    item: Item = {
        "pk": {"S": "Zoë"},
        "n": {"N": "-1230"},
        "zero": {"N": "0"},
        "flag": {"BOOL": True},
        "map": {"M": {"a": {"S": "xy"}, "b": {"N": "7"}}},
    }

    assert item_bytes(item) == (2 + 4) + (1 + 3) + (4 + 1) + (4 + 1) + (3 + 3 + 2 + 3 + 3)


def test_a_busy_account_with_twelve_holds_fits_a_write_unit() -> None:
    assert item_bytes(account_item(busy_account(12))) <= 1_024


def test_a_call_beside_eleven_others_takes_three_writes_of_one_unit_each(tables: Tables) -> None:
    tables.put(busy_account(11))
    metered = MeteredWire(tables.wire)
    store = DynamoLedgerStore(metered, tables.accounts, tables.entries, FakeClock())

    rid = chat(Ledger(store, FakeClock(), FakeRandomness()))

    entry = tables.store.entry(USER, rid)
    assert entry is not None
    assert write_units(entry_item(entry)) == 1
    assert metered.consumed == [1, 1, 1]


def test_the_first_hold_after_a_quiet_time_takes_one_more_for_the_index(tables: Tables) -> None:
    tables.put(busy_account(0))
    metered = MeteredWire(tables.wire)
    store = DynamoLedgerStore(metered, tables.accounts, tables.entries, FakeClock())

    chat(Ledger(store, FakeClock(), FakeRandomness()))

    assert metered.consumed == [2, 1, 1]


def test_moving_and_leaving_the_index_take_two_more_and_one_more(tables: Tables) -> None:
    tables.put(replace(busy_account(0), next_expiry=500))
    metered = MeteredWire(tables.wire)
    store = DynamoLedgerStore(metered, tables.accounts, tables.entries, FakeClock())

    store.reset_next_expiry(USER, 500, 900)
    store.reset_next_expiry(USER, 900, None)

    assert metered.consumed == [3, 2]


@pytest.mark.parametrize(("holds", "units"), [(12, 1), (29, 2), (63, 4)])
def test_an_engine_counts_units_by_the_documented_sizes(
    tables: Tables, holds: int, units: int
) -> None:
    account = busy_account(holds)
    metered = MeteredWire(tables.wire)

    metered.call("PutItem", {"TableName": tables.entries, "Item": account_item(account)})

    assert write_units(account_item(account)) == units
    assert metered.consumed == [units]
