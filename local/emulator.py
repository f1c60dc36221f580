"""The AWS emulator as the rest of `make serve` sees it: where it is, and how to call it."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import boto3

from farebox.adapters.aws_boto import BotoAwsJson
from farebox.adapters.aws_credentials import Credentials as KeyPair
from farebox.adapters.aws_credentials import FixedCredentials
from farebox.adapters.aws_json import HttpAwsJson
from farebox.adapters.aws_wire import Endpoint, JsonService
from farebox.adapters.clock import SystemClock
from local.credentials import Credentials
from local.ports import HOST
from local.probe import get
from local.processes import Program
from local.settings import ServeSettings

REGION: Final = "us-east-1"
SERVICES: Final = "dynamodb,s3,secretsmanager,sqs,scheduler"
PYTHON: Final = Path(".venv-emulator/bin/python")
_READ_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 4.0
"""Enough to save its state once more."""


@dataclass(frozen=True, slots=True)
class Aws:
    """An emulator's address, and the only credentials it takes."""

    port: int
    credentials: Credentials

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self.port}"

    def variables(self) -> Mapping[str, str]:
        """Give the standard variables that lead AWS clients to it."""
        return {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
        }

    def json(self, service: JsonService) -> HttpAwsJson:
        """Reach a service that speaks JSON."""
        return HttpAwsJson(
            service,
            Endpoint(REGION, self.url, read_seconds=_READ_SECONDS),
            FixedCredentials(
                KeyPair(self.credentials.access_key_id, self.credentials.secret_access_key)
            ),
            SystemClock(),
        )

    def make_bucket(self, name: str) -> None:
        """Make an S3 bucket; nothing happens if it is there.

        Raises:
            AwsWireError: The emulator did not answer, or refused.
        """
        client = boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=self.credentials.access_key_id,
            aws_secret_access_key=self.credentials.secret_access_key,
        )
        with closing(client):
            BotoAwsJson(client).call("CreateBucket", {"Bucket": name})

    def ready(self) -> bool:
        """Tell whether it answers."""
        return get(self.port, "/_ministack/health") is not None


def emulator_program(settings: ServeSettings, aws: Aws) -> Program:
    """Compose the emulator's process; see `local.emulator_process`."""
    kept = settings.state_dir / "emulator"
    return Program(
        name="AWS emulator",
        python=settings.root / PYTHON,
        module="local.emulator_process",
        environment={
            **_bare(settings.inherited),
            **aws.variables(),
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(aws.port),
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(kept),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(kept / "s3"),
            "SERVICES": SERVICES,
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
        },
        root=settings.root,
        log=settings.state_dir / "log" / "emulator.log",
        ready=aws.ready,
        stop_seconds=_STOP_SECONDS,
    )


def _bare(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out what is not needed: the emulator obeys variables of many names, and of Docker."""
    return {name: environment[name] for name in ("HOME", "PATH", "TMPDIR") if name in environment}
