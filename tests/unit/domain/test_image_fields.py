import pytest

from farebox.domain.chat_fields import CREDENTIAL_FIELDS
from farebox.domain.errors import InvalidRequest, InvalidValue, UnsupportedParameter
from farebox.domain.image_fields import FIELDS, Operation, check_fields, coerce_form


class TestCoercingAForm:
    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("n", "2", 2),
            ("n", " 10 ", 10),
            ("output_compression", "0", 0),
            ("partial_images", "3", 3),
            ("stream", "true", True),
            ("stream", "False", False),
            ("is_public", "1", True),
            ("is_public", "0", False),
        ],
    )
    def test_numbers_and_flags_are_read_from_their_texts(
        self, name: str, text: str, value: object
    ) -> None:
        assert coerce_form({name: text}) == {name: value}

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("n", "two"),
            ("n", "1.5"),
            ("n", "-1"),
            ("n", ""),
            ("n", "\u0662"),
            ("n", "1" * 5_000),
            ("stream", "yes"),
            ("stream", ""),
        ],
    )
    def test_what_stands_for_none_is_left_and_then_refused(self, name: str, text: str) -> None:
        fields = coerce_form({name: text})

        assert fields == {name: text}
        with pytest.raises(InvalidValue) as refusal:
            check_fields(fields, Operation.GENERATION)
        assert refusal.value.param == name

    def test_texts_files_and_unknown_fields_stay_as_they_came(self) -> None:
        fields = {"prompt": "1", "image": [b"png", b"jpg"], "mask": b"png", "colour": "2"}

        assert coerce_form(fields) == fields


class TestChecking:
    @pytest.mark.parametrize("credential", sorted(CREDENTIAL_FIELDS))
    def test_a_credential_is_refused_before_all_else(self, credential: str) -> None:
        with pytest.raises(UnsupportedParameter) as refusal:
            check_fields({"colour": 1, "n": 0, credential: "sk-x"}, Operation.GENERATION)

        assert refusal.value.param == credential

    def test_an_unknown_field_is_refused_by_name(self) -> None:
        with pytest.raises(UnsupportedParameter) as refusal:
            check_fields({"prompt": "A cat", "colour": "red"}, Operation.GENERATION)

        assert refusal.value.param == "colour"
        assert refusal.value.message == "Unsupported parameter: 'colour'."

    def test_null_is_as_if_the_field_were_absent(self) -> None:
        fields = {"prompt": "A cat", "n": None, "colour": None}

        assert check_fields(fields, Operation.GENERATION) == {"prompt": "A cat"}

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("prompt", 5, "'prompt' must be a string."),
            ("prompt", "x" * 32_001, "'prompt' must be at most 32000 characters."),
            ("n", 0, "'n' must be at least 1."),
            ("n", 11, "'n' must be at most 10."),
            ("n", "2", "'n' must be an integer."),
            ("partial_images", -1, "'partial_images' must be at least 0."),
            ("partial_images", 4, "'partial_images' must be at most 3."),
            ("output_compression", 101, "'output_compression' must be at most 100."),
            ("output_format", "gif", "'output_format' must be one of png, jpeg, webp."),
            ("response_format", "png", "'response_format' must be one of url, b64_json."),
            ("background", "white", "'background' must be one of auto, transparent, opaque."),
            ("visibility", "open", "'visibility' must be one of private, unlisted, public."),
            ("stream", "true", "'stream' must be true or false."),
            ("user", "u" * 513, "'user' must be at most 512 characters."),
        ],
    )
    def test_a_value_outside_its_fields_rule_is_refused(
        self, name: str, value: object, message: str
    ) -> None:
        with pytest.raises(InvalidValue) as refusal:
            check_fields({name: value}, Operation.GENERATION)

        assert refusal.value.param == name
        assert refusal.value.message == message

    @pytest.mark.parametrize(
        ("name", "value"),
        [("n", 1), ("n", 10), ("partial_images", 3), ("output_compression", 0)],
    )
    def test_a_value_at_its_limit_is_kept(self, name: str, value: object) -> None:
        assert check_fields({name: value}, Operation.GENERATION) == {name: value}

    @pytest.mark.parametrize(
        ("operation", "name", "value"),
        [
            (Operation.GENERATION, "image", "aGk="),
            (Operation.GENERATION, "mask", "aGk="),
            (Operation.GENERATION, "input_fidelity", "high"),
            (Operation.EDIT, "moderation", "low"),
            (Operation.EDIT, "style", "vivid"),
            (Operation.VARIATION, "prompt", "A cat"),
            (Operation.VARIATION, "stream", True),
        ],
    )
    def test_another_operations_field_is_refused(
        self, operation: Operation, name: str, value: object
    ) -> None:
        with pytest.raises(UnsupportedParameter) as refusal:
            check_fields({name: value}, operation)

        assert refusal.value.param == name

    @pytest.mark.parametrize(
        ("operation", "name", "value"),
        [
            (Operation.GENERATION, "input_fidelity", "low"),
            (Operation.EDIT, "moderation", "auto"),
            (Operation.VARIATION, "stream", False),
            (Operation.VARIATION, "background", "auto"),
        ],
    )
    def test_a_value_that_asks_for_nothing_is_left_out(
        self, operation: Operation, name: str, value: object
    ) -> None:
        assert check_fields({name: value}, operation) == {}

    @pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
    def test_every_field_refuses_an_object_it_does_not_know_and_has_a_schema(
        self, field: object
    ) -> None:
        known = next(each for each in FIELDS if each is field)

        assert known.check.schema()
        with pytest.raises(InvalidRequest) as refusal:
            check_fields({known.name: {"x": 1}}, Operation.EDIT)
        assert refusal.value.param == known.name
