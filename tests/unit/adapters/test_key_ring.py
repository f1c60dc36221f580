import base64

import pytest

from farebox.adapters.key_ring import SecretsKeyRing, current_version, versions_of
from farebox.domain.errors import ConfigurationError, StoreUnavailable
from farebox.domain.identity import ServiceKeyRecord
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore

ONE, TWO = (base64.b64encode(letter * 32).decode() for letter in (b"1", b"2"))
KEYRING: dict[str, object] = {"pepper": {"current": "2", "versions": {"1": ONE, "2": TWO}}}
DEMO: dict[str, object] = {
    "service": "demo",
    "hash": "aa",
    "pepper": "1",
    "account": "org_1",
    "organisation": "org_1",
    "expires_at": None,
}


def ring_of(*keys: object, keyring: dict[str, object] | None = None) -> SecretsKeyRing:
    """Make a key ring over these secrets."""
    return SecretsKeyRing(secrets_of(*keys, keyring=keyring), FakeClock())


def secrets_of(*keys: object, keyring: dict[str, object] | None = None) -> FakeSecretStore:
    """Make a secret store with these service keys."""
    return FakeSecretStore({"keyring": keyring or KEYRING, "service-keys": {"keys": [*keys]}})


class TestPeppers:
    def test_all_versions_are_given_decoded(self) -> None:
        assert ring_of().peppers() == {"1": b"1" * 32, "2": b"2" * 32}

    def test_a_rotation_is_seen_once_the_cache_is_old(self) -> None:
        secrets = secrets_of()
        ring = SecretsKeyRing(secrets, FakeClock())
        before = ring.peppers()

        secrets.write("keyring", {"pepper": {"current": "2", "versions": {"2": TWO}}})
        cached = ring.peppers()
        secrets.age()

        assert cached is before
        assert ring.peppers() == {"2": b"2" * 32}

    @pytest.mark.parametrize(
        "keyring",
        [
            {"other": {}},
            {"pepper": "text"},
            {"pepper": {"current": "1"}},
            {"pepper": {"versions": []}},
            {"pepper": {"versions": {}}},
            {"pepper": {"versions": {"1": "not base64!"}}},
            {"pepper": {"versions": {"1": "abc"}}},
        ],
    )
    def test_what_is_no_pepper_is_the_operators_fault(self, keyring: dict[str, object]) -> None:
        with pytest.raises(ConfigurationError):
            ring_of(keyring=keyring).peppers()

    def test_a_secret_store_that_is_down_is_unavailable(self) -> None:
        secrets = secrets_of()
        secrets.down = True

        with pytest.raises(StoreUnavailable):
            SecretsKeyRing(secrets, FakeClock()).peppers()


class TestVersions:
    def test_the_current_version_is_named(self) -> None:
        assert current_version(KEYRING, "pepper") == "2"

    @pytest.mark.parametrize("keyring", [{}, {"pepper": []}, {"pepper": {"current": 2}}])
    def test_without_one_nothing_new_is_made(self, keyring: dict[str, object]) -> None:
        with pytest.raises(ConfigurationError):
            current_version(keyring, "pepper")

    def test_another_key_of_the_ring_is_another(self) -> None:
        with pytest.raises(ConfigurationError):
            versions_of(KEYRING, "answers")


class TestServiceKeys:
    def test_all_keys_of_a_service_are_given_and_no_others(self) -> None:
        ring = ring_of(DEMO, DEMO | {"hash": "bb"}, DEMO | {"service": "other"}, "junk")

        assert [record.hash for record in ring.service_keys("demo")] == ["aa", "bb"]
        assert ring.service_keys("demo")[0] == ServiceKeyRecord(
            "demo", "aa", "1", "org_1", "org_1", None
        )

    def test_an_expiry_is_read(self) -> None:
        (record,) = ring_of(DEMO | {"expires_at": 1_800_000_000}).service_keys("demo")

        assert record.expires_at == 1_800_000_000

    @pytest.mark.parametrize("expires_at", ["2027-01-01", 1.8e9, True, [], "1800000000"])
    def test_an_expiry_that_cannot_be_read_is_not_none(self, expires_at: object) -> None:
        with pytest.raises(ConfigurationError, match="expires_at"):
            ring_of(DEMO | {"expires_at": expires_at}).service_keys("demo")

    @pytest.mark.parametrize("field", ["hash", "pepper", "account", "organisation"])
    def test_a_key_that_lacks_something_is_named_by_it(self, field: str) -> None:
        partial = {name: value for name, value in DEMO.items() if name != field}

        with pytest.raises(ConfigurationError, match=field):
            ring_of(partial).service_keys("demo")

    def test_a_secret_without_a_list_is_the_operators_fault(self) -> None:
        secrets = FakeSecretStore({"service-keys": {"keys": {}}})

        with pytest.raises(ConfigurationError):
            SecretsKeyRing(secrets, FakeClock()).service_keys("demo")

    def test_a_service_that_was_just_added_is_found_at_once(self) -> None:
        secrets = secrets_of()
        secrets.write("service-keys", {"keys": [DEMO]})

        records = SecretsKeyRing(secrets, FakeClock()).service_keys("demo")

        assert [record.hash for record in records] == ["aa"]

    def test_an_unknown_service_makes_us_look_again_every_half_minute_at_most(self) -> None:
        secrets, clock = secrets_of(), FakeClock()
        ring = SecretsKeyRing(secrets, clock)

        for name in ("a", "b", "c"):
            ring.service_keys(name)
        at_first = len(secrets.fresh_reads)
        clock.tick(29.999)
        ring.service_keys("a")
        before = len(secrets.fresh_reads)
        clock.tick(0.001)
        ring.service_keys("a")

        assert (at_first, before, len(secrets.fresh_reads)) == (1, 1, 2)

    def test_a_known_service_never_does(self) -> None:
        secrets = secrets_of(DEMO)

        SecretsKeyRing(secrets, FakeClock()).service_keys("demo")

        assert secrets.fresh_reads == []
