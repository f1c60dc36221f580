"""Kept connections over real sockets, plain and encrypted."""

import datetime as dt
import ipaddress
import select
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from farebox.adapters.aws_credentials import Credentials, FixedCredentials
from farebox.adapters.aws_json import HttpAwsJson
from farebox.adapters.aws_wire import (
    DYNAMODB,
    AwsUnreachable,
    Endpoint,
    JsonService,
)
from farebox.adapters.clock import SystemClock
from farebox.adapters.connections import Connections
from farebox.adapters.http_exchange import post
from tests.contract.scripted_server import ScriptedServer, answer
from tests.fakes.clock import FakeClock

EMPTY = answer(b"{}")
BAD = "400 Bad Request"
CANCELED = "TransactionCanceledException"


def make_wire(
    server: ScriptedServer,
    service: JsonService = DYNAMODB,
    clock: FakeClock | None = None,
    token: str | None = None,
) -> HttpAwsJson:
    """Make a client that waits a tenth of a second for answers."""
    endpoint = Endpoint("eu-central-1", server.url, read_seconds=0.1)
    credentials = FixedCredentials(Credentials("AKID", "secret", token))
    return HttpAwsJson(service, endpoint, credentials, clock or FakeClock())


def make_pool(url: str, certificate: Path | None = None) -> Connections:
    """Make a pool of connections that wait half a second, trusting one certificate."""
    return Connections(
        url,
        connect_seconds=1,
        read_seconds=0.5,
        clock=FakeClock(),
        tls=lambda: ssl.create_default_context(cafile=certificate),
    )


def server_context(certificate: Path) -> ssl.SSLContext:
    """Make the server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost that it signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.fromtimestamp(SystemClock().now_ms() / 1000, tz=dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


class TestPool:
    def test_an_open_connection_waits_as_long_as_an_answer_may_take(self) -> None:
        with ScriptedServer([EMPTY], stays=True) as server:
            pool = make_pool(server.url)

            taken = pool.take()

            assert taken.gettimeout() == 0.5
            taken.close()

    def test_no_more_are_kept_than_will_be_used(self) -> None:
        pool = make_pool("http://localhost:1")
        pairs = [socket.socketpair() for _ in range(65)]

        for ours, _ in pairs:
            pool.give_back(ours)

        assert [ours.fileno() == -1 for ours, _ in pairs] == [False] * 64 + [True]
        pool.close()
        assert all(ours.fileno() == -1 for ours, _ in pairs)
        for _, theirs in pairs:
            theirs.close()

    def test_the_one_used_last_is_lent_first(self) -> None:
        pool = make_pool("http://localhost:1")
        (older, one), (newer, other) = socket.socketpair(), socket.socketpair()
        pool.give_back(older)
        pool.give_back(newer)

        lent = [pool.take(), pool.take()]

        assert lent == [newer, older]
        for each in (older, newer, one, other):
            each.close()


class TestEncryption:
    def test_session_tickets_do_not_cost_a_warm_connection(self, certificate: Path) -> None:
        with ScriptedServer([EMPTY], tls=server_context(certificate), stays=True) as server:
            pool = make_pool(server.url, certificate)
            pool.warm()
            warmed = pool.take()
            pool.give_back(warmed)
            unread, _, _ = select.select([warmed], [], [], 1)

            taken = pool.take()

            assert unread == [warmed]
            assert taken is warmed
            assert post(taken, {"host": "localhost"}, b"{}").body == b"{}"
            taken.close()
        assert server.connections == 1

    def test_a_closed_one_is_noticed_behind_its_encryption(self, certificate: Path) -> None:
        with ScriptedServer([EMPTY], [EMPTY], tls=server_context(certificate)) as server:
            pool = make_pool(server.url, certificate)
            first = pool.take()
            post(first, {"host": "localhost"}, b"{}")
            pool.give_back(first)
            server.wait_until_it_hung_up()

            second = pool.take()

            assert first.fileno() == -1
            assert post(second, {"host": "localhost"}, b"{}").body == b"{}"
            second.close()

    def test_one_that_was_reset_is_noticed_behind_its_encryption(self, certificate: Path) -> None:
        context = server_context(certificate)
        with ScriptedServer([EMPTY], [EMPTY], tls=context, stays=True) as server:
            pool = make_pool(server.url, certificate)
            first = pool.take()
            post(first, {"host": "localhost"}, b"{}")
            pool.give_back(first)
            server.reset()

            second = pool.take()

            assert first.fileno() == -1
            assert post(second, {"host": "localhost"}, b"{}").body == b"{}"
            second.close()

    def test_a_certificate_nobody_vouches_for_is_refused(self, certificate: Path) -> None:
        with ScriptedServer([EMPTY], tls=server_context(certificate)) as server:
            wire = make_wire(server)

            with pytest.raises(AwsUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
                wire.call("GetItem", {})

        assert server.requests == []
