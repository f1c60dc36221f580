"""What must be there before the first request: tables, secrets, users, keys and credits.

Every step may be run again, on a store that has all of it, some of it or none: what exists is left
as it is, and the opening grants carry ids derived from the state directory's own birth, so that
each is made exactly once.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from farebox.adapters.aws_wire import (
    CONDITION_FAILED,
    DYNAMODB,
    SECRETS_MANAGER,
    SQS,
    AwsError,
    AwsJson,
    Json,
)
from farebox.adapters.clock import SystemClock
from farebox.adapters.dynamodb_items import Item, number, text
from farebox.adapters.ledger_store import DynamoLedgerStore
from farebox.adapters.tables import ACCOUNTS, APP, ENTRIES, Table
from farebox.domain.identity import ADMIN_SCOPE, USER_SCOPES, hash_key, user_key_id
from farebox.domain.ids import make_ulid
from farebox.domain.ledger import HOUSE, Account, Entry, EntryKind
from farebox.domain.tiers import Tier
from local.credentials import DEMO_SERVICE, Credentials
from local.emulator import Aws
from local.providers import Secret

SECRETS_PREFIX: Final = "farebox/"
ANSWERS_BUCKET: Final = "farebox-answers"
SETTLEMENTS_QUEUE: Final = "farebox-settlements"
TABLE_NAMES: Final[Mapping[Table, str]] = {
    ACCOUNTS: "farebox-accounts",
    ENTRIES: "farebox-entries",
    APP: "farebox-app",
}

OPENING_CREDITS: Final = 10_000
LENIENT_CREDITS: Final = 990_000
"""Added under SANDBOX_LENIENT, for test suites that spend as if it were nothing."""

CREDIT_NANOUSD: Final = 1_000_000
"""A credit is worth 0.001 USD here, as it is by default everywhere."""

_THERE_ALREADY: Final = "ResourceExistsException"
_ULID_RANDOM_BYTES: Final = 10


def seed(aws: Aws, providers: Secret, *, lenient: bool) -> str:
    """Put everything in place.

    Args:
        aws: The emulator, running.
        providers: The `providers` secret of this run.
        lenient: Whether to grant ample credits.

    Returns:
        The URL of the settlements queue.
    """
    aws.make_bucket(ANSWERS_BUCKET)
    with closing(aws.json(SECRETS_MANAGER)) as secrets_manager:
        pepper = _write_secrets(secrets_manager, aws.credentials, providers)
    with closing(aws.json(DYNAMODB)) as dynamodb:
        _create_tables(dynamodb)
        _open_accounts(dynamodb, aws.credentials, lenient=lenient)
        for record in _key_records(aws.credentials, pepper):
            _keep_key(dynamodb, record)
    with closing(aws.json(SQS)) as sqs:
        queue = sqs.call("CreateQueue", {"QueueName": SETTLEMENTS_QUEUE})
    return str(queue["QueueUrl"])


# ── Stores ───────────────────────────────────────────────────────────────────────────────────────


def _create_tables(dynamodb: AwsJson) -> None:
    there = dynamodb.call("ListTables", {})["TableNames"]
    for table, name in TABLE_NAMES.items():
        if name in there:
            continue
        dynamodb.call("CreateTable", table.creation(name))
        if table.expiry_attribute is not None:
            expiry = {"AttributeName": table.expiry_attribute, "Enabled": True}
            payload = {"TableName": name, "TimeToLiveSpecification": expiry}
            dynamodb.call("UpdateTimeToLive", payload)


def _write_secrets(
    secrets_manager: AwsJson, credentials: Credentials, providers: Secret
) -> "_Pepper":
    pepper = _Pepper.current(_keep_secret(secrets_manager, "keyring", _keyring(credentials)))
    _write_secret(secrets_manager, "providers", providers)
    _write_secret(secrets_manager, "service-keys", _service_keys(credentials, pepper))
    return pepper


def _keep_secret(secrets_manager: AwsJson, name: str, value: Json) -> Json:
    """Write a secret unless there is one, and give the one that is there."""
    full_name = SECRETS_PREFIX + name
    try:
        payload = {"Name": full_name, "SecretString": json.dumps(value)}
        secrets_manager.call("CreateSecret", payload)
    except AwsError as error:
        if error.code != _THERE_ALREADY:
            raise
    kept = secrets_manager.call("GetSecretValue", {"SecretId": full_name})
    there: Json = json.loads(kept["SecretString"])
    return there


def _write_secret(secrets_manager: AwsJson, name: str, value: Json) -> None:
    if _keep_secret(secrets_manager, name, value) != value:
        payload = {"SecretId": SECRETS_PREFIX + name, "SecretString": json.dumps(value)}
        secrets_manager.call("PutSecretValue", payload)


# ── Accounts ─────────────────────────────────────────────────────────────────────────────────────


def _open_accounts(dynamodb: AwsJson, credentials: Credentials, *, lenient: bool) -> None:
    store = DynamoLedgerStore(dynamodb, TABLE_NAMES[ACCOUNTS], TABLE_NAMES[ENTRIES], SystemClock())
    tiers = {
        HOUSE: Tier.ENTERPRISE,
        credentials.admin_id: Tier.ENTERPRISE,
        credentials.user_id: Tier.PROFESSIONAL,
        credentials.organisation_id: Tier.ENTERPRISE,
    }
    for account_id, tier in tiers.items():
        store.open_account(Account(account_id, tier, created_ms=credentials.created_ms))
    for account_id in (credentials.user_id, credentials.organisation_id):
        store.grant(_grant(account_id, "opening", OPENING_CREDITS, credentials.created_ms))
        if lenient:
            store.grant(_grant(account_id, "lenient", LENIENT_CREDITS, credentials.created_ms))


def _grant(account_id: str, what: str, credits_: int, at_ms: int) -> Entry:
    """Compose a grant that is the same one at every start, and so is applied once."""
    digest = hashlib.sha256(f"{what} {account_id}".encode()).digest()
    return Entry(
        account_id=account_id,
        rid=make_ulid(at_ms, int.from_bytes(digest[:_ULID_RANDOM_BYTES])),
        kind=EntryKind.GRANT,
        amount_nanousd=credits_ * CREDIT_NANOUSD,
        debit=HOUSE,
        credit=account_id,
        at_ms=at_ms,
        facts={"reason": what},
    )


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Pepper:
    version: str
    secret: bytes

    @classmethod
    def current(cls, keyring: Json) -> "_Pepper":
        peppers = keyring["pepper"]
        version = peppers["current"]
        return cls(version, base64.b64decode(peppers["versions"][version]))


def _keyring(credentials: Credentials) -> Json:
    return {
        "pepper": {"current": "1", "versions": {"1": credentials.pepper}},
        "answers": {"current": "1", "versions": {"1": credentials.answers_key}},
    }


def _service_keys(credentials: Credentials, pepper: _Pepper) -> Json:
    return {
        "keys": [
            {
                "service": DEMO_SERVICE,
                "hash": hash_key(credentials.service_key, pepper.secret),
                "pepper": pepper.version,
                "account": credentials.organisation_id,
                "organisation": credentials.organisation_id,
                "expires_at": None,
            }
        ]
    }


def _key_records(credentials: Credentials, pepper: _Pepper) -> Iterator[Item]:
    admin_scopes = (*USER_SCOPES, ADMIN_SCOPE)
    for key, owner, tier, scopes, name in (
        (credentials.user_key, credentials.user_id, Tier.PROFESSIONAL, USER_SCOPES, "demo user"),
        (credentials.admin_key, credentials.admin_id, Tier.ENTERPRISE, admin_scopes, "demo admin"),
    ):
        yield {
            "pk": text(f"K#{user_key_id(key)}"),
            "sk": text("KEY"),
            "hash": text(hash_key(key, pepper.secret)),
            "pepper": text(pepper.version),
            "account": text(owner),
            "user_id": text(owner),
            "tier": text(tier),
            "status": text("active"),
            "scopes": {"L": [text(scope) for scope in scopes]},
            "name": text(name),
            "created": number(credentials.created_ms),
        }


def _keep_key(dynamodb: AwsJson, record: Item) -> None:
    """Write a key's record unless there is one that its key opens; it may have been revoked."""
    payload = {
        "TableName": TABLE_NAMES[APP],
        "Item": record,
        "ConditionExpression": "attribute_not_exists(pk) OR #hash <> :hash",
        "ExpressionAttributeNames": {"#hash": "hash"},
        "ExpressionAttributeValues": {":hash": record["hash"]},
    }
    try:
        dynamodb.call("PutItem", payload)
    except AwsError as error:
        if error.code != CONDITION_FAILED:
            raise
