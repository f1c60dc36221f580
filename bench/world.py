"""What the measured functions talk to, all on loopback: a store, secrets, a provider, one caller.

None of it runs in the measured process, so its own CPU is in no figure.
"""

import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench.mock_secrets import serve_secrets
from farebox.adapters.aws_wire import DYNAMODB, AwsJson
from farebox.adapters.clock import SystemClock
from farebox.adapters.dynamodb_items import number, text
from farebox.adapters.ledger_store import DynamoLedgerStore
from farebox.adapters.tables import TABLES
from farebox.domain.identity import USER_SCOPES, hash_key, make_user_key, user_key_id
from farebox.domain.ids import make_ulid
from farebox.domain.ledger import HOUSE, Account, Entry, EntryKind
from farebox.domain.tiers import Tier
from tests.contract import engines
from tests.e2e.events import Event, rest_event

ROOT: Final = Path(__file__).parents[1]
USER_KEY: Final = make_user_key(0x523A41D3)

_USER: Final = "usr_3f2504e0-4f89-41d3-9a0c-0305e82c3301"
_PEPPER: Final = bytes(range(32))
_OPENING_NANOUSD: Final = 10**15

TABLE_NAMES: Final[Mapping[str, str]] = {table.setting: table.setting.lower() for table in TABLES}

SECRETS: Final[Mapping[str, object]] = {
    "farebox/keyring": {
        name: {"current": "1", "versions": {"1": base64.b64encode(_PEPPER).decode()}}
        for name in ("pepper", "answers")
    },
    "farebox/service-keys": {"keys": []},
}

SETTINGS: Final[Mapping[str, str]] = {
    **TABLE_NAMES,
    "ANSWERS_BUCKET": "answers",
    "AWS_REGION": engines.REGION,
    "AWS_ACCESS_KEY_ID": engines.CREDENTIALS.access_key_id,
    "AWS_SECRET_ACCESS_KEY": engines.CREDENTIALS.secret_access_key,
    "AWS_SESSION_TOKEN": "x" * 700,
    "POWERTOOLS_METRICS_NAMESPACE": "Farebox",
    "LOG_LEVEL": "INFO",
}
"""As the template sets them; a session token as long as Lambda's, for it is signed every time."""


@contextlib.contextmanager
def open_world(directory: Path, pause_seconds: float) -> Iterator[Mapping[str, str]]:
    """Start it all, with one caller who has ample credits; gives a function's environment."""
    with engines.dynoxide(directory) as dynamodb_url, _upstream(pause_seconds) as upstream_port:
        providers = {
            "openai": {"api_key": "k" * 164, "base_url": f"http://127.0.0.1:{upstream_port}/v1"}
        }
        with serve_secrets({**SECRETS, "farebox/providers": providers}) as secrets_url:
            _seed(engines.signed_wire(DYNAMODB, dynamodb_url))
            yield {
                **SETTINGS,
                "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_url,
                "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets_url,
                "UPSTREAM_PORT": str(upstream_port),
            }


def chat_event(*, stream: bool) -> Event:
    """Build the event of a chat completion as OpenAI's own client asks for it."""
    body: dict[str, object] = {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "What is the capital of France? Explain briefly."},
        ],
        "temperature": 0.7,
        "max_tokens": 256,
    }
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    headers = {
        "Authorization": f"Bearer {USER_KEY}",
        "Content-Type": "application/json",
        "x-stainless-arch": "arm64",
        "x-stainless-async": "false",
        "x-stainless-lang": "python",
        "x-stainless-os": "Linux",
        "x-stainless-package-version": "3.52.0",
        "x-stainless-read-timeout": "600",
        "x-stainless-retry-count": "0",
        "x-stainless-runtime": "CPython",
        "x-stainless-runtime-version": "3.13.0",
    }
    text_ = json.dumps(body, separators=(",", ":"))
    return rest_event("POST", "/v1/chat/completions", headers=headers, body=text_)


@contextlib.contextmanager
def _upstream(pause_seconds: float) -> Iterator[int]:
    command = [sys.executable, "-m", "bench.mock_upstream", str(pause_seconds)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None:
            raise RuntimeError("no pipe from the mock upstream")
        yield int(process.stdout.readline())


def _seed(dynamodb: AwsJson) -> None:
    for table in TABLES:
        dynamodb.call("CreateTable", table.creation(TABLE_NAMES[table.setting]))
    clock = SystemClock()
    now_ms = clock.now_ms()
    accounts, entries, app = (TABLE_NAMES[table.setting] for table in TABLES)
    store = DynamoLedgerStore(dynamodb, accounts, entries, clock)
    store.open_account(Account(_USER, Tier.VIP_FOUNDER, created_ms=now_ms))
    store.grant(
        Entry(
            account_id=_USER,
            rid=make_ulid(now_ms, 1),
            kind=EntryKind.GRANT,
            amount_nanousd=_OPENING_NANOUSD,
            debit=HOUSE,
            credit=_USER,
            at_ms=now_ms,
        )
    )
    record = {
        "pk": text(f"K#{user_key_id(USER_KEY)}"),
        "sk": text("KEY"),
        "hash": text(hash_key(USER_KEY, _PEPPER)),
        "pepper": text("1"),
        "account": text(_USER),
        "user_id": text(_USER),
        "tier": text(Tier.VIP_FOUNDER),
        "status": text("active"),
        "scopes": {"L": [text(scope) for scope in USER_SCOPES]},
        "name": text("bench"),
        "created": number(now_ms),
    }
    dynamodb.call("PutItem", {"TableName": app, "Item": record})
