import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.domain.sse import (
    MAX_EVENT_BYTES,
    EventSplitter,
    EventTooLargeError,
    data_of,
    encode_event,
)

TRANSCRIPT = (
    b": OPENROUTER PROCESSING\n\n"
    b'data: {"choices":[{"delta":{"content":"Gr\xc3\xbc\xc3\x9fe"}}]}\n\n'
    b'event: message\ndata: {"a":\ndata: 1}\n\n'
    b"\n"
    b"data: [DONE]\n\n"
)
ITS_DATA = [
    None,
    b'{"choices":[{"delta":{"content":"Gr\xc3\xbc\xc3\x9fe"}}]}',
    b'{"a":\n1}',
    b"[DONE]",
]


def split(*chunks: bytes) -> list[bytes | None]:
    """Give the data of all events, those of the rest included."""
    splitter = EventSplitter()
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    rest = splitter.rest()
    return [data_of(event) for event in [*events, *([rest] if rest else [])]]


class TestSplitting:
    @pytest.mark.parametrize("position", range(len(TRANSCRIPT) + 1))
    def test_where_a_chunk_ends_makes_no_difference(self, position: int) -> None:
        assert split(TRANSCRIPT[:position], TRANSCRIPT[position:]) == ITS_DATA

    @pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
    @pytest.mark.parametrize("position", range(len(TRANSCRIPT) + 12))
    def test_nor_do_line_ends_of_another_kind(self, line_end: bytes, position: int) -> None:
        text = TRANSCRIPT.replace(b"\n", line_end)

        assert split(text[:position], text[position:]) == ITS_DATA

    def test_bytes_may_come_one_by_one(self) -> None:
        text = TRANSCRIPT.replace(b"\n", b"\r\n")

        assert split(*[bytes([each]) for each in text]) == ITS_DATA

    @given(
        st.lists(st.integers(0, len(TRANSCRIPT)), max_size=8),
        st.sampled_from([b"\n", b"\r\n", b"\r"]),
    )
    def test_nor_does_any_number_of_splits(self, places: list[int], line_end: bytes) -> None:
        text = TRANSCRIPT.replace(b"\n", line_end)
        edges = [0, *sorted(places), len(text)]
        chunks = [text[a:b] for a, b in pairwise(edges)]

        assert split(*chunks) == ITS_DATA

    def test_an_event_is_given_as_soon_as_its_blank_line_is_there(self) -> None:
        splitter = EventSplitter()

        before = splitter.feed(b"data: 1\n")
        after = splitter.feed(b"\ndata: 2")

        assert before == []
        assert after == [b"data: 1"]

    def test_what_lacks_its_blank_line_is_the_rest_and_given_once(self) -> None:
        splitter = EventSplitter()
        splitter.feed(b"data: 1\n\ndata: [DONE]\r\n")

        assert splitter.rest() == b"data: [DONE]"
        assert splitter.rest() == b""

    def test_an_event_without_end_is_given_up(self) -> None:
        splitter = EventSplitter()
        splitter.feed(b"data: " + b"x" * (MAX_EVENT_BYTES - 6))

        with pytest.raises(EventTooLargeError):
            splitter.feed(b"x")

    def test_many_small_events_are_no_large_one(self) -> None:
        event = b"data: " + b"x" * 1_000_000 + b"\n\n"

        assert len(EventSplitter().feed(event * 20)) == 20


class TestData:
    @pytest.mark.parametrize(
        ("event", "data"),
        [
            (b"data: 1", b"1"),
            (b"data:1", b"1"),
            (b"data:  1 ", b"1"),
            (b"data:", b""),
            (b": ping", None),
            (b"event: ping", None),
            (b"id: 7\ndata: 1\nretry: 3", b"1"),
            (b"data: a\ndata:b\ndata:  c", b"a\nb\n c"),
            (b"database: 1", None),
        ],
    )
    def test_the_data_is_what_its_lines_say(self, event: bytes, data: bytes | None) -> None:
        assert data_of(event) == data


class TestEncoding:
    def test_an_event_is_compact_and_in_utf_8(self) -> None:
        assert encode_event({"a": [1, "ü"]}) == b'data: {"a":[1,"\xc3\xbc"]}\n\n'

    def test_half_a_surrogate_pair_is_escaped_and_comes_back(self) -> None:
        event = encode_event({"a": "\ud83d"})

        assert json.loads(event.removeprefix(b"data: ")) == {"a": "\ud83d"}
