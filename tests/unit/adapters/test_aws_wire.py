"""Where a service is, and what its errors mean."""

import pytest

from farebox.adapters.aws_wire import DYNAMODB, SECRETS_MANAGER, AwsError, Endpoint, JsonService


@pytest.mark.parametrize(
    ("service", "url"),
    [
        (DYNAMODB, "https://dynamodb.eu-central-1.amazonaws.com"),
        (SECRETS_MANAGER, "https://secretsmanager.eu-central-1.amazonaws.com"),
    ],
)
def test_a_service_is_found_in_its_region(service: JsonService, url: str) -> None:
    assert Endpoint("eu-central-1").url_of(service) == url


def test_another_url_stands_for_every_service() -> None:
    endpoint = Endpoint("eu-central-1", "http://127.0.0.1:4566")

    assert endpoint.url_of(DYNAMODB) == "http://127.0.0.1:4566"


@pytest.mark.parametrize(
    ("error", "conflict", "unavailable"),
    [
        (AwsError("TransactionConflictException", "", 400), True, False),
        (
            AwsError("TransactionCanceledException", "", 400, reasons=("TransactionConflict",)),
            True,
            False,
        ),
        (
            AwsError(
                "TransactionCanceledException", "", 400, reasons=("ProvisionedThroughputExceeded",)
            ),
            False,
            True,
        ),
        (AwsError("ProvisionedThroughputExceededException", "", 400), False, True),
        (AwsError("RequestLimitExceeded", "", 400), False, True),
        (AwsError("InternalServerError", "", 500), False, True),
        (AwsError("Http502", "", 502), False, True),
        (AwsError("ConditionalCheckFailedException", "", 400), False, False),
        (AwsError("ValidationException", "", 400), False, False),
    ],
)
def test_errors_are_told_apart(error: AwsError, conflict: bool, unavailable: bool) -> None:
    assert error.is_conflict is conflict
    assert error.is_unavailable is unavailable
