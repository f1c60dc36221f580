"""The AWS emulator's own process: ministack behind a guard, and saved while it runs.

ministack 1.5 saves its state only when it is told to end; a killed one forgets every balance.
Here a forked copy of the process, which is a consistent picture of it, writes the same files a
moment after each change, while the original goes on answering.

The guard is there because `AUTH=true` does not check signatures of root keys, and accepts the key
`test` and any twelve digits as such; `/_ministack/reset` wipes everything for whoever asks. The
access key is random, kept in STATE_DIR, and no other one passes.

This runs in `.venv-emulator`: standard library, ministack and its server only.
"""

import asyncio
import contextlib
import importlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl

type Message = MutableMapping[str, Any]
type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_OPEN_PATHS: Final = ("/_ministack/health", "/_ministack/ready")
_REFUSAL: Final = b'{"__type":"UnrecognizedClientException","message":"Not with this key."}'
_READING: Final = ("Get", "BatchGet", "Query", "Scan", "List", "Describe", "Receive")
_LEAST_PAUSE_SECONDS: Final = 1.0
_SAVING_SHARE: Final = 10
"""The pause is so many times what the last picture took, so that saving stays a side issue."""
_SAVING_LIMIT_SECONDS: Final = 60


class Pictures:
    """Saves what `save` writes, in a forked copy, soon after a change."""

    def __init__(self, save: Callable[[], None]) -> None:
        self.changed = False
        self._save = save
        self._pause_seconds = _LEAST_PAUSE_SECONDS
        self._copy: int | None = None
        self._keeping: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Look for changes from now on, until SIGTERM comes."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.take_last)
        self._keeping = loop.create_task(self._keep())

    def take_last(self) -> None:
        """Save for the last time and exit.

        Not by way of the server, which would first wait for every open request, such as a poll of
        a queue (hypercorn 0.18 on Python 3.12 and later).
        """
        if self._copy is not None:
            os.kill(self._copy, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._copy, 0)
        self._save()
        os._exit(0)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._pause_seconds)
            if self.changed:
                self.changed = False
                await self._take()

    async def _take(self) -> None:
        began = time.monotonic()
        self._copy = os.fork()
        if self._copy == 0:
            self._write_and_exit()
        await asyncio.to_thread(os.waitpid, self._copy, 0)
        self._copy = None
        took_seconds = time.monotonic() - began
        self._pause_seconds = max(_LEAST_PAUSE_SECONDS, _SAVING_SHARE * took_seconds)

    def _write_and_exit(self) -> None:
        """Run in the copy, which shares the original's sockets and must not keep them open."""
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
                signal.signal(number, signal.SIG_DFL)
            signal.alarm(_SAVING_LIMIT_SECONDS)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            self._save()
        finally:
            os._exit(0)


class Guard:
    """The emulator as others reach it.

    Args:
        application: The emulator's ASGI application.
        access_key_id: The only one that passes.
        pictures: Told of every change.
    """

    def __init__(self, application: Application, access_key_id: str, pictures: Pictures) -> None:
        self._application = application
        self._access_key_id = access_key_id
        self._pictures = pictures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of the server: its life, or a request."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        elif scope["type"] == "http" and self._admits(scope):
            await self._application(scope, receive, send)
            self._pictures.changed |= _changes(scope)
        elif scope["type"] == "http":
            length = (b"content-length", str(len(_REFUSAL)).encode())
            kind = (b"content-type", b"application/x-amz-json-1.0")
            await send({"type": "http.response.start", "status": 403, "headers": [length, kind]})
            await send({"type": "http.response.body", "body": _REFUSAL, "more_body": False})

    def _admits(self, scope: Scope) -> bool:
        """Refuse foreign keys and the emulator's own controls; unsigned calls it refuses itself."""
        if scope["path"].startswith("/_"):
            return scope["path"] in _OPEN_PATHS
        return all(key == self._access_key_id for key in _access_keys(scope))


def _access_keys(scope: Scope) -> list[str]:
    """List the access keys a request claims, in its header or, presigned, in its query."""
    keys = []
    for name, value in scope["headers"]:
        if name.lower() == b"authorization":
            _, _, after = value.decode("latin-1").partition("Credential=")
            keys.append(after.partition("/")[0])
    for name, text in parse_qsl(scope["query_string"].decode("latin-1")):
        if name.lower() in ("x-amz-credential", "awsaccesskeyid"):
            keys.append(text.partition("/")[0])
    return keys


def _changes(scope: Scope) -> bool:
    """Tell whether a request may have changed something; when in doubt, yes."""
    for name, value in scope["headers"]:
        if name.lower() == b"x-amz-target":
            operation = value.decode("latin-1").rpartition(".")[2]
            return not operation.startswith(_READING)
    return scope["method"] not in ("GET", "HEAD", "OPTIONS")


async def serve(port: int, access_key_id: str) -> None:
    """Serve on loopback, saving now and then, until SIGTERM.

    Args:
        port: Where to listen.
        access_key_id: The only one that passes.
    """
    ministack = importlib.import_module("ministack.app")
    persistence = importlib.import_module("ministack.core.persistence")
    server = importlib.import_module("hypercorn.asyncio")
    config = importlib.import_module("hypercorn.config").Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    pictures = Pictures(lambda: persistence.save_all(ministack._build_persistence_save_dict()))  # noqa: SLF001 - ministack has no public way to save
    pictures.begin()
    guard = Guard(ministack.app, access_key_id, pictures)
    await server.serve(guard, config, shutdown_trigger=asyncio.Event().wait, mode="asgi")


if __name__ == "__main__":
    variables = os.environ  # noqa: TID251 - ministack is told all else here too
    asyncio.run(serve(int(variables["GATEWAY_PORT"]), variables["AWS_ACCESS_KEY_ID"]))
