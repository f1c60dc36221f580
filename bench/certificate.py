"""A certificate for loopback, and a trust store that has it: the system's own, and one more.

A start reads the whole trust store, so a small one would flatter.
"""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server and its clients need."""

    server: ssl.SSLContext
    trust_store: Path
    """For `SSL_CERT_FILE`."""


def make_certificate(directory: Path, now_seconds: float) -> Certificate:
    """Make one that is good for a day around now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.fromtimestamp(now_seconds, tz=UTC)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(loopback, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    chain, trust_store = directory / "server.pem", directory / "trust.pem"
    chain.write_bytes(public + _pem_of(key))
    trust_store.write_bytes(_system_store() + public)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    return Certificate(server, trust_store)


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _system_store() -> bytes:
    path = ssl.get_default_verify_paths().cafile
    return Path(path).read_bytes() if path else b""
