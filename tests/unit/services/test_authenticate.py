from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.domain.errors import (
    AccountSuspended,
    InsufficientPermissions,
    InvalidCredential,
    StoreUnavailable,
)
from farebox.domain.identity import (
    ServiceKeyRecord,
    UserKeyRecord,
    hash_key,
    make_service_key,
    make_user_key,
)
from farebox.services.authenticate import Authenticate
from tests.chat_world import make_principal
from tests.fakes.clock import NOON_MS, FakeClock
from tests.fakes.key_ring import PEPPERS, FakeKeyRing
from tests.fakes.key_store import FakeKeyStore

NOON = NOON_MS // 1000
KEY = make_user_key(0x0123456789AB << 176 | 7)
OTHER_KEY_OF_THE_SAME_ID = make_user_key(0x0123456789AB << 176 | 8)
UNKNOWN_KEY = make_user_key(9 << 176)
SERVICE_KEY = make_service_key("demo", 1)
NEXT_SERVICE_KEY = make_service_key("demo", 2)
HOSTILE = [
    "",
    " ",
    "Bearer",
    "Bearer ",
    "Basic dXNlcjpwYXNz",
    "bearer\t" + KEY,
    f"Bearer {KEY} {KEY}",
    f"Bearer {KEY}\x00",
    "Bearer " + KEY[:20],
    "Bearer " + "é" * 67,
    "Bearer uc_" + "0" * 64,
    "Bearer " + "A" * 100_000,
    "Bearer ' OR 1=1 --",
    'Bearer {"$ne": null}',
    "Bearer uc_*",
    "Bearer null",
    "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
    "Bearer sk-",
    "Bearer sk-loopnet-service-key-2025",
    "Bearer sk-bolt-diy-service-key-2025",
    "Bearer sk-presenton-service-key-2025",
    "Bearer sk-brigade-service-key-2025",
    "Bearer sk-centerdeep-service-key-2025",
    "Bearer sk-demo-" + "0" * 43,
    "Bearer sk-nobody-" + "0" * 43,
]


def record_of(key: str, *, pepper: str = "1", status: str = "active") -> UserKeyRecord:
    """Make what is stored of a user key."""
    digest = hash_key(key, PEPPERS[pepper])
    return UserKeyRecord("0123456789ab", digest, pepper, status, make_principal())


def service_record(
    key: str, *, pepper: str = "1", expires_at: int | None = None
) -> ServiceKeyRecord:
    """Make what is stored of a service key."""
    digest = hash_key(key, PEPPERS[pepper])
    return ServiceKeyRecord("demo", digest, pepper, "org_1", "org_1", expires_at)


@dataclass
class Door:
    """The check, and handles on what it asks."""

    clock: FakeClock = field(default_factory=FakeClock)
    keys: FakeKeyStore = field(default_factory=lambda: FakeKeyStore([record_of(KEY)]))
    ring: FakeKeyRing = field(default_factory=lambda: FakeKeyRing([service_record(SERVICE_KEY)]))

    def __post_init__(self) -> None:
        self.authenticate = Authenticate(self.keys, self.ring, self.clock)

    def knock(self, key: str, scope: str | None = "llm:inference") -> str:
        """Give the user's id of whoever is let in."""
        return self.authenticate(f"Bearer {key}", scope).user_id

    def store(self, record: UserKeyRecord) -> None:
        """Replace the one record there is."""
        self.keys.records[record.key_id] = record


def expiring(expires_at: int | None) -> UserKeyRecord:
    """Make a record of a key that expires."""
    record = record_of(KEY)
    return replace(record, principal=replace(record.principal, expires_at=expires_at))


class TestHeader:
    @pytest.mark.parametrize(
        ("header", "message"),
        [
            (None, "You didn't provide an API key. Send it as: Authorization: Bearer <key>."),
            ("", "Invalid authorization format. Use: Authorization: Bearer <key>."),
            (KEY, "Invalid authorization format. Use: Authorization: Bearer <key>."),
            ("Basic " + KEY, "Invalid authorization format. Use: Authorization: Bearer <key>."),
            ("Bearer", "The API key is empty. Use: Authorization: Bearer <key>."),
            ("Bearer   ", "The API key is empty. Use: Authorization: Bearer <key>."),
            ("Bearer abc", "Invalid or expired API key."),
            ("Bearer sk-abc", "Invalid service key"),
            ("Bearer sk-loopnet-service-key-2025", "Invalid service key"),
        ],
    )
    def test_what_is_wrong_with_it_is_said(self, header: str | None, message: str) -> None:
        with pytest.raises(InvalidCredential) as refusal:
            Door().authenticate(header, None)

        assert refusal.value.message == message

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "  Bearer  "])
    def test_the_scheme_may_be_written_anyhow(self, scheme: str) -> None:
        assert Door().authenticate(f"{scheme} {KEY} ", None).user_id == "ada"

    @pytest.mark.parametrize("header", HOSTILE, ids=lambda header: header[:24])
    def test_nothing_hostile_gets_in_or_breaks_anything(self, header: str) -> None:
        with pytest.raises(InvalidCredential):
            Door().authenticate(header, None)

    @given(st.text())
    def test_nor_does_any_text(self, token: str) -> None:
        with pytest.raises(InvalidCredential):
            Door().knock(token)


class TestUserKeys:
    def test_a_key_names_its_principal(self) -> None:
        assert Door().authenticate(f"Bearer {KEY}", "llm:inference") == make_principal()

    @pytest.mark.parametrize("key", [UNKNOWN_KEY, OTHER_KEY_OF_THE_SAME_ID])
    def test_an_unknown_key_or_a_wrong_secret_is_refused(self, key: str) -> None:
        with pytest.raises(InvalidCredential, match="Invalid or expired API key"):
            Door().knock(key)

    def test_a_wrong_secret_is_refused_although_its_id_was_just_seen(self) -> None:
        door = Door()
        door.knock(KEY)

        with pytest.raises(InvalidCredential):
            door.knock(OTHER_KEY_OF_THE_SAME_ID)

    @pytest.mark.parametrize("key", [KEY[:-1] + "0", KEY[:-1], "uc_" + "0" * 64])
    def test_a_typo_is_refused_without_a_look_up(self, key: str) -> None:
        door = Door()

        with pytest.raises(InvalidCredential):
            door.knock(key)

        assert door.keys.reads == 0

    def test_a_hash_under_another_pepper_is_refused(self) -> None:
        door = Door()
        door.store(replace(record_of(KEY), pepper="2"))

        with pytest.raises(InvalidCredential):
            door.knock(KEY)

    def test_a_hash_under_an_older_pepper_that_is_still_held_is_fine(self) -> None:
        door = Door()
        door.store(record_of(KEY, pepper="2"))

        assert door.knock(KEY) == "ada"

    def test_a_hash_under_a_retired_pepper_is_refused(self) -> None:
        door = Door()
        del door.ring.pepper_versions["1"]

        with pytest.raises(InvalidCredential):
            door.knock(KEY)

    def test_a_suspended_key_is_told_so_and_any_other_state_is_not_good(self) -> None:
        suspended, revoked = Door(), Door()
        suspended.store(record_of(KEY, status="suspended"))
        revoked.store(record_of(KEY, status="revoked"))

        with pytest.raises(AccountSuspended):
            suspended.knock(KEY)
        with pytest.raises(InvalidCredential):
            revoked.knock(KEY)

    def test_who_does_not_hold_the_key_does_not_learn_that_it_is_suspended(self) -> None:
        door = Door()
        door.store(record_of(KEY, status="suspended"))

        with pytest.raises(InvalidCredential):
            door.knock(OTHER_KEY_OF_THE_SAME_ID)

    @pytest.mark.parametrize("expires_at", [NOON + 1, None])
    def test_a_key_is_good_until_it_expires(self, expires_at: int | None) -> None:
        door = Door()
        door.store(expiring(expires_at))

        assert door.knock(KEY) == "ada"

    def test_it_expires_on_its_second(self) -> None:
        door = Door()
        door.store(expiring(NOON))

        with pytest.raises(InvalidCredential):
            door.knock(KEY)

    def test_a_scope_it_lacks_is_refused_last(self) -> None:
        with pytest.raises(InsufficientPermissions) as refusal:
            Door().knock(KEY, scope="admin:audit")

        assert refusal.value.message == "This key lacks the scope 'admin:audit'."


class TestMemory:
    def test_a_key_is_read_once_in_twenty_seconds(self) -> None:
        door = Door()

        for _ in range(3):
            door.knock(KEY)
        reads_at_once = door.keys.reads
        door.clock.tick(20)
        door.knock(KEY)

        assert reads_at_once == 1
        assert door.keys.reads == 2

    @pytest.mark.parametrize("status", ["revoked", "suspended"])
    def test_a_revocation_takes_hold_within_twenty_seconds(self, status: str) -> None:
        door = Door()
        door.knock(KEY)
        door.store(record_of(KEY, status=status))

        door.clock.tick(19.999)
        still = door.knock(KEY)
        door.clock.tick(0.001)

        assert still == "ada"
        with pytest.raises((InvalidCredential, AccountSuspended)):
            door.knock(KEY)

    def test_so_does_a_deletion_and_it_is_not_remembered(self) -> None:
        door = Door()
        door.knock(KEY)
        record = door.keys.records.pop("0123456789ab")
        door.clock.tick(20)
        with pytest.raises(InvalidCredential):
            door.knock(KEY)

        door.store(record)

        assert door.knock(KEY) == "ada"

    def test_an_expiry_takes_hold_at_once(self) -> None:
        door = Door()
        door.store(expiring(NOON + 5))
        door.knock(KEY)

        door.clock.tick(5)

        with pytest.raises(InvalidCredential):
            door.knock(KEY)

    def test_several_keys_are_remembered_side_by_side(self) -> None:
        door = Door()
        door.store(replace(record_of(UNKNOWN_KEY), key_id=UNKNOWN_KEY[3:15]))

        for key in (KEY, UNKNOWN_KEY, KEY, UNKNOWN_KEY):
            door.knock(key)

        assert door.keys.reads == 2

    def test_ten_thousand_records_are_remembered_and_no_more(self) -> None:
        door = Door()
        keys = [make_user_key(number << 176) for number in range(10_001)]
        for key in keys:
            record = record_of(key)
            door.store(replace(record, key_id=key[3:15]))
            door.knock(key)

        door.knock(keys[10_000])
        door.knock(keys[0])

        assert door.keys.reads == 10_002


class TestServiceKeys:
    def test_a_service_is_let_in_without_a_look_up(self) -> None:
        door = Door()

        assert door.knock(SERVICE_KEY) == "demo-service"
        assert door.keys.reads == 0

    def test_two_keys_are_good_while_one_replaces_the_other(self) -> None:
        door = Door()
        door.ring.records.append(service_record(NEXT_SERVICE_KEY, pepper="2"))

        assert door.knock(SERVICE_KEY) == "demo-service"
        assert door.knock(NEXT_SERVICE_KEY) == "demo-service"

    @pytest.mark.parametrize("key", [NEXT_SERVICE_KEY, make_service_key("other", 1)])
    def test_an_unknown_one_is_refused(self, key: str) -> None:
        with pytest.raises(InvalidCredential, match="Invalid service key"):
            Door().knock(key)

    def test_one_of_another_shape_is_refused_without_a_look(self) -> None:
        door = Door()
        door.ring.down = True

        with pytest.raises(InvalidCredential, match="Invalid service key"):
            door.knock("sk-demo-service-key-2025")

    def test_an_expired_one_is_refused(self) -> None:
        door = Door(ring=FakeKeyRing([service_record(SERVICE_KEY, expires_at=NOON)]))

        with pytest.raises(InvalidCredential, match="Invalid service key"):
            door.knock(SERVICE_KEY)

    def test_a_service_manages_no_keys(self) -> None:
        with pytest.raises(InsufficientPermissions):
            Door().knock(SERVICE_KEY, scope="keys:manage")


class TestStoreDown:
    def test_a_store_that_is_down_is_no_invalid_key(self) -> None:
        door = Door()
        door.keys.down = True

        with pytest.raises(StoreUnavailable):
            door.knock(KEY)

    @pytest.mark.parametrize("key", [KEY, SERVICE_KEY])
    def test_nor_is_a_key_ring_that_is_down(self, key: str) -> None:
        door = Door()
        door.ring.down = True

        with pytest.raises(StoreUnavailable):
            door.knock(key)

    def test_who_was_just_seen_needs_no_store(self) -> None:
        door = Door()
        door.knock(KEY)
        door.keys.down = True

        assert door.knock(KEY) == "ada"
