import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.domain.identity import (
    ADMIN_SCOPE,
    CallerKind,
    ServiceKeyRecord,
    hash_key,
    key_matches,
    make_service_key,
    make_user_key,
    service_of_key,
    user_key_id,
)
from farebox.domain.tiers import Tier
from tests.chat_world import make_principal

KEY = "uc_" + "0123456789ab" + "c" * 44 + "83d1cc05"
PEPPERS = {"1": b"one", "2": b"two"}


class TestUserKeys:
    def test_a_key_is_its_id_its_secret_and_a_checksum(self) -> None:
        key = make_user_key(int("0123456789ab" + "c" * 44, 16))

        assert key == KEY
        assert user_key_id(key) == "0123456789ab"

    @given(st.integers(0, 2**300))
    def test_any_randomness_makes_a_key_with_an_id(self, randomness: int) -> None:
        key = make_user_key(randomness)

        assert len(key) == 67
        assert user_key_id(key) == f"{randomness:056x}"[-56:][:12]

    @pytest.mark.parametrize("position", range(3, 67))
    def test_a_wrong_digit_anywhere_is_noticed(self, position: int) -> None:
        other = "0" if KEY[position] != "0" else "1"

        assert user_key_id(KEY[:position] + other + KEY[position + 1 :]) is None

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "uc_",
            KEY.upper(),
            "UC_" + KEY[3:],
            KEY + "0",
            KEY[:-1],
            KEY + "\n",
            "\n" + KEY,
            " " + KEY,
            "uc_" + "\u0660" * 64,
            "uc_" + "g" * 64,
            "sk-demo-" + "a" * 43,
        ],
    )
    def test_what_has_another_shape_is_no_key(self, key: str) -> None:
        assert user_key_id(key) is None

    @pytest.mark.parametrize("body", ["UC_" + "0" * 56, "uc_" + "G" * 56, "uc_" + "0" * 55])
    def test_a_right_checksum_makes_no_key_of_another_shape(self, body: str) -> None:
        assert user_key_id(f"{body}{zlib.crc32(body.encode()):08x}") is None


class TestServiceKeys:
    def test_a_key_names_its_service(self) -> None:
        key = make_service_key("open-webui", 61)

        assert key == "sk-open-webui-z" + "0" * 42
        assert service_of_key(key) == "open-webui"

    @given(st.integers(0, 2**256 - 1))
    def test_any_256_bits_make_a_key(self, randomness: int) -> None:
        assert service_of_key(make_service_key("demo", randomness)) == "demo"

    @pytest.mark.parametrize(
        "key",
        [
            "sk-bolt-diy-service-key-2025",
            "sk-presenton-service-key-2025",
            "sk-brigade-service-key-2025",
            "sk-loopnet-service-key-2025",
            "sk-centerdeep-service-key-2025",
            "sk-" + "a" * 43,
            "sk--" + "a" * 43,
            "sk-demo-" + "a" * 42,
            "sk-demo-" + "a" * 44,
            "sk-demo-" + "a" * 43 + "\n",
            "sk-Demo-" + "a" * 43,
            "sk-demo--x-" + "a" * 43,
            "sk-proj-" + "a_b" * 40,
        ],
    )
    def test_the_printed_keys_of_the_guide_and_other_shapes_are_none(self, key: str) -> None:
        assert service_of_key(key) is None

    def test_a_service_pays_from_its_organisation_and_has_no_quota(self) -> None:
        record = ServiceKeyRecord("demo", "hash", "1", "org_1", "org_1", 1_800_000_000)

        principal = record.principal()

        assert principal.user_id == "demo-service"
        assert principal.account_id == "org_1"
        assert principal.kind is CallerKind.SERVICE
        assert principal.tier is Tier.ENTERPRISE
        assert principal.expires_at == 1_800_000_000
        assert principal.quota_exempt
        assert not principal.may("keys:manage")


class TestHashes:
    def test_a_hash_is_an_hmac_under_the_pepper(self) -> None:
        assert hash_key("what do ya want for nothing?", b"Jefe") == (
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        )

    @pytest.mark.parametrize(
        ("key", "version", "matches"),
        [
            (KEY, "1", True),
            (KEY[:-1], "1", False),
            (KEY, "2", False),
            (KEY, "3", False),
            ("", "1", False),
        ],
    )
    def test_a_key_matches_under_the_pepper_of_its_own_version(
        self, key: str, version: str, matches: bool
    ) -> None:
        assert key_matches(key, hash_key(KEY, b"one"), version, PEPPERS) is matches


class TestScopes:
    def test_a_caller_may_what_its_scopes_say(self) -> None:
        principal = make_principal(scopes=frozenset({"credits:read"}))

        assert principal.may(None)
        assert principal.may("credits:read")
        assert not principal.may("llm:inference")
        assert not principal.quota_exempt

    def test_an_admin_may_everything(self) -> None:
        assert make_principal(scopes=frozenset({ADMIN_SCOPE})).may("llm:inference")
