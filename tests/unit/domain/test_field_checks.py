import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.domain.field_checks import (
    Check,
    Either,
    Flag,
    Integer,
    ListOf,
    Number,
    Object,
    OneOf,
    Text,
)

ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
CHECKS = (
    Number(0, 2),
    Integer(1, 4),
    Integer(1),
    Flag(),
    Text(3),
    OneOf(("low", "high")),
    Object(),
    Object(Number(-100, 100)),
    ListOf(Text(3), 2, 1),
    Either((Text(3), ListOf(Text(3), 2))),
)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (Number(0, 2), 0),
        (Number(0, 2), 2.0),
        (Number(-2, 2), -0.5),
        (Integer(1, 4), 1),
        (Integer(1, 4), 4),
        (Integer(1), 10**30),
        (Flag(), False),
        (Text(3), ""),
        (Text(3), "äöü"),
        (OneOf(("low", "high")), "high"),
        (Object(), {}),
        (Object(), {"a": object}),
        (Object(Flag()), {"a": True}),
        (ListOf(Text(3), 2, 1), ["abc"]),
        (ListOf(Text(3), 2), []),
        (Either((Text(3), ListOf(Text(3), 2))), "abc"),
        (Either((Text(3), ListOf(Text(3), 2))), ["abc", "d"]),
    ],
)
def test_what_is_within_bounds_passes(check: Check, value: object) -> None:
    assert check.fault(value) is None


@pytest.mark.parametrize(
    ("check", "value", "fault"),
    [
        (Number(0, 2), "1", "must be a number"),
        (Number(0, 2), True, "must be a number"),
        (Number(0, 2), None, "must be a number"),
        (Number(0, 2), 2.01, "must be between 0 and 2"),
        (Number(0, 2), -(10**400), "must be between 0 and 2"),
        (Number(-2, 2), math.nan, "must be between -2 and 2"),
        (Number(0, 2), math.inf, "must be between 0 and 2"),
        (Integer(1, 4), 1.0, "must be an integer"),
        (Integer(1, 4), True, "must be an integer"),
        (Integer(1, 4), "1", "must be an integer"),
        (Integer(1, 4), 0, "must be at least 1"),
        (Integer(1, 4), 5, "must be at most 4"),
        (Integer(1, 4), 10**4000, "must be at most 4"),
        (Flag(), 0, "must be true or false"),
        (Flag(), "true", "must be true or false"),
        (Text(3), 1, "must be a string"),
        (Text(3), "abcd", "must be at most 3 characters"),
        (OneOf(("low", "high")), "LOW", "must be one of low, high"),
        (OneOf(("low", "high")), ["low"], "must be one of low, high"),
        (OneOf(("low", "high")), {}, "must be one of low, high"),
        (Object(), [], "must be an object"),
        (Object(Flag()), {"a": True, "b": 1}, "has a value at 'b' that must be true or false"),
        (ListOf(Text(3), 2, 1), "abc", "must be an array"),
        (ListOf(Text(3), 2, 1), [], "must have between 1 and 2 elements"),
        (ListOf(Text(3), 2, 1), ["a", "b", "c"], "must have between 1 and 2 elements"),
        (ListOf(Text(3), 2, 1), ["a", 1], "has an element [1] that must be a string"),
        (
            Either((Text(3), ListOf(Text(3), 2))),
            1,
            "must be a string or must be an array",
        ),
    ],
)
def test_what_is_not_is_told_why(check: Check, value: object, fault: str) -> None:
    assert check.fault(value) == fault


@pytest.mark.parametrize("check", CHECKS, ids=repr)
@given(value=ANY_VALUE)
def test_no_value_breaks_a_check(check: Check, value: object) -> None:
    fault = check.fault(value)

    assert fault is None or fault.startswith(("must", "has"))


@pytest.mark.parametrize(
    ("check", "schema"),
    [
        (Number(0, 2), {"type": "number", "minimum": 0, "maximum": 2}),
        (Integer(1, 4), {"type": "integer", "minimum": 1, "maximum": 4}),
        (Integer(1), {"type": "integer", "minimum": 1}),
        (Flag(), {"type": "boolean"}),
        (Text(3), {"type": "string", "maxLength": 3}),
        (OneOf(("low",)), {"type": "string", "enum": ["low"]}),
        (Object(), {"type": "object"}),
        (Object(Flag()), {"type": "object", "additionalProperties": {"type": "boolean"}}),
        (
            ListOf(Flag(), 2, 1),
            {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
        ),
        (
            Either((Flag(), Text(3))),
            {"anyOf": [{"type": "boolean"}, {"type": "string", "maxLength": 3}]},
        ),
    ],
)
def test_a_check_describes_itself(check: Check, schema: dict[str, object]) -> None:
    assert check.schema() == schema
