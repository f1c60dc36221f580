import json

import pytest

from farebox.runtime.prelude import PreludeTooLarge, encode_error, encode_prelude


class TestEncodePrelude:
    def test_it_is_json_and_eight_nul_bytes(self) -> None:
        prelude = encode_prelude(200, [(b"Content-Type", b"text/event-stream")])

        assert prelude == (
            b'{"statusCode": 200, "headers": {"content-type": "text/event-stream"}}\0\0\0\0\0\0\0\0'
        )

    def test_repeated_names_and_cookies_have_places_of_their_own(self) -> None:
        prelude = encode_prelude(
            200,
            [
                (b"vary", b"Origin"),
                (b"Vary", b"Accept"),
                (b"set-cookie", b"a=1; HttpOnly"),
                (b"x-request-id", b"r1"),
            ],
        )

        assert json.loads(prelude[:-8]) == {
            "statusCode": 200,
            "headers": {"x-request-id": "r1"},
            "multiValueHeaders": {"vary": ["Origin", "Accept"]},
            "cookies": ["a=1; HttpOnly"],
        }

    def test_a_header_cannot_forge_the_delimiter(self) -> None:
        prelude = encode_prelude(200, [(b"x-name", bytes(8) + b"forged")])

        assert prelude.index(bytes(8)) == len(prelude) - 8

    def test_text_beyond_ascii_survives(self) -> None:
        prelude = encode_prelude(200, [(b"x-name", "café".encode("latin-1"))])

        assert prelude.isascii()
        assert json.loads(prelude[:-8])["headers"] == {"x-name": "café"}

    @pytest.mark.parametrize(
        ("status", "headers"),
        [
            (200, {"content-length": "0"}),
            (302, {"content-length": "0"}),
            (204, {}),
            (304, {}),
        ],
    )
    def test_an_empty_answer_says_so_where_a_body_could_follow(
        self, status: int, headers: dict[str, str]
    ) -> None:
        prelude = encode_prelude(status, [], empty=True)

        assert json.loads(prelude[:-8])["headers"] == headers

    def test_an_answer_that_gives_its_own_length_keeps_it(self) -> None:
        prelude = encode_prelude(200, [(b"content-length", b"12")], empty=True)

        assert json.loads(prelude[:-8])["headers"] == {"content-length": "12"}

    def test_it_may_take_sixteen_kibibytes_and_no_more(self) -> None:
        frame = len(encode_prelude(200, [(b"x", b"")]))

        largest = encode_prelude(200, [(b"x", b"h" * (16_384 - frame))])

        assert len(largest) == 16_384
        with pytest.raises(PreludeTooLarge):
            encode_prelude(200, [(b"x", b"h" * (16_385 - frame))])


class TestEncodeError:
    def test_it_is_a_whole_answer_in_the_openai_envelope(self) -> None:
        prelude, body = encode_error(400, "invalid_request_error", "invalid_event", "No.", "id-1")

        assert json.loads(prelude[:-8]) == {
            "statusCode": 400,
            "headers": {"content-type": "application/json", "x-request-id": "id-1"},
        }
        assert json.loads(body) == {
            "error": {
                "message": "No.",
                "type": "invalid_request_error",
                "param": None,
                "code": "invalid_event",
            }
        }
