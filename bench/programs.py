"""What is measured: our functions, the bare runtimes beside them, and what was decided against."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Program:
    """A function, by the template's words."""

    name: str
    handler: str
    folder: str = "."
    """Its CodeUri."""
    streams: bool = False
    """Whether it runs on our loop; else on awslambdaric."""


EMPTY: Final = Program("awslambdaric, an empty function", "bench/apps/buffered.handler")
EMPTY_STREAMED: Final = Program(
    "our loop, an empty function", "bench/apps/streamed.app", streams=True
)
CALL: Final = Program("awslambdaric, one upstream call", "bench/apps/buffered_call.handler")
CALL_STREAMED: Final = Program(
    "our loop, one upstream call", "bench/apps/streamed_call.app", streams=True
)
CHAT: Final = Program("chat", "handler.app", "functions/chat", streams=True)
OTHERS: Final = tuple(
    Program(name, "handler.handler", f"functions/{name}")
    for name in ("credits", "account", "system", "sweep_holds")
)
VARIANTS: Final = (
    Program("chat over Starlette", "bench/apps/chat_starlette.app", streams=True),
    Program("chat over FastAPI", "bench/apps/chat_fastapi.app", streams=True),
    Program("chat with boto3 for DynamoDB", "bench/apps/chat_boto.app", streams=True),
)
HELLO: Final = Program("FastAPI + Mangum, no work", "bench/apps/fastapi_hello.handler")
