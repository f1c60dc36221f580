"""What runs without a request: the minute's sweep, and the queue of late settlements.

On AWS, EventBridge and SQS invoke the function by the events of the template; here two threads do,
with events of the same shape.
"""

import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from farebox.adapters.aws_credentials import credentials_from
from farebox.adapters.aws_json import HttpAwsJson
from farebox.adapters.aws_wire import SQS, AwsJson, AwsWireError, Endpoint, Json
from farebox.adapters.clock import SystemClock
from farebox.settings import read_settings

type Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any] | None]

_ACCOUNT: Final = "us-east-1:000000000000"
_SWEEP_EVERY_SECONDS: Final = 60.0
_BATCH: Final = 10
_WAIT_SECONDS: Final = 20
"""The longest a receive may wait: polling costs next to nothing."""
_PAUSE_SECONDS: Final = 5.0


class Context:
    """What Lambda tells a handler of its invocation, by the names Lambda gives it."""

    memory_limit_in_mb = 256

    def __init__(self, function_name: str, timeout_seconds: int) -> None:
        self.function_name = function_name
        self.invoked_function_arn = f"arn:aws:lambda:{_ACCOUNT}:function:{function_name}"
        self.aws_request_id = str(uuid.uuid4())
        self._deadline = time.monotonic() + timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Give what is left of the timeout."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class Function:
    """A function that events invoke, one at a time as in one environment.

    Args:
        name: Its folder below functions/.
        handler: Its handler.
        timeout_seconds: What it is told to have; nothing ends it here.
    """

    def __init__(self, name: str, handler: Handler, timeout_seconds: int) -> None:
        self._name = name
        self._handler = handler
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()

    def invoke(self, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Invoke once; `None` says that it failed, and the next time will be another try."""
        context = Context(self._name, self._timeout_seconds)
        try:
            with self._lock:
                return self._handler(event, context) or {}
        except Exception:  # noqa: BLE001 - as on Lambda, a failed invocation ends nothing else
            traceback.print_exc(file=sys.stderr)
            return None


class Queue:
    """A queue that feeds a function.

    Args:
        sqs: Where it is.
        url: Which one.
    """

    def __init__(self, sqs: AwsJson, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def deliver(self, function: Function) -> None:
        """Wait for messages and invoke the function with them; delete what it did not fail on.

        Raises:
            AwsWireError: The queue did not answer; messages come again.
        """
        wanted = {
            "QueueUrl": self._url,
            "MaxNumberOfMessages": _BATCH,
            "WaitTimeSeconds": _WAIT_SECONDS,
            "AttributeNames": ["All"],
        }
        messages = self._sqs.call("ReceiveMessage", wanted).get("Messages", [])
        if not messages:
            return
        answer = function.invoke({"Records": [self._record(message) for message in messages]})
        if answer is None:
            return
        failed = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures", ())}
        for message in messages:
            if message["MessageId"] not in failed:
                receipt = {"QueueUrl": self._url, "ReceiptHandle": message["ReceiptHandle"]}
                self._sqs.call("DeleteMessage", receipt)

    def _record(self, message: Json) -> Json:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "md5OfBody": message.get("MD5OfBody", ""),
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:{_ACCOUNT}:{self._url.rpartition('/')[2]}",
            "awsRegion": "us-east-1",
        }


def start_schedules(function: Function) -> None:
    """Sweep every minute and consume the queue, on threads that end with the process."""
    settings = read_settings()
    clock = SystemClock()
    endpoint = Endpoint(
        settings.region, settings.endpoint_url(SQS.setting), read_seconds=_WAIT_SECONDS + 10
    )
    credentials = credentials_from(settings.environment, clock)
    queue = Queue(HttpAwsJson(SQS, endpoint, credentials, clock), settings.settlements_queue_url)
    threading.Thread(target=_sweep, args=(function,), daemon=True).start()
    threading.Thread(target=_consume, args=(queue, function), daemon=True).start()


def _sweep(function: Function) -> None:
    while True:
        function.invoke({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})
        time.sleep(_SWEEP_EVERY_SECONDS)


def _consume(queue: Queue, function: Function) -> None:
    while True:
        try:
            queue.deliver(function)
        except AwsWireError:
            time.sleep(_PAUSE_SECONDS)
