"""What the ledger's slim way to DynamoDB may load: its start-up is every cold chat's start-up."""

import subprocess
import sys
from pathlib import Path
from typing import Final

SHARED: Final = Path(__file__).parents[3] / "shared"
SLIM: Final = (
    "farebox.adapters.aws_json",
    "farebox.adapters.clock",
    "farebox.adapters.ledger_store",
    "farebox.adapters.randomness",
    "farebox.adapters.secret_store",
    "farebox.adapters.settlement_queue",
)
HEAVY: Final = {"boto3", "botocore", "email", "http", "secrets", "urllib3"}


def test_the_slim_adapters_load_no_general_client() -> None:
    program = f"import sys, {', '.join(SLIM)}; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(SHARED)!r}); {program}"],
        capture_output=True,
        check=True,
        text=True,
    )

    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "farebox" in loaded
    assert loaded & HEAVY == set()
