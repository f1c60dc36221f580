"""Quotes: a true upper bound of what a chat can cost, computed before it runs.

The quote is the size of the hold, so it must never be exceeded: every byte of the prompt counts as
a token, every image as the largest, and the output as the cap the provider is sent.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from unicodedata import normalize

from farebox.domain.catalogue import Model, Price
from farebox.domain.errors import InvalidValue
from farebox.domain.meter import PRICE_SCALE, Usage, cost_nanousd, weight
from farebox.domain.tiers import PowerLevel, Tier, terms_of

USEFUL_CAP_TOKENS: Final = 16
"""A cap is never lowered below this: an answer cut shorter helps nobody and is paid for."""

_TOKENS_A_REQUEST: Final = 64
_TOKENS_A_MESSAGE: Final = 8
_TOKENS_A_TOOL: Final = 16
_TOKENS_FOR_TOOLS: Final = 768
"""Providers tell the model how to call tools, at the caller's cost.

The longest such text published is Anthropic's for Claude 3 Opus, 530 tokens:
https://docs.anthropic.com/en/docs/tool-use-pricing-and-tokens (2026-11-20).
"""

_INDENT: Final = 4
"""Spaces a level with which templates lay tools out, as vLLM's for Llama 3:

https://github.com/vllm-project/vllm/blob/main/examples/tool_chat_template_llama3.1_json.jinja
(2026-11-20).
"""


class Clamp(StrEnum):
    """What lowered an output cap below what the caller, or else the model, would have had."""

    MODEL = "model"
    TIER = "tier"
    MAX_COST = "max_cost"
    KEY_BUDGET = "key_budget"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a model, as far as it bears on the price."""

    model: Model
    price: Price
    prompt_bound_tokens: int
    power: PowerLevel
    tier: Tier
    requested_cap_tokens: int | None = None
    """Output a choice may have by the caller's own word; `None` when none was named."""
    choices: int = 1


@dataclass(frozen=True, slots=True)
class Quote:
    """The bound, and what it rests on: the provider must be sent the same cap and choices."""

    hold_nanousd: int
    prompt_bound_tokens: int
    output_cap_tokens: int
    """Of each choice."""
    choices: int
    price_version: str
    clamped_by: Clamp | None


def prompt_bound_tokens(body: Mapping[str, object], model: Model) -> int:
    """Bound the tokens a request's prompt can count as.

    A token of a byte-level vocabulary covers at least one byte, so the bytes of the whole body
    bound its text, with the spaces and lines a template may lay its JSON out in. Nothing longer
    than the model's context is ever processed. Images are counted apart, each as the largest, and
    their bytes are not looked at: there can be megabytes of them.

    Args:
        body: The request, checked: content other than text and images has been refused.
        model: The model asked; sets the context and what an image counts as.

    Raises:
        InvalidValue: The model reads no images, and there are some.
    """
    messages = [_without_images(message) for message in _items(body, "messages")]
    images = sum(shown for _, shown in messages)
    if images and model.image_tokens_max is None:
        raise InvalidValue(f"The model {model.id} does not read images.", param="messages")
    shown_body = {**body, "messages": [message for message, _ in messages]}
    in_text = _text_bound(shown_body, model.context_length) + len(messages) * _TOKENS_A_MESSAGE
    in_text += _tools_bound(body) + _TOKENS_A_REQUEST
    return min(in_text, model.context_length) + images * (model.image_tokens_max or 0)


def quote_chat(asked: Asked) -> Quote:
    """Quote a request at the output cap its caller named, else at the model's or the tier's.

    The meter never charges more for any usage within the prompt bound and the cap, cached tokens
    or not, for it is the meter that prices the worst of them.
    """
    cap_tokens, clamp = _cap(asked)
    return _at_cap(asked, cap_tokens, clamp)


def fit_to(asked: Asked, ceiling_nanousd: int, clamp: Clamp) -> Quote | None:
    """Quote a request within a ceiling, lowering the output cap as far as that takes.

    A cap the caller named is lowered only for `Clamp.MAX_COST`, which is the caller's word too.

    Args:
        asked: The request.
        ceiling_nanousd: The most the hold may be.
        clamp: Whose ceiling it is; said in the quote if it is what lowered the cap.

    Returns:
        `None` if the ceiling leaves no useful answer.
    """
    quote = quote_chat(asked)
    if quote.hold_nanousd <= ceiling_nanousd:
        return quote
    if asked.requested_cap_tokens is not None and clamp is not Clamp.MAX_COST:
        return None
    cap_tokens = _affordable_cap(asked, ceiling_nanousd)
    return None if cap_tokens < USEFUL_CAP_TOKENS else _at_cap(asked, cap_tokens, clamp)


def _cap(asked: Asked) -> tuple[int, Clamp | None]:
    most = min(asked.model.max_output_tokens, asked.model.context_length)
    wanted, clamp = asked.requested_cap_tokens, Clamp.MODEL
    if wanted is not None:
        return (most, clamp) if wanted > most else (wanted, None)
    of_tier = terms_of(asked.tier).output_cap_tokens
    return (of_tier, Clamp.TIER) if of_tier is not None and of_tier < most else (most, None)


def _at_cap(asked: Asked, cap_tokens: int, clamp: Clamp | None) -> Quote:
    worst = Usage(
        prompt_tokens=asked.prompt_bound_tokens,
        cached_tokens=0,
        completion_tokens=cap_tokens * asked.choices,
    )
    markup_percent = terms_of(asked.tier).markup_percent
    return Quote(
        hold_nanousd=cost_nanousd(worst, asked.price, asked.power, markup_percent),
        prompt_bound_tokens=asked.prompt_bound_tokens,
        output_cap_tokens=cap_tokens,
        choices=asked.choices,
        price_version=asked.price.version,
        clamped_by=clamp,
    )


def _affordable_cap(asked: Asked, ceiling_nanousd: int) -> int:
    """Give the largest cap whose hold is within the ceiling, negative if the prompt is not."""
    factor = weight(asked.power, terms_of(asked.tier).markup_percent)
    prompt = asked.prompt_bound_tokens * asked.price.input_nanousd_per_million * factor
    a_token = asked.choices * asked.price.output_nanousd_per_million * factor
    return (ceiling_nanousd * PRICE_SCALE - prompt) // a_token if a_token else -1


def _items(body: Mapping[str, object], field: str) -> list[object]:
    value = body.get(field)
    return value if isinstance(value, list) else []


def _without_images(message: object) -> tuple[object, int]:
    """Leave the image addresses out of a message; tell how many there were."""
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return message, 0
    parts = message["content"]
    text = [part for part in parts if not _is_image(part)]
    bare = [_without_address(part) for part in parts if _is_image(part)]
    return {**message, "content": text + bare}, len(bare)


def _is_image(part: object) -> bool:
    return isinstance(part, dict) and "image_url" in part


def _without_address(part: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in part.items() if name != "image_url"}


def _text_bound(body: Mapping[str, object], enough: int) -> int:
    """Bound the tokens of a JSON text, whatever spaces it is laid out with.

    Some tokenizers normalise first, which can make a text longer: Qwen's to NFC (up to threefold),
    Anthropic's to NFKC (up to elevenfold). So the longest form counts; from `enough` characters
    on, which are as many bytes at least, none needs to be made.

    https://github.com/anthropics/anthropic-tokenizer-typescript/blob/main/index.ts (2026-11-20).
    """
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    spaces = text.count(",") + text.count(":")
    if text.isascii() or len(text) >= enough:
        return len(text) + spaces
    forms = (text, normalize("NFC", text), normalize("NFKC", text))
    return max(len(form.encode("utf-8", "surrogatepass")) for form in forms) + spaces


def _tools_bound(body: Mapping[str, object]) -> int:
    """Bound what describing tools and schemas to the model adds to their JSON."""
    tools = _items(body, "tools") + _items(body, "functions")
    told = _TOKENS_FOR_TOOLS + len(tools) * _TOKENS_A_TOOL if tools else 0
    return told + sum(_indentation(each) for each in (*tools, body.get("response_format")))


def _indentation(value: object) -> int:
    """Count the bytes that laying a JSON value out over lines adds to it."""
    added, todo = 0, [(value, 0)]
    while todo:
        each, depth = todo.pop()
        inside = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        if inside:
            added += len(inside) * (1 + _INDENT * (depth + 1)) + 1 + _INDENT * depth
            todo += [(item, depth + 1) for item in inside if isinstance(item, (dict, list))]
    return added
