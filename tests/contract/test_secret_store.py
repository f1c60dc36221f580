"""Secrets over a real wire: cached, refreshed on demand, and never guessed at."""

import itertools
import json
from collections.abc import Iterator
from typing import Final

import pytest

from farebox.adapters.aws_boto import BotoAwsJson
from farebox.adapters.aws_json import HttpAwsJson
from farebox.adapters.aws_wire import SECRETS_MANAGER, AwsError, AwsJson, Endpoint
from farebox.adapters.secret_store import AwsSecretStore
from farebox.domain.errors import ConfigurationError, StoreUnavailable
from tests.contract import engines
from tests.contract.scripted_server import ScriptedServer, answer
from tests.fakes.clock import FakeClock

_numbers: Final = itertools.count(1)


@pytest.fixture(scope="module")
def slim_wire(ministack_url: str) -> Iterator[HttpAwsJson]:
    wire = engines.signed_wire(SECRETS_MANAGER, ministack_url)
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def boto_secrets_wire(ministack_url: str) -> BotoAwsJson:
    endpoint = Endpoint(engines.REGION, ministack_url)
    return BotoAwsJson.connect(SECRETS_MANAGER, endpoint, engines.CREDENTIALS)


@pytest.fixture(params=["slim_wire", "boto_secrets_wire"])
def secrets_wire(request: pytest.FixtureRequest) -> AwsJson:
    wire: AwsJson = request.getfixturevalue(request.param)
    return wire


@pytest.fixture
def prefix() -> str:
    """A place of its own for each test's secrets."""
    return f"farebox-{next(_numbers)}/"


def put_secret(wire: AwsJson, name: str, text: str) -> None:
    """Create a secret, or give it a new version."""
    existing = wire.call("ListSecrets", {})["SecretList"]
    operation, key = (
        ("PutSecretValue", "SecretId")
        if any(each["Name"] == name for each in existing)
        else ("CreateSecret", "Name")
    )
    wire.call(operation, {key: name, "SecretString": text})


def test_a_secret_is_given_parsed(secrets_wire: AwsJson, prefix: str) -> None:
    put_secret(secrets_wire, f"{prefix}providers", '{"openai": {"api_key": "sk-made-up"}}')
    store = AwsSecretStore(secrets_wire, prefix, FakeClock())

    secret = store.get("providers")

    assert secret == {"openai": {"api_key": "sk-made-up"}}


def test_a_rotated_secret_is_seen_when_its_cache_ends(secrets_wire: AwsJson, prefix: str) -> None:
    clock = FakeClock()
    put_secret(secrets_wire, f"{prefix}keyring", '{"version": 1}')
    store = AwsSecretStore(secrets_wire, prefix, clock, cache_seconds=60)
    store.get("keyring")
    put_secret(secrets_wire, f"{prefix}keyring", '{"version": 2}')

    clock.tick(59)
    cached = store.get("keyring")
    clock.tick(1)
    refreshed = store.get("keyring")

    assert cached == {"version": 1}
    assert refreshed == {"version": 2}


def test_a_fresh_look_skips_the_cache_and_renews_it(secrets_wire: AwsJson, prefix: str) -> None:
    put_secret(secrets_wire, f"{prefix}keyring", '{"version": 1}')
    store = AwsSecretStore(secrets_wire, prefix, FakeClock())
    store.get("keyring")
    put_secret(secrets_wire, f"{prefix}keyring", '{"version": 2}')

    fresh = store.get("keyring", fresh=True)

    assert fresh == {"version": 2}
    assert store.get("keyring") == {"version": 2}


def test_a_secret_that_is_not_there_is_a_fault_of_the_configuration(
    secrets_wire: AwsJson, prefix: str
) -> None:
    store = AwsSecretStore(secrets_wire, prefix, FakeClock())

    with pytest.raises(ConfigurationError, match=f"no secret '{prefix}keyring'"):
        store.get("keyring")


@pytest.mark.parametrize("text", ['["a list"]', "sk-plain", '{"cut": '])
def test_a_secret_that_is_no_object_is_refused_without_being_quoted(
    secrets_wire: AwsJson, prefix: str, text: str
) -> None:
    put_secret(secrets_wire, f"{prefix}providers", text)
    store = AwsSecretStore(secrets_wire, prefix, FakeClock())

    with pytest.raises(ConfigurationError) as caught:
        store.get("providers")

    assert str(caught.value) == f"The secret '{prefix}providers' is not a JSON object."
    assert caught.value.__cause__ is None


def test_a_secret_we_may_not_read_is_not_taken_for_a_missing_one() -> None:
    forbidden = answer(b'{"__type":"AccessDeniedException","Message":"no"}', "400 Bad Request")
    with ScriptedServer([forbidden]) as server:
        wire = engines.signed_wire(SECRETS_MANAGER, server.url)

        with pytest.raises(AwsError, match="AccessDeniedException"):
            AwsSecretStore(wire, "farebox/", FakeClock()).get("providers")

        wire.close()


def test_secrets_are_unavailable_while_their_service_is_down() -> None:
    with ScriptedServer() as server:
        pass
    wire = engines.signed_wire(SECRETS_MANAGER, server.url)

    with pytest.raises(StoreUnavailable):
        AwsSecretStore(wire, "farebox/", FakeClock()).get("providers")


def test_what_is_cached_is_good_while_the_service_is_down() -> None:
    body = json.dumps({"SecretString": '{"version": 1}'}).encode()
    clock = FakeClock()
    with ScriptedServer([answer(body)]) as server:
        wire = engines.signed_wire(SECRETS_MANAGER, server.url)
        store = AwsSecretStore(wire, "farebox/", clock)
        store.get("keyring")
        wire.close()

    clock.tick(299)
    cached = store.get("keyring")

    assert cached == {"version": 1}
    with pytest.raises(StoreUnavailable):
        store.get("keyring", fresh=True)
