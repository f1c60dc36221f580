"""Start what `make serve` consists of, in order, watch over it, and end it in reverse.

The front stands on the emulator, seeded, and on the simulator. The port is ours from the first
moment; whoever connects early is served as soon as the front is up.
"""

import signal
import socket
import time
from threading import Event
from typing import Final

from farebox.adapters.aws_wire import AwsWireError
from farebox.domain.errors import FareboxError
from local.banner import Progress, ready_message
from local.credentials import Credentials, load_or_make, write_env_file
from local.emulator import Aws, emulator_program
from local.ports import HOST, RememberedPorts, listen, port_of
from local.problems import CannotServe
from local.processes import Child, Family, Stopped
from local.programs import front_program, simulator_program
from local.providers import Providers, Secret, find_providers, ollama_answers
from local.reload import Watch
from local.seed import seed
from local.settings import ServeSettings
from local.state import held

_LOOK_EVERY_SECONDS: Final = 0.5


def serve(settings: ServeSettings) -> int:
    """Serve until a signal comes; gives the exit code.

    Raises:
        CannotServe: Something stands in the way, or broke.
    """
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    with listen(settings.port) as listener, held(settings.state_dir), Family() as family:
        code = Watch(settings.root) if settings.reload else None
        try:
            front = _start(settings, listener, family, stop)
            _watch(front, code, family, stop)
        except Stopped:
            pass
        print("Stopping …", flush=True)
        listener.close()
    print(f"Stopped; {settings.state_dir} keeps the state.", flush=True)
    return 0


def _start(settings: ServeSettings, listener: socket.socket, family: Family, stop: Event) -> Child:
    """Start everything and say so; gives the front.

    Raises:
        Stopped: We were told to stop meanwhile.
        CannotServe: Something did not start.
    """
    url = f"http://{HOST}:{port_of(listener)}"
    print(f"Starting Farebox at {url}", flush=True)
    progress = Progress()
    credentials = load_or_make(settings.state_dir / "credentials.json", _now_ms())
    providers = _find_providers(settings, credentials)
    ports = RememberedPorts(settings.state_dir / "ports.json")
    aws = Aws(ports.take("emulator"), credentials)
    below = [family.start(emulator_program(settings, aws))]
    simulator_url = None
    if providers.simulated:
        port = ports.take("simulator")
        simulator_url = f"http://{HOST}:{port}"
        below.append(family.start(simulator_program(settings, port)))
    for child in below:
        child.wait_ready(stop)
        progress.done(child.program.name)
    queue_url = _seed(settings, aws, providers.secret(simulator_url))
    progress.done("tables, secrets, keys and credits")
    front = family.start(front_program(settings, aws, queue_url, listener))
    front.wait_ready(stop)
    progress.done(front.program.name)
    write_env_file(settings.env_file, credentials, url)
    print(ready_message(settings, credentials, providers, url), flush=True)
    return front


def _find_providers(settings: ServeSettings, credentials: Credentials) -> Providers:
    own_keys = (credentials.user_key, credentials.admin_key, credentials.service_key)
    return find_providers(
        settings.provider_keys,
        frozenset(own_keys),
        lenient=settings.lenient,
        ollama=ollama_answers(),
    )


def _seed(settings: ServeSettings, aws: Aws, providers: Secret) -> str:
    try:
        return seed(aws, providers, lenient=settings.lenient)
    except (AwsWireError, FareboxError) as error:
        what = f"The emulator could not be seeded ({error})"
        raise CannotServe(f"{what}; to start afresh, delete {settings.state_dir}.", 1) from error


def _watch(front: Child, code: Watch | None, family: Family, stop: Event) -> None:
    """Return when we are told to stop; meanwhile restart the front when code changes, if asked to.

    Raises:
        CannotServe: Something ended.
    """
    while not stop.wait(_LOOK_EVERY_SECONDS):
        family.require_running()
        changed = code.changed() if code is not None else None
        if changed is not None:
            print(f"{changed} has changed; restarting the functions", flush=True)
            front = _restart(front, family, stop)


def _restart(front: Child, family: Family, stop: Event) -> Child:
    family.end(front)
    fresh = family.start(front.program)
    try:
        fresh.wait_ready(stop)
    except CannotServe as problem:
        family.end(fresh)
        print(f"{problem} The next change is another try.", flush=True)
    return fresh


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
