"""Seeding a real emulator: once, twice, and after it has lost everything."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from farebox.adapters.aws_wire import DYNAMODB, SECRETS_MANAGER, Json
from farebox.adapters.clock import SystemClock
from farebox.adapters.key_ring import SecretsKeyRing
from farebox.adapters.key_store import DynamoKeyStore
from farebox.adapters.ledger_store import DynamoLedgerStore
from farebox.adapters.secret_store import AwsSecretStore
from farebox.domain.identity import ADMIN_SCOPE
from farebox.domain.ledger import Account
from farebox.domain.tiers import Tier
from farebox.services.authenticate import Authenticate
from local.credentials import Credentials
from local.emulator import Aws
from local.providers import Secret
from local.seed import seed

PROVIDERS: Secret = {"openai": {"api_key": "simulator", "base_url": "http://127.0.0.1:1/v1"}}
type StartEmulator = Callable[[Path, Credentials], Aws]
type Seeding = Callable[..., Seeded]

TABLES = ("farebox-accounts", "farebox-entries", "farebox-app")


class Seeded:
    """An emulator after seeding, seen through the product's own adapters."""

    def __init__(self, aws: Aws, stack: ExitStack) -> None:
        self.dynamodb = stack.enter_context(closing(aws.json(DYNAMODB)))
        self._secrets_manager = stack.enter_context(closing(aws.json(SECRETS_MANAGER)))

    def account(self, account_id: str) -> Account:
        store = DynamoLedgerStore(self.dynamodb, TABLES[0], TABLES[1], SystemClock())
        account = store.account(account_id)
        assert account is not None
        return account

    def everything(self) -> list[Json]:
        scans = (self.dynamodb.call("Scan", {"TableName": name})["Items"] for name in TABLES)
        return sorted((item for items in scans for item in items), key=json.dumps)

    def authenticate(self) -> Authenticate:
        clock = SystemClock()
        secrets = AwsSecretStore(self._secrets_manager, "farebox/", clock)
        return Authenticate(
            DynamoKeyStore(self.dynamodb, TABLES[2], clock), SecretsKeyRing(secrets, clock), clock
        )

    def secret(self, name: str) -> Json:
        answer = self._secrets_manager.call("GetSecretValue", {"SecretId": name})
        secret: Json = json.loads(answer["SecretString"])
        return secret


@pytest.fixture
def aws(start_emulator: StartEmulator, tmp_path: Path, credentials: Credentials) -> Aws:
    return start_emulator(tmp_path, credentials)


@pytest.fixture
def seeded() -> Iterator[Seeding]:
    """Seeds an emulator and gives a view of it."""
    with ExitStack() as stack:

        def seeded(aws: Aws, providers: Secret = PROVIDERS, *, lenient: bool = False) -> Seeded:
            seed(aws, providers, lenient=lenient)
            return Seeded(aws, stack)

        yield seeded


class TestFirstTime:
    def test_user_and_organisation_get_ten_thousand_credits(
        self, aws: Aws, seeded: Seeding
    ) -> None:
        there = seeded(aws)

        user = there.account(aws.credentials.user_id)
        organisation = there.account(aws.credentials.organisation_id)

        assert (user.tier, user.available_nanousd) == (Tier.PROFESSIONAL, 10_000_000_000)
        assert (organisation.tier, organisation.available_nanousd) == (
            Tier.ENTERPRISE,
            10_000_000_000,
        )
        assert (user.unexplained_nanousd, organisation.unexplained_nanousd) == (0, 0)

    def test_every_key_opens_what_it_should(self, aws: Aws, seeded: Seeding) -> None:
        authenticate = seeded(aws).authenticate()
        keys = aws.credentials

        user = authenticate(f"Bearer {keys.user_key}", "byok:manage")
        admin = authenticate(f"Bearer {keys.admin_key}", ADMIN_SCOPE)
        service = authenticate(f"Bearer {keys.service_key}", "llm:inference")

        assert (user.account_id, user.tier) == (keys.user_id, Tier.PROFESSIONAL)
        assert not user.may(ADMIN_SCOPE)
        assert admin.account_id == keys.admin_id
        assert service.account_id == keys.organisation_id


class TestAgain:
    def test_nothing_changes(self, aws: Aws, seeded: Seeding) -> None:
        before = seeded(aws).everything()

        after = seeded(aws).everything()

        assert after == before
        assert len(after) == 8  # 4 accounts, 2 opening grants, 2 keys

    def test_the_providers_are_those_of_the_latest_start(self, aws: Aws, seeded: Seeding) -> None:
        seeded(aws)

        there = seeded(aws, {"groq": {"api_key": "gsk_new"}})

        assert there.secret("farebox/providers") == {"groq": {"api_key": "gsk_new"}}

    def test_a_revoked_key_stays_revoked(self, aws: Aws, seeded: Seeding) -> None:
        there = seeded(aws)
        (record,) = (i for i in there.everything() if i.get("name", {}).get("S") == "demo user")
        revoked = record | {"status": {"S": "revoked"}}
        there.dynamodb.call("PutItem", {"TableName": "farebox-app", "Item": revoked})

        assert revoked in seeded(aws).everything()

    def test_a_rotated_pepper_is_kept_and_used(self, aws: Aws, seeded: Seeding) -> None:
        seeded(aws)
        other_pepper = Credentials.make(0).pepper
        unlike = Aws(aws.port, replace(aws.credentials, pepper=other_pepper))

        authenticate = seeded(unlike).authenticate()

        assert authenticate(f"Bearer {aws.credentials.user_key}", None)

    def test_lenient_credits_come_once_and_on_top(self, aws: Aws, seeded: Seeding) -> None:
        seeded(aws)
        seeded(aws, lenient=True)

        user = seeded(aws, lenient=True).account(aws.credentials.user_id)

        assert user.available_nanousd == 1_000_000_000_000


def test_an_emulator_that_lost_everything_comes_back_the_same(
    aws: Aws, seeded: Seeding, start_emulator: StartEmulator, tmp_path: Path
) -> None:
    before = seeded(aws)
    empty = start_emulator(tmp_path / "other", aws.credentials)

    after = seeded(empty)

    assert after.everything() == before.everything()
    assert after.secret("farebox/keyring") == before.secret("farebox/keyring")
