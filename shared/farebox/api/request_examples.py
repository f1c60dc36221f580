"""Chat requests and answers to learn from, in `/openapi.json` and `/docs`."""

from typing import Final

from farebox.api.schemas import Json

_ASK: Final[Json] = {"role": "user", "content": "Say hello in one word."}

CHAT_REQUESTS: Final[Json] = {
    "whole": {
        "summary": "An answer in one piece",
        "value": {"model": "gpt-4o-mini", "messages": [_ASK], "max_completion_tokens": 100},
    },
    "streamed": {
        "summary": "An answer as it is written, with its cost at the end",
        "value": {
            "model": "gpt-4o-mini",
            "messages": [_ASK],
            "stream": True,
            "stream_options": {"include_usage": True},
        },
    },
    "chosen": {
        "summary": "The cheapest model that will do",
        "value": {"model": "auto", "power_level": "eco", "messages": [_ASK]},
    },
    "tools": {
        "summary": "A function the model may ask for",
        "value": {
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": "How warm is it in Oslo?"}],
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "temperature_in",
                        "description": "The temperature in a city, in degrees Celsius.",
                        "parameters": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                            "required": ["city"],
                        },
                    },
                }
            ],
        },
    },
    "image": {
        "summary": "A question about an image",
        "value": {
            "model": "gpt-4o-mini",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is on this picture?"},
                        {
                            "type": "image_url",
                            "image_url": {"url": "https://images.example/cat.png", "detail": "low"},
                        },
                    ],
                }
            ],
        },
    },
}

CHAT_ANSWER: Final[Json] = {
    "id": "chatcmpl-CdG2vTq8yYw1",
    "object": "chat.completion",
    "created": 1_795_174_380,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello!", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 12,
        "completion_tokens": 2,
        "total_tokens": 14,
        "cost": 0.0000033,
        "cost_credits": 0.0033,
        "cost_nanousd": 3300,
    },
}
"""Priced for the professional tier: (12 x 0.15 + 2 x 0.60) USD a million, and 10 % on top."""

CHAT_STREAM: Final = (
    'data: {"id":"chatcmpl-CdG2vTq8yYw1","object":"chat.completion.chunk","created":1795174380,'
    '"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello!"},'
    '"finish_reason":null}],"usage":null}\n\n'
    'data: {"id":"chatcmpl-CdG2vTq8yYw1","object":"chat.completion.chunk","created":1795174380,'
    '"model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],'
    '"usage":null}\n\n'
    'data: {"id":"chatcmpl-CdG2vTq8yYw1","object":"chat.completion.chunk","created":1795174380,'
    '"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":2,'
    '"total_tokens":14,"cost":0.0000033,"cost_credits":0.0033,"cost_nanousd":3300}}\n\n'
    "data: [DONE]\n\n"
)
