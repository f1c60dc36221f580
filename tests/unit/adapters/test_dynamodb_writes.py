"""The expressions themselves: DynamoDB refuses what an emulator may let pass."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.adapters.aws_wire import Json
from farebox.adapters.dynamodb_writes import grant_of, reset_of, update_of
from farebox.domain.protocol import Enlarge, Release, Renew, Reserve
from farebox.domain.quotas import QuotaLimits
from tests.builders import ACCOUNT, make_admission, make_grant, make_hold, make_rid

EXPRESSION_BYTES_MAX = 4_096
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (2026-11)."""

LIMITS = st.none() | st.integers(0, 5)
SLOTS = st.sampled_from(["", "7"])


@st.composite
def reserves(draw: st.DrawFn) -> Reserve:
    slot = draw(SLOTS)
    admission = make_admission(
        limits=QuotaLimits(draw(LIMITS), draw(LIMITS), draw(LIMITS)),
        keyslot=slot,
        key_budget_nanousd=draw(st.none() | st.integers(0, 200)),
    )
    return Reserve(admission, make_hold(100, keyslot=slot))


def updates() -> st.SearchStrategy[Json]:
    rid, account = st.just(make_rid()), st.just(ACCOUNT)
    text, amount = st.just("100:1:N1:"), st.integers(0, 100)
    windows = st.sampled_from([(), ("t", "m202611", "d20261120")])
    commands = st.one_of(
        reserves(),
        st.builds(Release, account, rid, text, amount, amount, SLOTS, windows),
        st.builds(Renew, account, rid, text, text),
        st.builds(Enlarge, account, rid, text, text, amount, SLOTS),
    )
    following = st.none() | st.just(2)
    return st.one_of(
        st.builds(update_of, commands, st.just("accounts")),
        st.builds(reset_of, account, st.just(1), following, st.just("accounts")),
        st.just(grant_of(make_grant(5), "accounts", "entries")["TransactItems"][1]["Update"]),
    )


def placeholders(update: Json) -> Iterator[str]:
    for expression in (update["UpdateExpression"], update["ConditionExpression"]):
        yield from re.findall(r"[#:]\w+", expression)


@given(updates())
def test_every_placeholder_is_declared_and_every_declaration_used(update: Json) -> None:
    declared = update["ExpressionAttributeNames"] | update["ExpressionAttributeValues"]

    assert set(placeholders(update)) == set(declared)


@given(updates())
def test_no_attribute_goes_by_its_own_name(update: Json) -> None:
    allowed = {"SET", "ADD", "REMOVE", "AND", "OR", "size", "if_not_exists", "attribute_exists"}
    allowed.add("attribute_not_exists")
    expressions = f"{update['UpdateExpression']} {update['ConditionExpression']}"

    words = set(re.findall(r"(?<![#:\w])[A-Za-z_]\w*", expressions))

    assert words <= allowed


@given(updates())
def test_no_expression_is_longer_than_dynamodb_takes(update: Json) -> None:
    assert len(update["UpdateExpression"]) < EXPRESSION_BYTES_MAX
    assert len(update["ConditionExpression"]) < EXPRESSION_BYTES_MAX


@given(updates())
def test_each_section_comes_once(update: Json) -> None:
    sections = re.findall(r"\b(?:SET|ADD|REMOVE)\b", update["UpdateExpression"])

    assert len(sections) == len(set(sections))


def test_a_reserve_with_everything_in_it_reads_like_this() -> None:
    admission = make_admission(
        quote_nanousd=100,
        limits=QuotaLimits(day=34, month=None, lifetime=0),
        keyslot="7",
        key_budget_nanousd=500,
    )

    update = update_of(Reserve(admission, make_hold(100, keyslot="7")), "accounts")

    assert update["ConditionExpression"].split(" AND ") == [
        "#status = :active",
        "#tier = :tier",
        "#debt <= :zero",
        "#t <= :limit0",
        "(attribute_not_exists(#d20261120) OR #d20261120 <= :limit2)",
        "(attribute_not_exists(#key) OR #key <= :left)",
        "size(#holds) < :cap",
        "#available >= :amount",
        "attribute_not_exists(#holds.#rid)",
    ]
    assert update["UpdateExpression"] == (
        "SET #available = #available - :amount, #holds.#rid = :hold, "
        "#hx = if_not_exists(#hx, :expiry) "
        "ADD #t :one, #m202611 :one, #d20261120 :one, #key :amount"
    )
    assert update["ExpressionAttributeNames"]["#key"] == "k7"
    values = update["ExpressionAttributeValues"]
    assert (values[":limit0"], values[":limit2"], values[":left"]) == (
        {"N": "-1"},
        {"N": "33"},
        {"N": "400"},
    )


@pytest.mark.parametrize(
    "command",
    [
        Reserve(make_admission(), make_hold()),
        Release(ACCOUNT, make_rid(), "100:1:N1:", 0, 100, "", ()),
        Renew(ACCOUNT, make_rid(), "100:1:N1:", "100:2:N1:"),
        Enlarge(ACCOUNT, make_rid(), "100:1:N1:", "200:1:N1:", 100, ""),
    ],
)
def test_every_command_asks_for_the_account_whether_applied_or_declined(
    command: Reserve | Release | Renew | Enlarge,
) -> None:
    update = update_of(command, "accounts")

    assert update["TableName"] == "accounts"
    assert update["Key"] == {"pk": {"S": "A#usr_ada#0"}, "sk": {"S": "BAL"}}
    assert update["ReturnValues"] == "ALL_NEW"
    assert update["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
