"""A decision survives being a message."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.adapters.settlement_queue import deciding_of, message_of
from farebox.domain.ledger import EntryKind, Fact
from farebox.domain.protocol import Deciding
from tests.builders import make_entry, make_hold
from tests.fakes.frozen_map import FrozenMap


@given(
    kind=st.sampled_from(EntryKind),
    amount_nanousd=st.integers(0, 10**27),
    facts=st.dictionaries(st.text(), st.text() | st.integers() | st.booleans()),
)
def test_any_decision_comes_back_as_it_was(
    kind: EntryKind, amount_nanousd: int, facts: dict[str, Fact]
) -> None:
    entry = replace(make_entry(kind=kind, amount_nanousd=amount_nanousd), facts=FrozenMap(facts))
    deciding = Deciding(entry, str(make_hold()))

    again = deciding_of(message_of(deciding))

    assert again == deciding
    assert again.entry.kind is kind


@pytest.mark.parametrize("kind", ["settled", ""])
def test_a_message_of_an_unknown_kind_is_not_guessed_at(kind: str) -> None:
    message = json.loads(message_of(Deciding(make_entry(), "")))
    message["entry"]["kind"] = kind

    with pytest.raises(ValueError, match="not a valid EntryKind"):
        deciding_of(json.dumps(message))
