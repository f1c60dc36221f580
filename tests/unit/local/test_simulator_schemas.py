import pytest

from local.simulator.dice import Dice
from local.simulator.hints import read_hints
from local.simulator.schemas import Schema, SchemaFiller


def fill(schema: Schema, text: str = "How far is it to Rome in 12 days?") -> object:
    """Return a value for a schema, made with the hints of a message."""
    return SchemaFiller(schema, read_hints(text), Dice(b"test")).fill()


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 7}, 7),
        ({"enum": ["only"]}, "only"),
        ({"type": "null"}, None),
        ({"type": "string"}, "Rome"),
        ({"type": ["null", "string"]}, "Rome"),
        ({"type": "string", "maxLength": 2}, "Ro"),
        ({"type": "string", "minLength": 6}, "Rome.."),
        ({"type": "string", "format": "date"}, "2026-01-15"),
        ({"type": "integer"}, 12),
        ({"type": "integer", "multipleOf": 5}, 10),
        ({"type": "integer", "minimum": 20, "maximum": 20}, 20),
        ({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5}, 4),
        ({"type": "array", "items": {"const": 1}, "minItems": 3}, [1, 1, 1]),
        ({"type": "array", "items": {"const": 1}, "maxItems": 1}, [1]),
        ({"anyOf": [{"type": "null"}, {"const": 1}]}, 1),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"required": ["a", "b"]}]}, None),
        ({}, {}),
    ],
)
def test_a_value_obeys_its_schema(schema: Schema, value: object) -> None:
    expected = {"a": 1, "b": "Rome"} if "allOf" in schema else value

    assert fill(schema) == expected


def test_a_property_that_wants_the_question_gets_it() -> None:
    schema = {"type": "object", "properties": {"query": {"type": "string"}}}

    assert fill(schema, "Where is Rome?") == {"query": "Where is Rome?"}


def test_references_are_followed_with_their_escapes() -> None:
    schema = {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": "found"}}}

    assert fill(schema) == "found"


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    node: Schema = {
        "type": "object",
        "properties": {
            "value": {"const": 1},
            "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        },
        "required": ["value", "next"],
    }

    value = fill(node)

    depth = 0
    while isinstance(value, dict) and value["next"] is not None:
        value, depth = value["next"], depth + 1
    assert 1 <= depth <= 4


@pytest.mark.parametrize("width", [1, 20])
def test_a_schema_without_an_exit_is_given_up(width: int) -> None:
    names = [f"p{number}" for number in range(width)]
    endless: Schema = {"properties": {name: {"$ref": "#"} for name in names}, "required": names}

    assert isinstance(fill(endless), dict)
    assert fill({"$ref": "#"}) == {}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "number", "minimum": 1e400}, 12),
        ({"type": "number", "maximum": 10**400}, 12),
        ({"type": "object", "required": [{}, "a"]}, {"a": "Rome"}),
        ({"type": "integer", "multipleOf": 0}, 12),
        ({"type": "unheard of"}, {}),
        ({"properties": 5, "required": 5, "type": "object"}, {}),
    ],
)
def test_a_senseless_schema_is_survived(schema: Schema, value: object) -> None:
    assert fill(schema) == value


def test_enormous_lengths_are_not_obeyed() -> None:
    text = fill({"type": "string", "minLength": 10**12})
    items = fill({"type": "array", "minItems": 10**12})

    assert isinstance(text, str)
    assert isinstance(items, list)
    assert (len(text), len(items)) == (5_000, 5_000)
