"""A provider that answers at once: `python -m bench.mock_upstream SECONDS`, a process of its own.

It prints its port and serves chat completions until its standard input ends. A streamed answer is
twenty events that many seconds apart; the first one says when it left.
"""

import asyncio
import json
import sys
import time
from functools import partial
from typing import Final

CHUNKS: Final = 20
SENT_AT: Final = "sent_at_seconds"
"""The field of the first event: `time.perf_counter`, which all processes of a machine share."""

_MODEL: Final = "gpt-4o-mini-2024-07-18"
_USAGE: Final = {
    "prompt_tokens": 24,
    "completion_tokens": CHUNKS,
    "total_tokens": 24 + CHUNKS,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
_STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
)
_USUAL_HEADERS: Final = (
    b"Date: Fri, 20 Nov 2026 11:00:00 GMT\r\n"
    b"Connection: keep-alive\r\n"
    b"access-control-expose-headers: X-Request-ID\r\n"
    b"openai-organization: user-mock\r\n"
    b"openai-processing-ms: 401\r\n"
    b"openai-version: 2020-10-01\r\n"
    b"x-ratelimit-limit-requests: 10000\r\n"
    b"x-ratelimit-limit-tokens: 2000000\r\n"
    b"x-ratelimit-remaining-requests: 9999\r\n"
    b"x-ratelimit-remaining-tokens: 1999975\r\n"
    b"x-ratelimit-reset-requests: 6ms\r\n"
    b"x-ratelimit-reset-tokens: 0s\r\n"
    b"x-request-id: req_0123456789abcdef0123456789abcdef\r\n"
    b"strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Server: mock\r\n"
)
"""About as many as a real provider sends: reading them is part of a request's cost."""


def _whole_answer() -> bytes:
    message = {"role": "assistant", "content": "word " * CHUNKS, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = json.dumps(_envelope("chat.completion", [choice]) | {"usage": _USAGE}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    return head + _USUAL_HEADERS + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _events() -> list[bytes]:
    """Give the events after the first one, the usage and the end among them."""
    events = [_delta({"content": "word "}) for _ in range(CHUNKS - 2)]
    events.append(_delta({}, finish="stop"))
    usage = _envelope("chat.completion.chunk", []) | {"usage": _USAGE}
    last = _event(usage) + b"data: [DONE]\n\n"
    return [*map(_chunk, [*events[:-1], events[-1] + last]), b"0\r\n\r\n"]


def _first_event() -> bytes:
    delta = {"role": "assistant", "content": "word "}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    envelope = _envelope("chat.completion.chunk", [choice])
    return _chunk(_event(envelope | {SENT_AT: time.perf_counter()}))


def _delta(delta: object, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _event(_envelope("chat.completion.chunk", [choice]))


def _envelope(kind: str, choices: list[dict[str, object]]) -> dict[str, object]:
    return {
        "id": "chatcmpl-ABCDEFGHIJKLMNOPQRSTUVWXYZ012",
        "object": kind,
        "created": 1795172400,
        "model": _MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
        "choices": choices,
    }


def _event(value: object) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_WHOLE: Final = _whole_answer()
_REST: Final = _events()


async def serve(
    pause_seconds: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the requests of one connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            if b'"stream":true' in body:
                await _stream(pause_seconds, writer)
            else:
                writer.write(_WHOLE)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _stream(pause_seconds: float, writer: asyncio.StreamWriter) -> None:
    writer.write(_STREAM_HEAD + _USUAL_HEADERS + b"\r\n" + _first_event())
    for event in _REST[:-1]:
        await asyncio.sleep(pause_seconds)
        writer.write(event)
    writer.write(_REST[-1])


async def main(pause_seconds: float) -> None:
    """Serve until standard input ends."""
    server = await asyncio.start_server(partial(serve, pause_seconds), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
