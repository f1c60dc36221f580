"""Every minute, give back what expired; every hour, look at a 24th of all; work off the queue.

The queue has settlements that the store once would not take. All of it runs the same idempotent
steps as a request does, so running twice, late or at once is harmless.
"""

from collections.abc import Mapping

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from farebox.bootstrap.sweep_holds import build

services = build()
processor = BatchProcessor(event_type=EventType.SQS)


def finish(record: SQSRecord) -> None:
    """Run the steps of one queued settlement to their end."""
    services.ledger.finish_queued(services.read_message(record.body))


def handler(
    event: Mapping[str, object], context: LambdaContext
) -> PartialItemFailureResponse | dict[str, int]:
    """Work off queued settlements, or sweep; tell which messages failed, or what was swept."""
    if "Records" in event:
        return process_partial_response(
            event=dict(event), record_handler=finish, processor=processor, context=context
        )
    ledger = services.ledger
    sweep = ledger.sweep_part_of_the_hour() if event.get("scan") else ledger.sweep_due()
    services.telemetry.swept(accounts=sweep.accounts, holds=sweep.holds, failed=sweep.failed)
    return {"accounts": sweep.accounts, "holds": sweep.holds, "failed": sweep.failed}
