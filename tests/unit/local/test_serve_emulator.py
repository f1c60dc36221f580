"""The emulator's process: who may call it, and what it remembers however it ends."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from farebox.adapters.aws_wire import DYNAMODB, AwsError
from local.credentials import Credentials
from local.emulator import Aws
from local.processes import Family

type StartEmulator = Callable[[Path, Credentials], Aws]

TABLE = {
    "TableName": "things",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}


def list_tables(aws: Aws) -> list[str]:
    with closing(aws.json(DYNAMODB)) as dynamodb:
        names: list[str] = dynamodb.call("ListTables", {})["TableNames"]
        return names


def create_table(aws: Aws) -> None:
    with closing(aws.json(DYNAMODB)) as dynamodb:
        dynamodb.call("CreateTable", TABLE)


class TestGuard:
    @pytest.mark.parametrize("access_key_id", ["test", "000000000000", "FAREBOX0000"])
    def test_other_access_keys_are_refused(
        self,
        start_emulator: StartEmulator,
        tmp_path: Path,
        credentials: Credentials,
        access_key_id: str,
    ) -> None:
        aws = start_emulator(tmp_path, credentials)
        stranger = Aws(aws.port, replace(credentials, access_key_id=access_key_id))

        with pytest.raises(AwsError) as refused:
            list_tables(stranger)

        assert refused.value.code == "UnrecognizedClientException"

    def test_unsigned_calls_and_the_emulators_own_controls_are_refused(
        self, start_emulator: StartEmulator, tmp_path: Path, credentials: Credentials
    ) -> None:
        aws = start_emulator(tmp_path, credentials)
        create_table(aws)
        target = {"x-amz-target": "DynamoDB_20120810.ListTables"}

        unsigned = httpx.post(aws.url, content=b"{}", headers=target)
        reset = httpx.post(f"{aws.url}/_ministack/reset")

        assert unsigned.is_client_error
        assert reset.status_code == 403
        assert list_tables(aws) == ["things"]


class TestMemory:
    def test_what_was_written_before_an_orderly_end_is_there_again(
        self,
        start_emulator: StartEmulator,
        family: Family,
        tmp_path: Path,
        credentials: Credentials,
    ) -> None:
        create_table(start_emulator(tmp_path, credentials))
        family.end_all()

        assert list_tables(start_emulator(tmp_path, credentials)) == ["things"]

    def test_a_killed_emulator_remembers_what_is_two_seconds_old(
        self,
        start_emulator: StartEmulator,
        family: Family,
        tmp_path: Path,
        credentials: Credentials,
    ) -> None:
        create_table(start_emulator(tmp_path, credentials))
        time.sleep(2)
        for child in family.children:
            os.kill(child.pid, signal.SIGKILL)

        assert list_tables(start_emulator(tmp_path, credentials)) == ["things"]
