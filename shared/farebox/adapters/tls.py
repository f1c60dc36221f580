"""The one TLS context of a process: reading the trust store takes tens of milliseconds of CPU."""

import functools
import ssl


@functools.cache
def shared_tls_context() -> ssl.SSLContext:
    """Give the context every connection shares; made when the first https endpoint asks."""
    return ssl.create_default_context()
