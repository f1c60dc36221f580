"""The fake judges the ledger, so it must answer any sequence of commands as DynamoDB does."""

from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.adapters.aws_wire import AwsJson
from farebox.domain.ledger import Account, AccountStatus, EntryKind
from farebox.domain.protocol import Command, Decide, Enlarge, Release, Renew, Reserve
from farebox.domain.quotas import QuotaLimits
from farebox.domain.tiers import Tier
from tests.builders import ACCOUNT, make_account, make_admission, make_entry, make_hold, make_rid
from tests.contract.conftest import make_tables
from tests.fakes.ledger_store import FakeLedgerStore

RIDS = st.integers(1, 2).map(make_rid)
AMOUNTS = st.sampled_from([0, 1, 100, 250])
SLOTS = st.sampled_from(["", "7"])
LIMITS = st.none() | st.integers(0, 3)
HOLDS = st.builds(
    make_hold,
    st.sampled_from([100, 250]),
    expires_at=st.just(10),
    nonce=st.sampled_from(["N1", "N2"]),
    keyslot=SLOTS,
)
WINDOWS = st.sampled_from([(), ("t", "m202611", "d20261120")])


@st.composite
def reserves(draw: st.DrawFn) -> Reserve:
    hold = draw(HOLDS)
    admission = make_admission(
        draw(RIDS),
        quote_nanousd=hold.amount_nanousd,
        tier=draw(st.sampled_from([Tier.PROFESSIONAL, Tier.PROFESSIONAL, Tier.FREE])),
        limits=QuotaLimits(draw(LIMITS), draw(LIMITS), draw(LIMITS)),
        keyslot=hold.keyslot,
        key_budget_nanousd=draw(st.none() | st.sampled_from([0, 100, 300])),
    )
    return Reserve(admission, hold)


def releases() -> st.SearchStrategy[Release]:
    hold = HOLDS.map(str)
    return st.builds(Release, st.just(ACCOUNT), RIDS, hold, AMOUNTS, AMOUNTS, SLOTS, WINDOWS)


def commands() -> st.SearchStrategy[Command]:
    hold = HOLDS.map(str)
    account = st.just(ACCOUNT)
    kinds = st.sampled_from([EntryKind.SETTLEMENT, EntryKind.VOID, EntryKind.EXPIRY])
    return st.one_of(
        reserves(),
        releases(),
        st.builds(Decide, st.builds(make_entry, RIDS, kind=kinds, amount_nanousd=AMOUNTS)),
        st.builds(Renew, account, RIDS, hold, hold),
        st.builds(Enlarge, account, RIDS, hold, hold, AMOUNTS, SLOTS),
    )


def accounts() -> st.SearchStrategy[Account]:
    return st.builds(
        make_account,
        available_nanousd=st.sampled_from([0, 100, 1_000]),
        debt_nanousd=st.sampled_from([0, 0, 0, 1]),
        status=st.sampled_from(
            [AccountStatus.ACTIVE, AccountStatus.ACTIVE, AccountStatus.SUSPENDED]
        ),
        holds=st.dictionaries(RIDS, HOLDS, max_size=2),
    )


@settings(max_examples=120, deadline=None)
@given(account=accounts(), sequence=st.lists(commands(), min_size=1, max_size=12))
def test_the_fake_answers_any_sequence_as_dynamodb_does(
    wire: AwsJson, account: Account, sequence: list[Command]
) -> None:
    fake = FakeLedgerStore([account])
    tables = make_tables(wire)
    tables.put(account)

    replies = [tables.store.send(command) for command in sequence]

    assert replies == [fake.send(command) for command in sequence]
    assert tables.store.account(ACCOUNT) == fake.account(ACCOUNT)
    assert list(tables.store.entries(ACCOUNT)) == list(fake.entries(ACCOUNT))
