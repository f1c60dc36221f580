"""The stores one suite runs over: the fake, and DynamoDB's stand-ins behind each wire."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from farebox.adapters.aws_boto import BotoAwsJson
from farebox.adapters.aws_wire import DYNAMODB, AwsJson, Endpoint
from farebox.adapters.dynamodb_items import account_item
from farebox.adapters.ledger_store import DynamoLedgerStore
from farebox.adapters.tables import ACCOUNTS, ENTRIES
from farebox.domain.ledger import Account
from farebox.services.ports.ledger_store import LedgerStore
from tests.contract import engines
from tests.fakes.clock import FakeClock
from tests.fakes.ledger_store import FakeLedgerStore

_numbers: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class StoreUnderTest:
    """An empty store, and a way past its port."""

    store: LedgerStore
    put: Callable[[Account], None]
    """Places an account as it is, money, holds and all."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Fresh tables on an engine."""

    wire: AwsJson
    accounts: str
    entries: str

    @property
    def store(self) -> DynamoLedgerStore:
        """A store over them; its clock stands at the fakes' noon."""
        return DynamoLedgerStore(self.wire, self.accounts, self.entries, FakeClock())

    def put(self, account: Account) -> None:
        """Place an account as it is."""
        self.wire.call("PutItem", {"TableName": self.accounts, "Item": account_item(account)})


def make_tables(wire: AwsJson) -> Tables:
    """Create both tables of the ledger under names nobody has used."""
    number = next(_numbers)
    tables = Tables(wire, f"accounts-{number}", f"entries-{number}")
    wire.call("CreateTable", ACCOUNTS.creation(tables.accounts))
    wire.call("CreateTable", ENTRIES.creation(tables.entries))
    return tables


@pytest.fixture(scope="session")
def dynoxide_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not engines.DYNOXIDE.exists():
        pytest.skip("dynoxide is not installed: `make dynoxide` needs npm")
    with engines.dynoxide(tmp_path_factory.mktemp("dynoxide")) as url:
        yield url


@pytest.fixture(scope="session")
def ministack_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with engines.ministack(tmp_path_factory.mktemp("ministack")) as url:
        yield url


@pytest.fixture(scope="session")
def dynoxide_wire(dynoxide_url: str) -> Iterator[AwsJson]:
    wire = engines.signed_wire(DYNAMODB, dynoxide_url)
    yield wire
    wire.close()


@pytest.fixture(scope="session")
def ministack_wire(ministack_url: str) -> Iterator[AwsJson]:
    wire = engines.signed_wire(DYNAMODB, ministack_url)
    yield wire
    wire.close()


@pytest.fixture(scope="session")
def boto_wire(ministack_url: str) -> AwsJson:
    endpoint = Endpoint(engines.REGION, ministack_url, connect_seconds=5, read_seconds=15)
    return BotoAwsJson.connect(DYNAMODB, endpoint, engines.CREDENTIALS)


@pytest.fixture(scope="session", params=["dynoxide_wire", "ministack_wire", "boto_wire"])
def wire(request: pytest.FixtureRequest) -> AwsJson:
    """Each engine, and one of them through each client."""
    there: AwsJson = request.getfixturevalue(request.param)
    return there


@pytest.fixture
def tables(wire: AwsJson) -> Tables:
    """Fresh tables behind each wire."""
    return make_tables(wire)


@pytest.fixture(params=["fake", "dynoxide_wire", "ministack_wire", "boto_wire"])
def under_test(request: pytest.FixtureRequest) -> StoreUnderTest:
    """Every store there is, the fake first: it is only as good as it agrees with the others."""
    if request.param == "fake":
        fake = FakeLedgerStore()
        return StoreUnderTest(fake, fake.put)
    there = make_tables(request.getfixturevalue(request.param))
    return StoreUnderTest(there.store, there.put)
