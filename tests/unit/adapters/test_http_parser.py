"""An answer is the same however its bytes are cut, and nothing that is not one passes for one."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.adapters.http_parser import AnswerParser, MalformedAnswer

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
WIKI = b"4\r\nWiki\r\n7;name=value\r\npedia i\r\nB\r\nn \r\nchunks.\r\n0\r\nTrailer: x\r\n\r\n"


def fed(*pieces: bytes) -> tuple[AnswerParser, bytes]:
    """Feed a parser, and give it with the body that came out."""
    parser = AnswerParser()
    return parser, b"".join([parser.feed(piece) for piece in pieces])


class TestBody:
    @pytest.mark.parametrize(
        ("answer", "body"),
        [
            (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
            (OK + b"content-length: 0\r\n\r\n", b""),
            (CHUNKED + WIKI, b"Wikipedia in \r\nchunks."),
            (OK + b"Transfer-Encoding: Chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", b""),
            (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
            (b"HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n", b""),
            (b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED + WIKI, b"Wikipedia in \r\nchunks."),
        ],
    )
    def test_ends_where_its_head_says(self, answer: bytes, body: bytes) -> None:
        parser, got = fed(answer)

        assert got == body
        assert parser.is_whole
        assert parser.keeps_open

    @given(st.lists(st.integers(0, len(CHUNKED + WIKI)), max_size=12))
    def test_is_the_same_however_it_is_cut(self, cuts: list[int]) -> None:
        answer = CHUNKED + WIKI
        edges = [0, *sorted(cuts), len(answer)]
        pieces = [answer[start:end] for start, end in itertools.pairwise(edges)]

        parser, got = fed(*pieces)

        assert got == b"Wikipedia in \r\nchunks."
        assert parser.keeps_open

    def test_comes_out_as_it_comes_in(self) -> None:
        parser = AnswerParser()

        parts = [parser.feed(each) for each in (CHUNKED, b"5\r\nhel", b"lo\r\n", b"2\r\n, \r\n0")]

        assert parts == [b"", b"hel", b"lo", b", "]
        assert not parser.is_whole

    def test_without_a_length_lasts_as_long_as_the_connection(self) -> None:
        parser, got = fed(OK + b"\r\nhel", b"lo")
        before = parser.is_whole

        parser.end()

        assert got == b"hello"
        assert not before
        assert parser.is_whole
        assert not parser.keeps_open


class TestHead:
    def test_is_there_once_it_is_whole(self) -> None:
        parser, _ = fed(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n")
        before = parser.status

        parser.feed(b"\r\n")

        assert before == 0
        assert parser.status == 429
        assert parser.header("retry-after") == "7"
        assert parser.header("Retry-After") == "7"
        assert parser.header("Date") is None

    @pytest.mark.parametrize(
        "head",
        [
            b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
            OK + b"Content-Length: 0\r\nConnection: Close\r\n\r\n",
            OK + b"Content-Length: 2\r\n\r\nok, and more",
            CHUNKED + b"0\r\n\r\nmore",
        ],
    )
    def test_or_a_surplus_forbids_another_exchange(self, head: bytes) -> None:
        parser, _ = fed(head)

        assert parser.is_whole
        assert not parser.keeps_open


class TestRefusal:
    @pytest.mark.parametrize(
        "answer",
        [
            b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
            b"HTTP/2 200\r\n\r\n",
            OK + b"Content-Length: -1\r\n\r\n",
            OK + b"Content-Length: five\r\n\r\n",
            OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
            CHUNKED + b"hello\r\n",
            CHUNKED + b"-5\r\nhello\r\n",
            CHUNKED + b"\r\n",
            CHUNKED + b"5\r\nhello, world\r\n",
            CHUNKED + b"5" * 8_193,
            OK + b"x" * 65_537,
        ],
    )
    def test_of_what_is_not_an_answer(self, answer: bytes) -> None:
        parser = AnswerParser()

        with pytest.raises(MalformedAnswer):
            parser.feed(answer)

    @pytest.mark.parametrize(
        "answer",
        [b"", OK, OK + b"Content-Length: 5\r\n\r\nhell", CHUNKED, CHUNKED + b"5\r\nhello\r\n0\r\n"],
    )
    def test_of_an_end_before_the_end(self, answer: bytes) -> None:
        parser, _ = fed(answer)

        with pytest.raises(MalformedAnswer):
            parser.end()
