"""Stored answers and idempotency records, over the fake and over DynamoDB's stand-ins."""

import base64
import itertools
from dataclasses import dataclass
from typing import Final

import pytest

from farebox.adapters.answer_store import DynamoAnswerStore, DynamoIdempotencyStore, ObjectStore
from farebox.adapters.aws_wire import AwsJson
from farebox.adapters.tables import APP
from farebox.services.ports.answer_store import (
    AnswerStore,
    IdempotencyRecord,
    IdempotencyStore,
    StoredAnswer,
)
from tests.builders import make_rid
from tests.fakes.answer_store import FakeAnswerStore, FakeIdempotencyStore
from tests.fakes.clock import NOON_MS, FakeClock
from tests.fakes.secret_store import FakeSecretStore

ADA, BOB = "usr_ada", "usr_bob"
FIRST = IdempotencyRecord("key", "body", make_rid(1), NOON_MS)
SECOND = IdempotencyRecord("key", "other", make_rid(2), NOON_MS + 5)
THIRD = IdempotencyRecord("key", "body", make_rid(3), NOON_MS + 9)
ANSWER = StoredAnswer(200, "application/json", b'{"a": "\xc3\xbc"}\n')
KEYRING: Final = {
    "answers": {"current": "1", "versions": {"1": base64.b64encode(b"k" * 32).decode()}}
}
_numbers: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Stores:
    """Both stores, and their clock."""

    clock: FakeClock
    records: IdempotencyStore
    answers: AnswerStore


@pytest.fixture(params=["fake", "dynoxide_wire", "ministack_wire", "boto_wire"])
def stores(request: pytest.FixtureRequest) -> Stores:
    clock = FakeClock()
    if request.param == "fake":
        return Stores(clock, FakeIdempotencyStore(clock), FakeAnswerStore(clock))
    wire: AwsJson = request.getfixturevalue(request.param)
    table = f"answers-{next(_numbers)}"
    wire.call("CreateTable", APP.creation(table))
    secrets = FakeSecretStore({"keyring": KEYRING})
    answers = DynamoAnswerStore(wire, table, _no_bucket, secrets, clock)
    return Stores(clock, DynamoIdempotencyStore(wire, table, clock), answers)


def _no_bucket() -> ObjectStore:
    raise AssertionError("a small answer needs no bucket")


class TestClaim:
    def test_a_free_key_is_claimed_and_a_claimed_one_shows_who_did(self, stores: Stores) -> None:
        assert stores.records.claim(ADA, FIRST, None) == FIRST
        assert stores.records.claim(ADA, SECOND, None) == FIRST

    def test_another_account_has_keys_of_its_own(self, stores: Stores) -> None:
        stores.records.claim(ADA, FIRST, None)

        assert stores.records.claim(BOB, SECOND, None) == SECOND

    def test_a_key_is_taken_over_only_from_whom_it_was_expected(self, stores: Stores) -> None:
        stores.records.claim(ADA, FIRST, None)

        assert stores.records.claim(ADA, SECOND, FIRST.rid) == SECOND
        assert stores.records.claim(ADA, THIRD, FIRST.rid) == SECOND

    def test_a_key_is_free_again_after_a_day(self, stores: Stores) -> None:
        stores.records.claim(ADA, FIRST, None)

        stores.clock.tick(86_399)
        within = stores.records.claim(ADA, SECOND, None)
        stores.clock.tick(1)
        after = stores.records.claim(ADA, SECOND, None)

        assert within == FIRST
        assert after == SECOND


class TestRelease:
    def test_a_released_key_is_free(self, stores: Stores) -> None:
        stores.records.claim(ADA, FIRST, None)

        stores.records.release(ADA, FIRST)

        assert stores.records.claim(ADA, SECOND, None) == SECOND

    def test_only_who_holds_a_key_releases_it(self, stores: Stores) -> None:
        stores.records.claim(ADA, FIRST, None)

        stores.records.release(ADA, SECOND)

        assert stores.records.claim(ADA, THIRD, None) == FIRST

    def test_a_key_that_is_free_may_be_released(self, stores: Stores) -> None:
        stores.records.release(ADA, FIRST)

        assert stores.records.claim(ADA, SECOND, None) == SECOND


class TestAnswers:
    def test_an_answer_is_found_by_account_and_request_alone(self, stores: Stores) -> None:
        stores.answers.keep(ADA, FIRST.rid, ANSWER)

        assert stores.answers.find(ADA, FIRST.rid) == ANSWER
        assert stores.answers.find(BOB, FIRST.rid) is None
        assert stores.answers.find(ADA, SECOND.rid) is None

    def test_it_lasts_a_day(self, stores: Stores) -> None:
        stores.answers.keep(ADA, FIRST.rid, ANSWER)

        stores.clock.tick(86_400)

        assert stores.answers.find(ADA, FIRST.rid) is None
