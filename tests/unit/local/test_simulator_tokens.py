from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.chat_request import ChatRequest
from local.simulator.tokens import cached_prompt_tokens, clip, count, pieces, prompt_tokens


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 1), ("a", 1), ("abcd", 1), ("abcde", 2), ("é" * 4, 2), ("🙂🙂", 2)]
)
def test_a_token_is_four_bytes_and_every_text_counts_at_least_one(text: str, tokens: int) -> None:
    assert count(text) == tokens


@given(st.text(st.characters()))
def test_the_pieces_of_a_text_make_it_up_again_and_are_as_many_as_its_tokens(text: str) -> None:
    cut = pieces(text)

    assert "".join(cut) == text
    assert len(cut) == (count(text) if text else 0)


@given(st.text(), st.integers(0, 20))
def test_a_clipped_text_never_has_more_tokens_than_allowed(text: str, tokens: int) -> None:
    assert len(pieces(clip(text, tokens))) <= tokens


def test_an_image_counts_85_tokens_beside_the_text() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "What is it?"}, picture, picture]

    request = _request([{"role": "user", "content": content}])

    assert prompt_tokens(request) == 3 + 85 + 85


def test_declared_tools_count() -> None:
    messages = [{"role": "user", "content": "abcd"}]
    plain = _request(messages)

    with_tool = plain.model_validate(
        {
            "model": "gpt-4o",
            "messages": messages,
            "tools": [{"type": "function", "function": {"name": "f"}}],
        }
    )

    assert prompt_tokens(plain) == 1
    assert prompt_tokens(with_tool) > 10


def test_a_long_conversation_is_cached_up_to_its_last_message_in_steps_of_128() -> None:
    earlier = {"role": "user", "content": "a" * 4 * 1100}
    last = {"role": "user", "content": "abcd"}

    assert cached_prompt_tokens(_request([earlier, last])) == 1024
    assert cached_prompt_tokens(_request([last, last])) == 0


def _request(messages: Sequence[Mapping[str, object]]) -> ChatRequest:
    return ChatRequest.model_validate({"model": "gpt-4o", "messages": messages})
