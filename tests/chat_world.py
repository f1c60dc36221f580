"""A whole chat among fakes: one account, one caller, one scripted provider, and every store."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from farebox.api.problems import error_event
from farebox.domain.catalogue import load_catalogue
from farebox.domain.chat_request import parse_chat_request
from farebox.domain.errors import FareboxError
from farebox.domain.identity import USER_SCOPES, CallerKind, Principal
from farebox.domain.ledger import Account, Entry
from farebox.domain.money import CreditUnit
from farebox.domain.tiers import Tier
from farebox.services.admit import Admit
from farebox.services.choose_route import ChooseRoute
from farebox.services.complete_chat import CompleteChat, Conditions
from farebox.services.idempotency import Idempotency
from farebox.services.ledger import Ledger
from farebox.services.metered import Metered
from tests.builders import ACCOUNT, make_account
from tests.fakes.answer_store import FakeAnswerStore, FakeIdempotencyStore
from tests.fakes.books import check_books
from tests.fakes.chat_provider import DONE, FakeChatProvider, Script, chunk, usage, whole
from tests.fakes.clock import NOON_MS, FakeClock
from tests.fakes.ledger_store import FakeLedgerStore, Fault
from tests.fakes.metrics import FakeMetrics
from tests.fakes.randomness import FakeRandomness
from tests.fakes.settlement_queue import FakeSettlementQueue

TEN_USD = 10_000_000_000
"""What the default account has, in nano-dollars."""

QUESTION = {"messages": [{"role": "user", "content": "What is the capital of France?"}]}

PARIS = whole("Paris.", usage(14, 2))
"""A whole answer that costs its caller, a professional, 3,630 nano-dollars."""

PARIS_STREAM = (
    chunk("Par"),
    chunk("is."),
    chunk(finish="stop"),
    chunk(choices=False, usage=usage(14, 2)),
    DONE,
)
"""The same as a stream."""


def make_principal(
    *,
    tier: Tier = Tier.PROFESSIONAL,
    kind: CallerKind = CallerKind.USER,
    scopes: frozenset[str] = frozenset(USER_SCOPES),
    models: frozenset[str] | None = None,
    keyslot: str = "",
    budget_nanousd: int | None = None,
    created_ms: int = NOON_MS,
) -> Principal:
    """Make a caller who pays from the default account."""
    return Principal(
        user_id="ada",
        account_id=ACCOUNT,
        tier=tier,
        kind=kind,
        key_id="0123456789ab",
        scopes=scopes,
        models=models,
        keyslot=keyslot,
        budget_nanousd=budget_nanousd,
        created_ms=created_ms,
    )


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with its stream read to the end."""

    parts: list[bytes]
    content_type: str
    metered: Metered | None
    replayed: str | None

    @property
    def body(self) -> bytes:
        """All of it."""
        return b"".join(self.parts)

    @property
    def value(self) -> dict[str, object]:
        """A whole answer, decoded."""
        value: dict[str, object] = json.loads(self.body)
        return value

    @property
    def events(self) -> list[dict[str, object]]:
        """The data of a stream's events, decoded, without `[DONE]`."""
        data = [line[6:] for line in self.body.split(b"\n") if line.startswith(b"data: ")]
        return [json.loads(each) for each in data if each != b"[DONE]"]


@dataclass
class ChatWorld:
    """The use case, its collaborators, and handles on all of them."""

    provider: FakeChatProvider
    clock: FakeClock
    store: FakeLedgerStore
    records: FakeIdempotencyStore
    answers: FakeAnswerStore
    principal: Principal = field(default_factory=make_principal)
    queue: FakeSettlementQueue = field(default_factory=FakeSettlementQueue)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    randomness: FakeRandomness = field(default_factory=FakeRandomness)
    unit: CreditUnit = field(default_factory=lambda: CreditUnit.from_usd("0.001"))
    lenient: bool = False

    @property
    def ledger(self) -> Ledger:
        """A fresh ledger: services keep nothing between requests."""
        return Ledger(self.store, self.clock, self.randomness, self.queue)

    @property
    def complete_chat(self) -> CompleteChat:
        """A fresh use case, as another environment would have it."""
        ledger = self.ledger
        is_configured = self.provider.is_configured
        return CompleteChat(
            choose_route=ChooseRoute(load_catalogue(), is_configured, lenient=self.lenient),
            admit=Admit(ledger, self.clock, self.metrics, self.unit),
            provider=self.provider,
            idempotency=Idempotency(
                self.store, self.records, self.answers, self.clock, self.metrics
            ),
            clock=self.clock,
            new_rid=ledger.new_rid,
            credit_unit=self.unit,
            encode_error=error_event,
            lenient=self.lenient,
        )

    def ask(
        self,
        *,
        key: str | None = None,
        max_cost_nanousd: int | None = None,
        store_answer: bool = False,
        seconds: float = 280,
        principal: Principal | None = None,
        **fields: Any,  # noqa: ANN401 - any JSON
    ) -> Answered:
        """Ask the question, with further fields of the body, and read the answer to its end."""
        parts, answered = self.begin(
            key=key,
            max_cost_nanousd=max_cost_nanousd,
            store_answer=store_answer,
            seconds=seconds,
            principal=principal,
            **fields,
        )
        answered.parts.extend(parts)
        return answered

    def begin(
        self,
        *,
        key: str | None = None,
        max_cost_nanousd: int | None = None,
        store_answer: bool = False,
        seconds: float = 280,
        principal: Principal | None = None,
        **fields: Any,  # noqa: ANN401 - any JSON
    ) -> tuple[Iterator[bytes], Answered]:
        """Ask the question, and give the parts of the answer as they come."""
        body = {"model": "gpt-4o-mini", **QUESTION, **fields}
        conditions = Conditions(
            deadline_ms=self.clock.now_ms() + int(seconds * 1000),
            max_cost_nanousd=max_cost_nanousd,
            idempotency_key=key,
            store_answer=store_answer,
            raw_body=json.dumps(body).encode(),
        )
        request = parse_chat_request(body, lenient=self.lenient)
        answer = self.complete_chat(request, principal or self.principal, conditions)
        parts = [answer.body] if isinstance(answer.body, bytes) else answer.body
        return iter(parts), Answered([], answer.content_type, answer.metered, answer.replayed)

    @property
    def account(self) -> Account:
        """The account as it is now."""
        return self.store.look(ACCOUNT)

    @property
    def entries(self) -> list[Entry]:
        """The account's entries, oldest first."""
        return sorted(self.store.state(ACCOUNT).entries.values(), key=lambda each: each.rid)

    @property
    def entry(self) -> Entry:
        """The account's one entry."""
        (entry,) = self.entries
        return entry

    def die_at(self, call: int, fault: Fault = Fault.CRASH_BEFORE) -> None:
        """Let the worker die at a call to the ledger's store, and do nothing after it."""
        after = dict.fromkeys(range(call + 1, call + 100), Fault.CRASH_BEFORE)
        self.store.faults = {call: fault} | after
        self.records.worker_is_dead = lambda: len(self.store.calls) > call

    def live_again(self) -> None:
        """Let workers live from here on, with nothing going wrong."""
        self.store.faults = {}
        self.records.faults = {}
        self.records.worker_is_dead = lambda: False

    def let_time_resolve_it(self) -> None:
        """Let what is late arrive, the queue be worked off, and the sweeper sweep; then audit."""
        self.live_again()
        while self.store.undelivered:
            self.store.deliver()
        self.queue.drain(self.ledger)
        self.clock.tick(240)
        self.ledger.sweep_due()
        self.ledger.sweep_all()
        assert not self.account.holds
        check_books(self.store)


def make_world(
    *scripts: Script, account: Account | None = None, configured: frozenset[str] | None = None
) -> ChatWorld:
    """Make a world whose provider answers by these scripts, one a request."""
    clock = FakeClock()
    return ChatWorld(
        provider=FakeChatProvider(clock, scripts, configured),
        clock=clock,
        store=FakeLedgerStore((account or make_account(available_nanousd=TEN_USD),)),
        records=FakeIdempotencyStore(clock),
        answers=FakeAnswerStore(clock),
    )


def streamed(*steps: bytes) -> Script:
    """Make the script of a stream that ends as streams do."""
    return Script(steps or PARIS_STREAM)


def world_with(account: Account, principal: Principal | None = None) -> ChatWorld:
    """Make a world of this account, whose caller is of the account's tier."""
    world = make_world(Script([PARIS]), account=account)
    world.principal = principal or make_principal(tier=account.tier)
    return world


def refusal_of[E: FareboxError](
    world: ChatWorld,
    kind: type[E],
    **fields: Any,  # noqa: ANN401 - any JSON
) -> E:
    """Ask, expecting to be refused with nothing moved and no provider called."""
    before = world.account
    with pytest.raises(kind) as refusal:
        world.ask(**{"max_tokens": 100, **fields})
    assert world.provider.sent == []
    assert world.account == before
    return refusal.value
