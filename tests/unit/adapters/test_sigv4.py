"""Signatures: AWS's published examples, and botocore as an oracle for everything else."""

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from farebox.adapters.aws_credentials import Credentials
from farebox.adapters.sigv4 import Signer, signing_key

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE_TIME_MS = 1_440_938_160_000
SUITE_HOST = {"host": "example.amazonaws.com"}
SUITE_TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfI"
    "eoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0"
    "wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDry"
    "pNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)


def test_the_documented_key_is_derived() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html."""
    key = signing_key(SECRET, "20150830", "us-east-1", "iam")

    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


@pytest.mark.parametrize(
    ("headers", "body", "token", "signed", "signature"),
    [
        pytest.param(
            SUITE_HOST,
            b"",
            None,
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            id="post-vanilla",
        ),
        pytest.param(
            {**SUITE_HOST, "my-header1": "value1"},
            b"",
            None,
            "host;my-header1;x-amz-date",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            id="post-header-key-sort",
        ),
        pytest.param(
            {"content-type": "application/x-www-form-urlencoded", **SUITE_HOST},
            b"Param1=value1",
            None,
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            id="post-x-www-form-urlencoded",
        ),
        pytest.param(
            SUITE_HOST,
            b"",
            SUITE_TOKEN,
            "host;x-amz-date;x-amz-security-token",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            id="post-sts-header-before",
        ),
    ],
)
def test_the_published_test_suite_is_signed_as_published(
    headers: dict[str, str], body: bytes, token: str | None, signed: str, signature: str
) -> None:
    signer = Signer("us-east-1", "service")

    complete = signer.sign(headers, body, Credentials("AKIDEXAMPLE", SECRET, token), SUITE_TIME_MS)

    assert complete["x-amz-date"] == "20150830T123600Z"
    assert complete["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={signed}, Signature={signature}"
    )


@given(
    body=st.binary(max_size=200),
    token=st.none() | st.text("abcXYZ019+/=", min_size=1, max_size=40),
    operation=st.sampled_from(["GetItem", "UpdateItem", "TransactWriteItems"]),
    now_ms=st.integers(min_value=0, max_value=4_102_444_800_000),
)
def test_botocore_signs_the_same(
    body: bytes, token: str | None, operation: str, now_ms: int
) -> None:
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": "dynamodb.eu-central-1.amazonaws.com",
        "x-amz-target": f"DynamoDB_20120810.{operation}",
    }

    complete = Signer("eu-central-1", "dynamodb").sign(
        headers, body, Credentials("AKID", SECRET, token), now_ms
    )

    unsigned = {name: complete[name] for name in complete if name != "authorization"}
    request = AWSRequest("POST", f"https://{headers['host']}/", headers=unsigned, data=body)
    request.context["timestamp"] = complete["x-amz-date"]
    oracle = SigV4Auth(BotoCredentials("AKID", SECRET, token), "dynamodb", "eu-central-1")
    to_sign = oracle.string_to_sign(request, oracle.canonical_request(request))
    assert complete["authorization"].endswith(f"Signature={oracle.signature(to_sign, request)}")


def test_a_kept_key_gives_way_to_the_next_day_and_to_new_credentials() -> None:
    kept = Signer("us-east-1", "service")
    days_and_secrets = [(0, "one"), (86_400_000, "one"), (86_400_000, "two"), (0, "one")]

    reused = [
        kept.sign(SUITE_HOST, b"", Credentials("AKID", secret), now_ms)["authorization"]
        for now_ms, secret in days_and_secrets
    ]

    fresh = [
        Signer("us-east-1", "service").sign(SUITE_HOST, b"", Credentials("AKID", secret), now_ms)
        for now_ms, secret in days_and_secrets
    ]
    assert reused == [each["authorization"] for each in fresh]
    assert len(set(reused)) == 3
