"""The simulator's token count: four bytes of UTF-8 a token, at least one; an image is 85.

A real tokenizer would cost a dependency and prove nothing: what matters is that caps, usage and
stream chunks agree with each other, and anybody can recompute the figure in their head.
"""

import json
import math
from itertools import pairwise

from local.simulator.chat_request import ChatRequest, Message

BYTES_PER_TOKEN = 4
IMAGE_TOKENS = 85
CACHE_THRESHOLD_TOKENS = 1024
CACHE_STEP_TOKENS = 128


def count(text: str) -> int:
    """Count the tokens of a text, rounding up; an empty text counts 1."""
    return max(1, math.ceil(size_bytes(text) / BYTES_PER_TOKEN))


def size_bytes(text: str) -> int:
    """Measure a text in bytes of UTF-8."""
    return len(_encoded(text))


def pieces(text: str) -> list[str]:
    """Cut a text into its tokens; joined they give the text again, an empty text has none.

    A character that straddles a four-byte boundary belongs to the later token.
    """
    data = _encoded(text)
    ends = [_boundary(data, end) for end in range(0, len(data) + BYTES_PER_TOKEN, BYTES_PER_TOKEN)]
    return [data[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(ends)]


def clip(text: str, tokens: int) -> str:
    """Keep the first `tokens` tokens of a text."""
    return "".join(pieces(text)[:tokens])


def prompt_tokens(request: ChatRequest) -> int:
    """Count what the request sends: every message, then the tools if there are any."""
    tools = [tool.model_dump(mode="json") for tool in request.tools or ()]
    declared = count(json.dumps(tools, default=str)) if tools else 0
    return sum(map(message_tokens, request.messages)) + declared


def cached_prompt_tokens(request: ChatRequest) -> int:
    """Count the prompt tokens reported as read from the provider's cache.

    As at OpenAI, prompts under 1,024 tokens are never cached and hits come in steps of 128
    (https://developers.openai.com/api/docs/guides/prompt-caching, as of 2026-06). All but the
    last message is taken as seen before, since an answer must not depend on earlier requests.
    """
    if prompt_tokens(request) < CACHE_THRESHOLD_TOKENS:
        return 0
    before = sum(map(message_tokens, request.messages[:-1]))
    return before // CACHE_STEP_TOKENS * CACHE_STEP_TOKENS


def message_tokens(message: Message) -> int:
    """Count one message: its text, its images and the tool calls it repeats."""
    calls = (call.function for call in message.tool_calls or () if call.function)
    repeated = sum(count(call.name) + count(call.arguments) for call in calls)
    return count(message.text) + IMAGE_TOKENS * message.images + repeated


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _boundary(data: bytes, end: int) -> int:
    end = min(end, len(data))
    while 0 < end < len(data) and data[end] & 0xC0 == 0x80:  # noqa: PLR2004 (UTF-8 continuation)
        end -= 1
    return end
