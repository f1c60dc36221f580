"""Idempotency records and stored answers in the App table; large answers in S3.

    I#<account> / <hash of the key>    what an Idempotency-Key stands for
    R#<account> / <rid>                an answer, AES-256-GCM under a versioned key

An answer is bound to its account and request by the cipher's associated data: a row or an object
that is moved does not decrypt. Both rows expire after a day, and every read checks that itself.
"""

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from farebox.adapters.aws_wire import CONDITION_FAILED, AwsError, AwsJson, call_store
from farebox.adapters.dynamodb_items import Item, number, text
from farebox.adapters.key_ring import KEYRING, current_version, versions_of
from farebox.domain.errors import ConfigurationError
from farebox.services.ports.answer_store import KEEP_SECONDS, IdempotencyRecord, StoredAnswer
from farebox.services.ports.clock import Clock
from farebox.services.ports.secret_store import SecretStore

INLINE_BYTES: Final = 300_000
"""Larger answers do not fit an item of 400 KB once encoded; they go to the bucket."""

_NONCE_BYTES: Final = 12


class ObjectStore(Protocol):
    """A private bucket; both methods raise `StoreUnavailable` when it is down."""

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        ...

    def get(self, key: str) -> bytes | None:
        """Read an object, `None` if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class _Sealed:
    version: str
    nonce: bytes
    ciphertext: bytes


class DynamoIdempotencyStore:
    """Implements the `IdempotencyStore` port."""

    def __init__(self, wire: AwsJson, app_table: str, clock: Clock) -> None:
        self._wire = wire
        self._table = app_table
        self._clock = clock

    def claim(
        self, account_id: str, record: IdempotencyRecord, instead_of: str | None
    ) -> IdempotencyRecord:
        """Write a record if its key is free; see the port."""
        free = "attribute_not_exists(pk) OR #exp <= :now"
        values = {":now": number(self._now())}
        if instead_of is not None:
            free += " OR rid = :former"
            values[":former"] = text(instead_of)
        payload = {
            "TableName": self._table,
            "Item": _record_item(account_id, record, self._now() + KEEP_SECONDS),
            "ConditionExpression": free,
            "ExpressionAttributeNames": {"#exp": "exp"},
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            call_store(self._wire, "PutItem", payload)
        except AwsError as error:
            if error.code != CONDITION_FAILED or error.item is None:
                raise
            return _record_of(error.item)
        return record

    def release(self, account_id: str, record: IdempotencyRecord) -> None:
        """Free the key again; see the port."""
        payload = {
            "TableName": self._table,
            "Key": _record_key(account_id, record.key_hash),
            "ConditionExpression": "rid = :rid",
            "ExpressionAttributeValues": {":rid": text(record.rid)},
        }
        try:
            call_store(self._wire, "DeleteItem", payload)
        except AwsError as error:
            if error.code != CONDITION_FAILED:
                raise

    def _now(self) -> int:
        return self._clock.now_ms() // 1000


class DynamoAnswerStore:
    """Implements the `AnswerStore` port."""

    def __init__(
        self,
        wire: AwsJson,
        app_table: str,
        objects: Callable[[], ObjectStore],
        secrets_: SecretStore,
        clock: Clock,
    ) -> None:
        """Assemble a store.

        Args:
            wire: DynamoDB.
            app_table: The App table.
            objects: Gives the bucket; asked only for large answers, for its client is heavy.
            secrets_: Holds the keys that answers are encrypted with.
            clock: Tells when an answer's day is over.
        """
        self._wire = wire
        self._table = app_table
        self._objects = objects
        self._secrets = secrets_
        self._clock = clock

    def keep(self, account_id: str, rid: str, answer: StoredAnswer) -> None:
        """Keep an answer; see the port."""
        sealed = self._seal(_bound_to(account_id, rid), _packed(answer))
        item: Item = {
            **_answer_key(account_id, rid),
            "exp": number(self._clock.now_ms() // 1000 + KEEP_SECONDS),
            "version": text(sealed.version),
            "nonce": {"B": base64.b64encode(sealed.nonce).decode()},
        }
        if len(sealed.ciphertext) <= INLINE_BYTES:
            item["body"] = {"B": base64.b64encode(sealed.ciphertext).decode()}
        else:
            self._objects().put(_object_key(account_id, rid), sealed.ciphertext)
        call_store(self._wire, "PutItem", {"TableName": self._table, "Item": item})

    def find(self, account_id: str, rid: str) -> StoredAnswer | None:
        """Fetch an answer; see the port."""
        payload = {
            "TableName": self._table,
            "Key": _answer_key(account_id, rid),
            "ConsistentRead": True,
        }
        item: Item | None = call_store(self._wire, "GetItem", payload).get("Item")
        if item is None or int(item["exp"]["N"]) <= self._clock.now_ms() // 1000:
            return None
        ciphertext = (
            base64.b64decode(item["body"]["B"])
            if "body" in item
            else self._objects().get(_object_key(account_id, rid))
        )
        if ciphertext is None:
            return None
        nonce = base64.b64decode(item["nonce"]["B"])
        sealed = _Sealed(item["version"]["S"], nonce, ciphertext)
        plain = self._open(_bound_to(account_id, rid), sealed)
        return None if plain is None else _unpacked(plain)

    def _seal(self, bound_to: bytes, plain: bytes) -> _Sealed:
        from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 - few requests
            AESGCM,  # need it, and all would pay for it at start
        )

        keyring = self._secrets.get(KEYRING)
        version = current_version(keyring, "answers")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key = versions_of(keyring, "answers")[version]
        return _Sealed(version, nonce, AESGCM(key).encrypt(nonce, plain, bound_to))

    def _open(self, bound_to: bytes, sealed: _Sealed) -> bytes | None:
        """Decrypt; `None` if it was sealed for another account or request, or changed since."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 - as above
            AESGCM,
        )

        key = versions_of(self._secrets.get(KEYRING), "answers").get(sealed.version)
        if key is None:
            raise ConfigurationError(f"no key of version '{sealed.version}' for stored answers")
        try:
            return AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, bound_to)
        except InvalidTag:
            return None


def _record_key(account_id: str, key_hash: str) -> Item:
    return {"pk": text(f"I#{account_id}"), "sk": text(key_hash)}


def _record_item(account_id: str, record: IdempotencyRecord, expires_at: int) -> Item:
    return {
        **_record_key(account_id, record.key_hash),
        "body": text(record.body_hash),
        "rid": text(record.rid),
        "made": number(record.made_ms),
        "exp": number(expires_at),
    }


def _record_of(item: Item) -> IdempotencyRecord:
    return IdempotencyRecord(
        key_hash=item["sk"]["S"],
        body_hash=item["body"]["S"],
        rid=item["rid"]["S"],
        made_ms=int(item["made"]["N"]),
    )


def _answer_key(account_id: str, rid: str) -> Item:
    return {"pk": text(f"R#{account_id}"), "sk": text(rid)}


def _object_key(account_id: str, rid: str) -> str:
    return f"answers/{account_id}/{rid}"


def _bound_to(account_id: str, rid: str) -> bytes:
    return f"answer|{account_id}|{rid}".encode()


def _packed(answer: StoredAnswer) -> bytes:
    head = json.dumps({"status": answer.status, "content_type": answer.content_type})
    return head.encode() + b"\n" + answer.body


def _unpacked(plain: bytes) -> StoredAnswer:
    head, _, body = plain.partition(b"\n")
    value = json.loads(head)
    return StoredAnswer(value["status"], value["content_type"], body)
