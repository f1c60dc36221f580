"""Secrets Manager as far as a start needs it, on a thread of the benchmark's own process.

Given a certificate it speaks TLS, as AWS does: that is part of what a cold start costs.
"""

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, secrets: Mapping[str, object]) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.secrets = secrets

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: functions are stopped in the middle of their waiting."""


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        """Answer GetSecretValue."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        secret = json.dumps(self.server.secrets[asked["SecretId"]])
        body = json.dumps({"Name": asked["SecretId"], "SecretString": secret}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Keep quiet."""


@contextlib.contextmanager
def serve_secrets(
    secrets: Mapping[str, object], certificate: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve secrets by their full names; gives the URL."""
    server = _Server(secrets)
    if certificate is not None:
        server.socket = certificate.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    scheme = "http" if certificate is None else "https"
    try:
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
