"""A provider in memory: answers what a test scripts, at the pace of the fake clock."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from farebox.domain.errors import ProviderFailed, ProviderTimedOut
from tests.fakes.clock import FakeClock

type Step = bytes | float | BaseException | Callable[[], object]
"""Bytes that arrive, seconds of silence, how it breaks, or what happens elsewhere meanwhile."""


@dataclass
class Script:
    """One scripted answer."""

    steps: Sequence[Step]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    before_start_seconds: float = 0.0
    breaks_before_start: BaseException | None = None
    refuses_connection: bool = False


class FakeReply:
    """Plays a script."""

    def __init__(self, script: Script, clock: FakeClock) -> None:
        self._script = script
        self._clock = clock
        self._waiting_seconds = script.before_start_seconds
        self._steps = iter(script.steps)
        self.closed = False

    def started(self, patience_seconds: float) -> bool:
        self._clock.sleep(min(patience_seconds, self._waiting_seconds))
        self._waiting_seconds = max(0.0, self._waiting_seconds - patience_seconds)
        if self._waiting_seconds == 0.0 and self._script.breaks_before_start is not None:
            raise self._script.breaks_before_start
        return self._waiting_seconds == 0.0

    @property
    def status(self) -> int:
        return self._script.status

    def header(self, name: str) -> str | None:
        headers = {each.lower(): value for each, value in self._script.headers.items()}
        return headers.get(name.lower())

    def chunks(self, patience_seconds: float) -> Iterator[bytes | None]:
        for step in self._steps:
            match step:
                case bytes():
                    yield step
                case BaseException():
                    raise step
                case float() | int():
                    yield from self._silence(step, patience_seconds)
                case _:
                    step()

    def close(self) -> None:
        self.closed = True

    def _silence(self, seconds: float, patience_seconds: float) -> Iterator[None]:
        while seconds > 0:
            self._clock.sleep(min(seconds, patience_seconds))
            seconds -= patience_seconds
            if seconds >= 0:
                yield None


class FakeChatProvider:
    """Answers requests with the scripts it was given, in order; remembers what it was sent."""

    def __init__(
        self, clock: FakeClock, scripts: Sequence[Script], configured: frozenset[str] | None = None
    ) -> None:
        self._clock = clock
        self._scripts = list(scripts)
        self._configured = configured
        self.sent: list[tuple[str, Mapping[str, object]]] = []
        self.replies: list[FakeReply] = []
        self.on_send: Callable[[], object] = lambda: None
        """What happens elsewhere just before a request is sent."""

    def script(self, *scripts: Script) -> None:
        """Add answers for the requests after those that are scripted."""
        self._scripts += scripts

    def is_configured(self, provider: str) -> bool:
        return self._configured is None or provider in self._configured

    def send_chat(self, provider: str, body: Mapping[str, object]) -> FakeReply:
        self.on_send()
        self.sent.append((provider, json.loads(json.dumps(body))))
        script = self._scripts.pop(0)
        if script.refuses_connection:
            raise ProviderFailed("no connection")
        self.replies.append(FakeReply(script, self._clock))
        return self.replies[-1]


CUT = ProviderFailed("The connection was cut.")
SILENCE = ProviderTimedOut("silent for too long")


def chunk(
    content: str = "", *, finish: str | None = None, usage: object = None, choices: bool = True
) -> bytes:
    """Make one event of a streamed answer."""
    value: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [],
    }
    if choices:
        delta = {"content": content} if content else {}
        value["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
    if usage is not None:
        value["usage"] = usage
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def usage(prompt: int, completion: int, cached: int = 0) -> dict[str, object]:
    """Make a usage object as OpenAI reports it."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


DONE = b"data: [DONE]\n\n"


def whole(content: str = "Paris.", used: object = None) -> bytes:
    """Make a whole answer."""
    value: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content},
                "finish_reason": "stop",
            }
        ],
    }
    if used is not None:
        value["usage"] = used
    return json.dumps(value).encode()
