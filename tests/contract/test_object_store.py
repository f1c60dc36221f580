"""A bucket's objects, over S3's stand-in: what is there, what is not, and what is out of reach."""

import itertools
from typing import Final

import boto3
import pytest

from farebox.adapters.object_store import S3ObjectStore
from farebox.domain.errors import StoreUnavailable
from tests.contract import engines

_numbers: Final = itertools.count(1)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", engines.CREDENTIALS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", engines.CREDENTIALS.secret_access_key)


@pytest.fixture
def bucket(ministack_url: str) -> str:
    """A bucket of its own for each test."""
    name = f"answers-{next(_numbers)}"
    client = boto3.client("s3", region_name=engines.REGION, endpoint_url=ministack_url)
    client.create_bucket(Bucket=name)
    client.close()
    return name


def test_an_object_comes_back_as_it_was(ministack_url: str, bucket: str) -> None:
    store = S3ObjectStore(bucket, engines.REGION, ministack_url)
    body = bytes(range(256)) * 4_000

    store.put("answers/usr_ada/1", body)

    assert store.get("answers/usr_ada/1") == body


def test_an_object_that_is_not_there_is_none(ministack_url: str, bucket: str) -> None:
    assert S3ObjectStore(bucket, engines.REGION, ministack_url).get("answers/usr_ada/1") is None


def test_a_bucket_that_is_not_there_is_unavailable(ministack_url: str) -> None:
    store = S3ObjectStore("nobodys-bucket", engines.REGION, ministack_url)

    with pytest.raises(StoreUnavailable):
        store.put("a", b"")
    with pytest.raises(StoreUnavailable):
        store.get("a")


def test_an_endpoint_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store = S3ObjectStore("bucket", engines.REGION, "http://127.0.0.1:9")

    with pytest.raises(StoreUnavailable):
        store.put("a", b"")
    with pytest.raises(StoreUnavailable):
        store.get("a")
