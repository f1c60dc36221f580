"""One whole local stack a test session, and ways to look at it."""

import json
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest

from local.credentials import load_or_make
from local.emulator import Aws
from local.seed import ANSWERS_BUCKET, SECRETS_PREFIX, TABLE_NAMES
from tests.e2e.local_stack import LocalStack, local_stack

type Fault = Callable[..., None]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with local_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def http(stack: LocalStack) -> Iterator[httpx.Client]:
    """A client that presents the seeded user's key."""
    headers = {"Authorization": f"Bearer {stack.user_key}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def available(http: httpx.Client) -> Callable[[], int]:
    """Tell the seeded user's balance, in nano-dollars, with nothing held."""

    def read() -> int:
        balance = http.get("/v1/credits/balance").json()
        assert balance["held_nanousd"] == 0
        return int(balance["available_nanousd"])

    return read


@pytest.fixture
def fault(stack: LocalStack) -> Iterator[Fault]:
    """Give the simulator fault orders; they end with the test."""
    ports = json.loads((stack.state_dir / "ports.json").read_text(encoding="utf-8"))
    url = f"http://127.0.0.1:{ports['simulator']}/simulator/faults"

    def order(times: int | None = 1, **what: object) -> None:
        httpx.post(url, json={"fault": what, "times": times}).raise_for_status()

    yield order
    httpx.delete(url).raise_for_status()


@pytest.fixture(scope="session")
def function_variables(stack: LocalStack) -> Mapping[str, str]:
    """The environment a deployed function has, leading to the stack's emulator."""
    ports = json.loads((stack.state_dir / "ports.json").read_text(encoding="utf-8"))
    credentials = load_or_make(stack.state_dir / "credentials.json", 0)
    return {
        **Aws(ports["emulator"], credentials).variables(),
        **{table.setting: name for table, name in TABLE_NAMES.items()},
        "ANSWERS_BUCKET": ANSWERS_BUCKET,
        "SECRETS_PREFIX": SECRETS_PREFIX,
        "POWERTOOLS_METRICS_NAMESPACE": "Farebox",
    }
