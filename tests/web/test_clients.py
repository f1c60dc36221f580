"""The clients of Node against the whole stack: every `*.test.js` here, by Node's own runner."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.local_stack import LocalStack, local_stack

pytestmark = pytest.mark.web

HERE = Path(__file__).parent
SUITES = sorted(HERE.glob("*.test.js"))
SUITE_SECONDS = 90


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with local_stack(tmp_path_factory.mktemp("state")) as stack:
        yield stack


def simulator_url(stack: LocalStack) -> str:
    ports = json.loads((stack.state_dir / "ports.json").read_text(encoding="utf-8"))
    return f"http://127.0.0.1:{ports['simulator']}"


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.name)
def test_a_client_of_node_finds_what_it_relies_on(suite: Path, stack: LocalStack) -> None:
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules").exists():
        pytest.fail("Node or the clients are missing; `make test-web` installs the clients.")

    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", suite.name],
        cwd=HERE,
        env={
            "PATH": os.environ.get("PATH", os.defpath),  # noqa: TID251 - of the test run
            "FAREBOX_URL": stack.url,
            "OPENAI_API_KEY": stack.user_key,
            "SIMULATOR_URL": simulator_url(stack),
        },
        capture_output=True,
        text=True,
        timeout=SUITE_SECONDS,
        check=False,
    )

    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed is not None
    assert int(passed[1]) >= 10
