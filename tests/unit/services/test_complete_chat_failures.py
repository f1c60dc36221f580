"""Whole answers that do not come: everything is given back, and the caller told why."""

import json
from typing import Any

import pytest

from farebox.domain.errors import (
    FareboxError,
    InvalidValue,
    ModelNotFound,
    NoRoute,
    ProviderFailed,
    ProviderRefused,
    ProviderTimedOut,
    UnsupportedParameter,
)
from farebox.domain.ledger import EntryKind
from tests.chat_world import PARIS, TEN_USD, ChatWorld, make_principal, make_world
from tests.fakes.books import check_books
from tests.fakes.chat_provider import CUT, SILENCE, Script

BUDGETED = make_principal(keyslot="1", budget_nanousd=TEN_USD)


def world_of(body: bytes, *more: bytes) -> ChatWorld:
    """Make a world whose provider answers so."""
    return make_world(*[Script([each]) for each in (body, *more)])


def no_answer(script: Script, kind: type[FareboxError], message: str, finish: str) -> object:
    """Name a case by what the caller is told."""
    return pytest.param(script, kind, message, finish, id=message)


FAILURES = [
    no_answer(
        Script([], refuses_connection=True), ProviderFailed, "no connection", "provider_failed"
    ),
    no_answer(
        Script([b"{}"], status=500),
        ProviderFailed,
        "The provider answered with status 500.",
        "provider_failed",
    ),
    no_answer(
        Script([b"{}"], status=401),
        ProviderFailed,
        "The provider answered with status 401.",
        "provider_failed",
    ),
    no_answer(
        Script([b"{}"], status=404),
        ProviderFailed,
        "The provider answered with status 404.",
        "provider_failed",
    ),
    no_answer(
        Script([b"{}"], status=429, headers={"Retry-After": "17"}),
        NoRoute,
        "The provider is busy. Try again shortly.",
        "provider_failed",
    ),
    no_answer(
        Script([], breaks_before_start=SILENCE),
        ProviderTimedOut,
        "silent for too long",
        "timed_out",
    ),
    no_answer(
        Script([], before_start_seconds=400.0),
        ProviderTimedOut,
        "The provider did not answer in time.",
        "timed_out",
    ),
    no_answer(
        Script([PARIS[:40], 300.0]),
        ProviderTimedOut,
        "The provider did not answer in time.",
        "timed_out",
    ),
    no_answer(Script([PARIS[:40], CUT]), ProviderFailed, str(CUT), "provider_failed"),
]


class TestNoAnswer:
    @pytest.mark.parametrize(("script", "kind", "message", "finish"), FAILURES)
    def test_everything_is_given_back_and_the_caller_told(
        self, script: Script, kind: type[FareboxError], message: str, finish: str
    ) -> None:
        world = make_world(script)
        before = world.account

        with pytest.raises(kind) as failure:
            world.ask(max_tokens=100, principal=BUDGETED)

        after = world.account
        assert failure.value.message == message
        assert after.available_nanousd == before.available_nanousd
        assert after.spent_nanousd == 0
        assert set(after.counters.values()) == {0}
        assert world.entry.kind is EntryKind.VOID
        assert world.entry.facts["finish"] == finish
        assert all(reply.closed for reply in world.provider.replies)
        check_books(world.store)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>Bad gateway</html>",
            b"[]",
            b"{}",
            b'{"choices":{}}',
            b'{"choices":[]}',
            b'{"error":{"message":"overloaded"}}',
            b'{"error":"overloaded","choices":[]}',
            b"[" * 10_000,
            b'{"choices":[1],"x":' + b"9" * 5_000 + b"}",
            b"\xff",
        ],
        ids=lambda body: repr(body[:20]),
    )
    def test_a_200_that_is_no_answer_is_none(self, body: bytes) -> None:
        world = world_of(body)

        with pytest.raises(ProviderFailed, match="The provider sent what is not an answer"):
            world.ask(max_tokens=100)

        assert world.account.available_nanousd == TEN_USD
        assert world.entry.kind is EntryKind.VOID

    def test_an_answer_without_end_is_given_up(self) -> None:
        world = make_world(Script([b"x" * 33_554_432] * 3))

        with pytest.raises(ProviderFailed, match="too large"):
            world.ask(max_tokens=100)

        assert world.account.available_nanousd == TEN_USD

    def test_a_provider_that_found_fault_with_the_request_is_quoted_without_keys(self) -> None:
        error = {
            "message": "Bad 'stop' for key sk-proj-abc123def456: too long",
            "type": "invalid_request_error",
            "param": "stop",
            "code": "string_above_max_length",
        }
        world = make_world(Script([json.dumps({"error": error}).encode()], status=400))

        with pytest.raises(ProviderRefused) as refusal:
            world.ask(max_tokens=100)

        assert refusal.value.status == 400
        assert refusal.value.param == "stop"
        assert refusal.value.code == "string_above_max_length"
        assert "sk-proj" not in refusal.value.message
        assert "Bad 'stop'" in refusal.value.message
        assert world.account.available_nanousd == TEN_USD

    def test_a_fault_of_our_own_costs_the_caller_nothing(self) -> None:
        world = make_world(Script([], breaks_before_start=ZeroDivisionError()))

        with pytest.raises(ZeroDivisionError):
            world.ask(max_tokens=100)

        assert world.account.available_nanousd == TEN_USD
        assert world.entry.facts["finish"] == "failed"
        assert world.provider.replies[0].closed

    @pytest.mark.parametrize(("before_seconds", "within_seconds"), [(130.0, 0.0), (0.0, 130.0)])
    def test_a_lease_is_renewed_every_minute_of_waiting(
        self, before_seconds: float, within_seconds: float
    ) -> None:
        world = make_world(Script([within_seconds, PARIS], before_start_seconds=before_seconds))

        world.ask(max_tokens=100)

        assert world.store.kinds().count("renew") == 2
        assert world.entry.facts["first_byte_ms"] == before_seconds * 1_000
        assert world.entry.facts["total_ms"] == 130_000
        assert world.account.spent_nanousd == 3_630

    @pytest.mark.parametrize("before_start_seconds", [0.0, 300.0])
    def test_a_deadline_is_kept_to_the_second(self, before_start_seconds: float) -> None:
        world = make_world(Script([300.0], before_start_seconds=before_start_seconds))

        with pytest.raises(ProviderTimedOut):
            world.ask(max_tokens=100, seconds=56.5)

        assert world.entry.facts["total_ms"] == 57_000

    def test_one_that_was_swept_all_the_same_costs_nothing(self) -> None:
        def sweep() -> None:
            world.clock.tick(151)
            world.ledger.sweep_due()

        world = make_world(Script([sweep, PARIS]))

        answered = world.ask(max_tokens=100)

        assert answered.metered is not None
        assert answered.metered.cost_nanousd == 0
        assert world.entry.kind is EntryKind.EXPIRY
        assert world.metrics.counted == {"Loss": 1}
        check_books(world.store)

    def test_a_connection_is_let_go_of_after_an_answer_too(self) -> None:
        world = world_of(PARIS)

        world.ask(max_tokens=100)

        assert world.provider.replies[0].closed


class TestRefusedBeforeAnythingMoved:
    @pytest.mark.parametrize(
        ("fields", "kind"),
        [
            ({"model": "gpt-9"}, ModelNotFound),
            ({"unheard_of": 1}, UnsupportedParameter),
            ({"model": "text-embedding-3-small"}, InvalidValue),
        ],
    )
    def test_no_store_and_no_provider_is_called(
        self, fields: dict[str, Any], kind: type[FareboxError]
    ) -> None:
        world = make_world()

        with pytest.raises(kind):
            world.ask(**fields)

        assert world.store.calls == []
        assert world.records.calls == []
        assert world.provider.sent == []

    def test_what_cannot_be_quoted_frees_its_key(self) -> None:
        image = {"type": "image_url", "image_url": {"url": "https://cats.example/1.png"}}
        world = make_world()
        world.lenient = True

        with pytest.raises(InvalidValue, match="does not read images"):
            world.ask(model="o1-preview", messages=[{"role": "user", "content": [image]}], key="k")

        assert world.store.calls == []
        assert world.records.calls == ["claim", "release"]
