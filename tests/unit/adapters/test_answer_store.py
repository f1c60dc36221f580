import base64
from dataclasses import dataclass, field

import pytest

from farebox.adapters.answer_store import (
    INLINE_BYTES,
    DynamoAnswerStore,
    DynamoIdempotencyStore,
)
from farebox.adapters.aws_wire import AwsError, AwsUnreachable
from farebox.domain.errors import ConfigurationError, StoreUnavailable
from farebox.services.ports.answer_store import IdempotencyRecord, StoredAnswer
from tests.builders import make_rid
from tests.fakes.clock import NOON_MS, FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.unit.adapters.app_table import AppTable

ADA, BOB = "usr_ada", "usr_bob"
RID, OTHER_RID = make_rid(1), make_rid(2)
ANSWER = StoredAnswer(200, "text/event-stream", b"data: a line\n\ndata: [DONE]\n\n")
VERSIONS = {"1": base64.b64encode(b"k" * 32).decode(), "2": base64.b64encode(b"K" * 32).decode()}
FORBIDDEN = AwsError("AccessDeniedException", "no", 400)


def keyring(current: str, *versions: str) -> dict[str, object]:
    """Make the secret with these versions."""
    held = {version: VERSIONS[version] for version in versions}
    return {"answers": {"current": current, "versions": held}}


class Bucket:
    """Objects in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.down = False

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        if self.down:
            raise StoreUnavailable("S3 is down.")
        self.objects[key] = body

    def get(self, key: str) -> bytes | None:
        """Read an object."""
        return self.objects.get(key)


@dataclass
class World:
    """The store and all it stands on."""

    table: AppTable = field(default_factory=AppTable)
    bucket: Bucket = field(default_factory=Bucket)
    clock: FakeClock = field(default_factory=FakeClock)
    secrets: FakeSecretStore = field(
        default_factory=lambda: FakeSecretStore({"keyring": keyring("1", "1")})
    )
    buckets_made: int = 0

    def make_bucket(self) -> Bucket:
        """Give the bucket, and count that it was needed."""
        self.buckets_made += 1
        return self.bucket

    @property
    def answers(self) -> DynamoAnswerStore:
        """The store."""
        return DynamoAnswerStore(self.table, "app", self.make_bucket, self.secrets, self.clock)

    def item(self, account_id: str = ADA, rid: str = RID) -> dict[str, dict[str, str]]:
        """Give the row of an answer."""
        return self.table.items[f"R#{account_id}", rid]


class TestKeeping:
    @pytest.mark.parametrize("body", [b"", b"\n\n{}\n", bytes(range(256)), ANSWER.body])
    def test_an_answer_comes_back_as_it_was(self, body: bytes) -> None:
        world = World()
        answer = StoredAnswer(200, "application/json; charset=utf-8", body)

        world.answers.keep(ADA, RID, answer)

        assert world.answers.find(ADA, RID) == answer
        assert world.buckets_made == 0

    def test_nothing_of_it_can_be_read_in_the_table(self) -> None:
        world = World()

        world.answers.keep(ADA, RID, ANSWER)

        stored = base64.b64decode(world.item()["body"]["B"])
        assert b"line" not in stored
        assert b"event-stream" not in stored
        assert len(stored) > len(ANSWER.body)

    def test_the_same_answer_is_never_sealed_the_same_twice(self) -> None:
        world = World()

        world.answers.keep(ADA, RID, ANSWER)
        first = world.item()
        world.answers.keep(ADA, RID, ANSWER)

        assert world.item()["nonce"] != first["nonce"]
        assert world.item()["body"] != first["body"]

    def test_it_lasts_a_day_whatever_the_table_has_cleaned_up(self) -> None:
        world = World()
        world.answers.keep(ADA, RID, ANSWER)

        world.clock.tick(86_399)
        within = world.answers.find(ADA, RID)
        world.clock.tick(1)

        assert within == ANSWER
        assert world.answers.find(ADA, RID) is None
        assert world.item()["exp"] == {"N": str(NOON_MS // 1000 + 86_400)}

    @pytest.mark.parametrize(("account_id", "rid"), [(BOB, RID), (ADA, OTHER_RID)])
    def test_it_is_nobody_elses(self, account_id: str, rid: str) -> None:
        world = World()
        world.answers.keep(ADA, RID, ANSWER)

        assert world.answers.find(account_id, rid) is None

    def test_it_is_read_consistently(self) -> None:
        world = World()

        world.answers.find(ADA, RID)

        assert world.table.calls[0][1]["ConsistentRead"] is True


class TestTampering:
    @pytest.mark.parametrize(("account_id", "rid"), [(BOB, RID), (ADA, OTHER_RID)])
    def test_a_row_that_was_moved_is_no_answer(self, account_id: str, rid: str) -> None:
        world = World()
        world.answers.keep(ADA, RID, ANSWER)

        world.table.items[f"R#{account_id}", rid] = world.item()

        assert world.answers.find(account_id, rid) is None

    @pytest.mark.parametrize("place", ["body", "nonce"])
    def test_nor_is_one_that_was_changed(self, place: str) -> None:
        world = World()
        world.answers.keep(ADA, RID, ANSWER)
        stored = bytearray(base64.b64decode(world.item()[place]["B"]))

        stored[0] ^= 1
        world.item()[place] = {"B": base64.b64encode(stored).decode()}

        assert world.answers.find(ADA, RID) is None

    def test_nor_an_object_that_was_exchanged(self) -> None:
        world = World()
        large = StoredAnswer(200, "application/json", b"x" * INLINE_BYTES)
        world.answers.keep(ADA, RID, large)
        world.answers.keep(BOB, RID, large)

        objects = world.bucket.objects
        objects[f"answers/{BOB}/{RID}"] = objects[f"answers/{ADA}/{RID}"]

        assert world.answers.find(ADA, RID) == large
        assert world.answers.find(BOB, RID) is None


class TestLargeAnswers:
    HEAD = len(b'{"status": 200, "content_type": "application/json"}\n')
    TAG = 16

    @pytest.mark.parametrize(("excess", "buckets_made"), [(0, 0), (1, 1)])
    def test_what_does_not_fit_an_item_goes_to_the_bucket(
        self, excess: int, buckets_made: int
    ) -> None:
        world = World()
        body = b"x" * (INLINE_BYTES - self.HEAD - self.TAG + excess)

        world.answers.keep(ADA, RID, StoredAnswer(200, "application/json", body))

        assert world.buckets_made == buckets_made
        assert ("body" in world.item()) is (buckets_made == 0)
        assert set(world.bucket.objects) == ({f"answers/{ADA}/{RID}"} if buckets_made else set())
        found = world.answers.find(ADA, RID)
        assert found is not None
        assert found.body == body

    def test_an_object_that_is_gone_is_no_answer(self) -> None:
        world = World()
        world.answers.keep(ADA, RID, StoredAnswer(200, "application/json", b"x" * INLINE_BYTES))

        world.bucket.objects.clear()

        assert world.answers.find(ADA, RID) is None

    def test_without_its_object_no_row_is_written(self) -> None:
        world = World()
        world.bucket.down = True

        with pytest.raises(StoreUnavailable):
            world.answers.keep(ADA, RID, StoredAnswer(200, "x", b"x" * INLINE_BYTES))

        assert world.table.items == {}


class TestRotation:
    def test_an_answer_sealed_before_a_rotation_opens_after_it(self) -> None:
        world = World()
        world.answers.keep(ADA, RID, ANSWER)

        world.secrets = FakeSecretStore({"keyring": keyring("2", "1", "2")})
        world.answers.keep(ADA, OTHER_RID, ANSWER)

        assert world.item()["version"] == {"S": "1"}
        assert world.item(rid=OTHER_RID)["version"] == {"S": "2"}
        assert world.answers.find(ADA, RID) == ANSWER
        assert world.answers.find(ADA, OTHER_RID) == ANSWER

    def test_a_key_retired_too_early_is_the_operators_fault(self) -> None:
        world = World()
        world.answers.keep(ADA, RID, ANSWER)

        world.secrets = FakeSecretStore({"keyring": keyring("2", "2")})

        with pytest.raises(ConfigurationError):
            world.answers.find(ADA, RID)


class TestIdempotencyRecords:
    RECORD = IdempotencyRecord("key-hash", "body-hash", RID, NOON_MS)
    NEXT = IdempotencyRecord("key-hash", "other-hash", OTHER_RID, NOON_MS + 1)

    def store(self, table: AppTable, clock: FakeClock | None = None) -> DynamoIdempotencyStore:
        return DynamoIdempotencyStore(table, "app", clock or FakeClock())

    def test_a_record_is_written_under_its_account_and_key(self) -> None:
        table = AppTable()

        self.store(table).claim(ADA, self.RECORD, None)

        assert table.items["I#usr_ada", "key-hash"] == {
            "pk": {"S": "I#usr_ada"},
            "sk": {"S": "key-hash"},
            "body": {"S": "body-hash"},
            "rid": {"S": RID},
            "made": {"N": str(NOON_MS)},
            "exp": {"N": str(NOON_MS // 1000 + 86_400)},
        }

    def test_a_release_that_comes_too_late_is_none(self) -> None:
        table = AppTable()
        store = self.store(table)
        store.claim(ADA, self.NEXT, None)

        store.release(ADA, self.RECORD)

        assert table.items["I#usr_ada", "key-hash"]["rid"] == {"S": OTHER_RID}

    def test_a_store_out_of_reach_is_unavailable(self) -> None:
        table = AppTable()
        table.fails_with = AwsUnreachable("cut")

        with pytest.raises(StoreUnavailable):
            self.store(table).claim(ADA, self.RECORD, None)
        with pytest.raises(StoreUnavailable):
            self.store(table).release(ADA, self.RECORD)

    def test_any_other_refusal_is_a_fault_of_ours(self) -> None:
        table = AppTable()
        table.fails_with = FORBIDDEN

        with pytest.raises(AwsError):
            self.store(table).claim(ADA, self.RECORD, None)
        with pytest.raises(AwsError):
            self.store(table).release(ADA, self.RECORD)
