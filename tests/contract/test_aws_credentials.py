"""Credentials of a local endpoint: fetched once, refreshed in time, never in the open."""

import json
from pathlib import Path

import pytest

from farebox.adapters.aws_credentials import (
    ContainerCredentials,
    Credentials,
    FixedCredentials,
    credentials_from,
)
from farebox.adapters.aws_wire import AwsUnreachable
from farebox.domain.errors import ConfigurationError
from tests.contract.scripted_server import SILENCE, ScriptedServer, answer
from tests.fakes.clock import FakeClock

FOREVER_URI = "http://127.0.0.1:9001/credentials"


def credentials_answer(number: int, expiration: str) -> bytes:
    """Compose what the endpoint answers."""
    body = {
        "AccessKeyId": f"AKID{number}",
        "SecretAccessKey": f"secret{number}",
        "Token": f"token{number}",
        "Expiration": expiration,
    }
    return answer(json.dumps(body).encode())


def from_endpoint(server: ScriptedServer, clock: FakeClock) -> ContainerCredentials:
    """Make a provider over a scripted endpoint."""
    return ContainerCredentials(f"{server.url}/role?id=1", "bearer", None, clock)


def test_a_key_pair_in_the_environment_comes_first() -> None:
    environment = {
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": FOREVER_URI,
    }

    provider = credentials_from(environment, FakeClock())

    assert provider == FixedCredentials(Credentials("AKID", "secret", "token"))
    assert provider.current() == Credentials("AKID", "secret", "token")


def test_a_key_pair_for_good_has_no_token() -> None:
    environment = {
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "",
    }

    provider = credentials_from(environment, FakeClock())

    assert provider.current() == Credentials("AKID", "secret", None)


def test_nothing_in_the_environment_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID"):
        credentials_from({"AWS_ACCESS_KEY_ID": "AKID"}, FakeClock())


@pytest.mark.parametrize(
    "uri",
    [
        "http://10.0.0.1/credentials",
        "http://example.com/credentials",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1.example.com/credentials",
        "ftp://127.0.0.1/credentials",
        "http:///credentials",
    ],
)
def test_secrets_are_not_fetched_from_just_anywhere(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="not fetched"):
        credentials_from({"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri}, FakeClock())


@pytest.mark.parametrize(
    "uri",
    [
        FOREVER_URI,
        "http://localhost/",
        "http://[::1]:80/",
        "http://169.254.170.2/v2",
        "http://169.254.170.23/v1",
        "https://credentials.example.com/",
    ],
)
def test_endpoints_of_the_host_and_encrypted_ones_may_serve_them(uri: str) -> None:
    provider = credentials_from({"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri}, FakeClock())

    assert isinstance(provider, ContainerCredentials)


def test_the_endpoint_is_asked_once_and_with_the_token() -> None:
    with ScriptedServer([credentials_answer(1, "2026-11-20T18:00:00Z")]) as server:
        environment = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/role?id=1",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "bearer",
        }
        provider = credentials_from(environment, FakeClock())

        first, second = provider.current(), provider.current()

    assert first == second == Credentials("AKID1", "secret1", "token1")
    assert len(server.requests) == 1
    assert server.requests[0].startswith(b"GET /role?id=1 HTTP/1.1\r\n")
    assert b"authorization: bearer\r\n" in server.requests[0]


def test_a_token_file_is_read_at_every_refresh(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("first\n", encoding="utf-8")
    clock = FakeClock()
    with ScriptedServer(
        [credentials_answer(1, "2026-11-20T13:00:00Z")],
        [credentials_answer(2, "2026-11-20T18:00:00Z")],
    ) as server:
        provider = ContainerCredentials(f"{server.url}/", None, str(token_file), clock)
        provider.current()
        token_file.write_text("second\n", encoding="utf-8")
        clock.tick(3_600)

        provider.current()

    assert b"authorization: first\r\n" in server.requests[0]
    assert b"authorization: second\r\n" in server.requests[1]


def test_credentials_are_refreshed_five_minutes_before_they_expire() -> None:
    clock = FakeClock()
    with ScriptedServer(
        [credentials_answer(1, "2026-11-20T13:00:00Z")],
        [credentials_answer(2, "2026-11-20T18:00:00Z")],
    ) as server:
        provider = from_endpoint(server, clock)
        provider.current()

        clock.tick(3_299)
        kept = provider.current()
        clock.tick(1)
        refreshed = provider.current()

    assert kept.access_key_id == "AKID1"
    assert refreshed.access_key_id == "AKID2"


def test_an_endpoint_that_fails_is_forgiven_while_the_old_ones_are_valid() -> None:
    clock = FakeClock()
    with ScriptedServer([credentials_answer(1, "2026-11-20T13:00:00Z")], [SILENCE]) as server:
        provider = from_endpoint(server, clock)
        provider.current()

        clock.tick(3_599)
        kept = provider.current()

    assert kept.access_key_id == "AKID1"
    assert len(server.requests) == 2
    clock.tick(1)
    with pytest.raises(AwsUnreachable, match="no credentials"):
        provider.current()


@pytest.mark.parametrize(
    "reply",
    [
        SILENCE,
        answer(b"{}", "500 Internal Server Error"),
        answer(b"not json"),
        answer(b'{"AccessKeyId": "AKID"}'),
        answer(b"[]"),
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    ],
)
def test_an_endpoint_without_credentials_leaves_us_without(reply: bytes) -> None:
    with ScriptedServer([reply]) as server:
        provider = from_endpoint(server, FakeClock())

        with pytest.raises(AwsUnreachable, match="no credentials"):
            provider.current()


def test_secrets_do_not_show_when_credentials_are_printed() -> None:
    shown = repr(Credentials("AKID", "secret-value", "token-value"))

    assert shown == "Credentials(access_key_id='AKID')"
