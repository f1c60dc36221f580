"""How often a chat goes to DynamoDB, and for how much: what its latency and its bill are made of.

Time is measured in `bench`, where nothing fails by chance; here calls are counted, and one more of
them fails.
"""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from farebox.adapters.answer_store import DynamoAnswerStore, DynamoIdempotencyStore
from farebox.adapters.aws_wire import AwsJson, Json
from farebox.adapters.dynamodb_items import account_item, number, text
from farebox.adapters.key_store import DynamoKeyStore
from farebox.adapters.ledger_store import DynamoLedgerStore
from farebox.adapters.tables import ACCOUNTS, APP, ENTRIES
from farebox.api.problems import error_event
from farebox.domain.catalogue import load_catalogue
from farebox.domain.chat_request import parse_chat_request
from farebox.domain.errors import InsufficientCredits
from farebox.domain.identity import USER_SCOPES, hash_key, make_user_key, user_key_id
from farebox.domain.ledger import Account, Hold
from farebox.domain.money import CreditUnit
from farebox.services.admit import Admit
from farebox.services.authenticate import REVOCATION_BOUND_SECONDS, Authenticate
from farebox.services.choose_route import ChooseRoute
from farebox.services.complete_chat import CompleteChat, Conditions
from farebox.services.idempotency import Idempotency
from farebox.services.ledger import Ledger
from tests.builders import make_account, make_rid
from tests.chat_world import PARIS, PARIS_STREAM, QUESTION
from tests.contract.capacity import write_units
from tests.fakes.chat_provider import FakeChatProvider, FakeReply, Script
from tests.fakes.clock import NOON_MS, FakeClock
from tests.fakes.key_ring import PEPPERS, FakeKeyRing
from tests.fakes.metrics import FakeMetrics
from tests.fakes.randomness import FakeRandomness
from tests.fakes.secret_store import FakeSecretStore

USER: Final = "usr_3f2504e0-4f89-41d3-9a0c-0305e82c3301"
KEY: Final = make_user_key(7)
KEYRING: Final = {
    "answers": {
        "current": "1",
        "versions": {"1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
    }
}
RESERVE, SETTLE, RELEASE = "UpdateItem accounts", "PutItem entries", "UpdateItem accounts"
UNIT: Final = CreditUnit.from_usd("0.001")

_numbers: Final = itertools.count(1)


@dataclass(slots=True)
class CountingWire:
    """A wire that notes each call and what it wrote, in a log it shares with the provider."""

    wire: AwsJson
    log: list[str]
    written: list[Json] = field(default_factory=list)

    def call(self, operation: str, payload: Mapping[str, Any]) -> Json:
        """Make the call."""
        self.log.append(f"{operation} {payload['TableName'].partition('-')[0]}")
        answer = self.wire.call(operation, payload)
        if operation == "UpdateItem":
            self.written.append(answer["Attributes"])
        elif operation == "PutItem":
            self.written.append(payload["Item"])
        return answer


class LoggedProvider(FakeChatProvider):
    """A provider that notes its calls in the same log."""

    def __init__(self, log: list[str], clock: FakeClock, scripts: list[Script]) -> None:
        super().__init__(clock, scripts)
        self.log = log

    def send_chat(self, provider: str, body: Mapping[str, object]) -> FakeReply:
        """Note, and answer."""
        self.log.append("provider")
        return super().send_chat(provider, body)


@dataclass(frozen=True, slots=True)
class Environment:
    """One execution environment of the chat function, on DynamoDB through the real adapters."""

    clock: FakeClock
    wire: CountingWire
    authenticate: Authenticate
    complete_chat: CompleteChat

    def ask(self, *, key: str | None = None, **fields: object) -> list[str]:
        """Ask the question, read the answer to its end, and give the calls it took, in order."""
        self.wire.log.clear()
        self.wire.written.clear()
        body = {"model": "gpt-4o-mini", "max_tokens": 100, **QUESTION, **fields}
        conditions = Conditions(
            deadline_ms=self.clock.now_ms() + 60_000,
            idempotency_key=key,
            raw_body=json.dumps(body).encode(),
        )
        principal = self.authenticate(f"Bearer {KEY}", "llm:inference")
        answer = self.complete_chat(parse_chat_request(body), principal, conditions)
        if not isinstance(answer.body, bytes):
            assert b"".join(answer.body).endswith(b"data: [DONE]\n\n")
        return list(self.wire.log)


def make_environment(wire: AwsJson, account: Account, *scripts: Script) -> Environment:
    """Start an environment, on tables of its own, that has seen the caller's key once."""
    number_ = next(_numbers)
    accounts, entries, app = (
        f"{name}-counted-{number_}" for name in ("accounts", "entries", "app")
    )
    for table, name in ((ACCOUNTS, accounts), (ENTRIES, entries), (APP, app)):
        wire.call("CreateTable", table.creation(name))
    wire.call("PutItem", {"TableName": accounts, "Item": account_item(account)})
    wire.call("PutItem", {"TableName": app, "Item": key_record(account)})
    clock, metrics = FakeClock(), FakeMetrics()
    counting = CountingWire(wire, [])
    ledger = Ledger(DynamoLedgerStore(counting, accounts, entries, clock), clock, FakeRandomness())
    provider = LoggedProvider(counting.log, clock, list(scripts))
    answers = DynamoAnswerStore(
        counting, app, no_bucket, FakeSecretStore({"keyring": KEYRING}), clock
    )
    idempotency = Idempotency(
        ledger.store, DynamoIdempotencyStore(counting, app, clock), answers, clock, metrics
    )
    authenticate = Authenticate(DynamoKeyStore(counting, app, clock), FakeKeyRing(), clock)
    authenticate(f"Bearer {KEY}", None)
    complete_chat = CompleteChat(
        choose_route=ChooseRoute(load_catalogue(), provider.is_configured),
        admit=Admit(ledger, clock, metrics, UNIT),
        provider=provider,
        idempotency=idempotency,
        clock=clock,
        new_rid=ledger.new_rid,
        credit_unit=UNIT,
        encode_error=error_event,
    )
    return Environment(clock, counting, authenticate, complete_chat)


def key_record(account: Account) -> Json:
    return {
        "pk": text(f"K#{user_key_id(KEY)}"),
        "sk": text("KEY"),
        "hash": text(hash_key(KEY, PEPPERS["1"])),
        "pepper": text("1"),
        "account": text(account.account_id),
        "user_id": text(account.account_id),
        "tier": text(account.tier),
        "status": text("active"),
        "scopes": {"L": [text(scope) for scope in USER_SCOPES]},
        "keyslot": text("12"),
        "budget": number(99_999_999_999_999),
        "created": number(NOON_MS),
    }


def no_bucket() -> Any:  # noqa: ANN401 - it is never given
    raise AssertionError("a small answer needs no bucket")


def account_with(holds: int = 0) -> Account:
    """Make an account as full as a busy one gets, with that many requests in flight."""
    return make_account(
        USER,
        available_nanousd=98_765_432_198_765,
        spent_nanousd=12_345_678_912_345,
        holds={
            make_rid(100 + each): Hold(123_456_789, NOON_MS // 1000 + 140, "7ZZZZZZZ", "12")
            for each in range(holds)
        },
        counters={
            "d20261119": 333,
            "d20261120": 332,
            "m202610": 9_876,
            "m202611": 9_998,
            "t": 54_321,
            "k1": 98_765_432_198,
            "k12": 12_345_678_912,
        },
    )


WHOLE, STREAM = Script([PARIS]), Script(PARIS_STREAM)


class TestCalls:
    @pytest.mark.parametrize(("script", "stream"), [(WHOLE, False), (STREAM, True)])
    def test_a_chat_goes_to_the_store_once_before_the_provider_and_twice_after(
        self, ministack_wire: AwsJson, script: Script, stream: bool
    ) -> None:
        environment = make_environment(ministack_wire, account_with(), script)

        calls = environment.ask(stream=stream)

        assert calls == [RESERVE, "provider", SETTLE, RELEASE]

    def test_a_key_that_was_not_seen_lately_is_read_first(self, ministack_wire: AwsJson) -> None:
        environment = make_environment(ministack_wire, account_with(), WHOLE)
        environment.clock.tick(REVOCATION_BOUND_SECONDS)

        calls = environment.ask()

        assert calls == ["GetItem app", RESERVE, "provider", SETTLE, RELEASE]

    def test_an_idempotency_key_costs_two_writes_more(self, ministack_wire: AwsJson) -> None:
        environment = make_environment(ministack_wire, account_with(), WHOLE)

        calls = environment.ask(key="order-66")

        claim = keep = "PutItem app"
        assert calls == [claim, RESERVE, "provider", keep, SETTLE, RELEASE]

    def test_a_replayed_answer_costs_two_reads_and_a_refused_write(
        self, ministack_wire: AwsJson
    ) -> None:
        environment = make_environment(ministack_wire, account_with(), WHOLE)
        environment.ask(key="order-66")

        calls = environment.ask(key="order-66")

        assert calls == ["PutItem app", "GetItem entries", "GetItem app"]

    def test_a_refusal_costs_one_refused_write(self, ministack_wire: AwsJson) -> None:
        poor = replace(account_with(), available_nanousd=0)
        environment = make_environment(ministack_wire, poor, WHOLE)

        with pytest.raises(InsufficientCredits):
            environment.ask()

        assert environment.wire.log == [RESERVE]


class TestWriteUnits:
    """By the documented sizes; `test_capacity` has engines agree with them."""

    @pytest.mark.parametrize(("script", "stream"), [(WHOLE, False), (STREAM, True)])
    def test_a_chat_beside_eleven_others_takes_three(
        self, ministack_wire: AwsJson, script: Script, stream: bool
    ) -> None:
        environment = make_environment(ministack_wire, account_with(holds=11), script)

        environment.ask(stream=stream)

        reserved, entry, released = environment.wire.written
        assert len(reserved["holds"]["M"]) == 12
        assert len(released["holds"]["M"]) == 11
        assert [write_units(each) for each in (reserved, entry, released)] == [1, 1, 1]

    def test_the_claim_of_an_idempotency_key_takes_one(self, ministack_wire: AwsJson) -> None:
        environment = make_environment(ministack_wire, account_with(), WHOLE)

        environment.ask(key="k" * 255)

        claim = environment.wire.written[0]
        assert write_units(claim) == 1
