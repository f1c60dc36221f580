import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.domain.json_text import NESTING_MAX, decode_json, encode_json

ANY_TEXT = st.text(st.characters(exclude_categories=[]))
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=20,
)


class TestDecoding:
    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"{",
            b"\xff\xfe\xfd",
            b'{"a":NaN}',
            b'{"a":[Infinity]}',
            b"-Infinity",
            b"1e999",
            b'{"a":-1e400}',
            b"9" * 5_000,
            b"[" * 10_000 + b"]" * 10_000,
            b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
            b"[" * 9_997 + b"]" * 9_997,
        ],
        ids=lambda text: repr(text[:12]),
    )
    def test_what_is_no_json_or_could_not_be_written_again_is_refused(self, text: bytes) -> None:
        with pytest.raises(ValueError, match=r"."):
            decode_json(text)

    @pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
    def test_nesting_is_refused_beyond_its_limit(self, opening: bytes, closing: bytes) -> None:
        most = opening * (NESTING_MAX - 1) + b"[]" + closing * (NESTING_MAX - 1)

        assert decode_json(most)
        with pytest.raises(ValueError, match="nested too deeply"):
            decode_json(opening + most + closing)

    def test_many_objects_side_by_side_are_not_nested(self) -> None:
        value = decode_json(b"[" + b",".join([b'{"a":[1.5]}'] * 10_000) + b"]")

        assert value == [{"a": [1.5]}] * 10_000

    @pytest.mark.parametrize("around", [b"%b", b"[%b]"])
    def test_brackets_in_a_text_are_no_nesting(self, around: bytes) -> None:
        assert decode_json(around % (b'"' + b"[{" * 600 + b'"'))

    def test_of_two_fields_of_one_name_the_last_counts(self) -> None:
        assert decode_json(b'{"n":1,"n":2}') == {"n": 2}


class TestEncoding:
    def test_text_is_compact_and_readable(self) -> None:
        assert encode_json({"a": ["ü", None]}) == b'{"a":["\xc3\xbc",null]}'

    def test_half_a_surrogate_pair_is_escaped(self) -> None:
        assert encode_json("ü\ud83d") == b'"\\u00fc\\ud83d"'

    @given(ANY_JSON)
    def test_whatever_was_read_can_be_written_and_read_again(self, value: object) -> None:
        assert decode_json(encode_json(decode_json(json.dumps(value).encode()))) == value
