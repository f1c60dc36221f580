"""Make up a value that a JSON schema accepts, from what the user's message offers.

Types, enums, required properties, references and the common bounds are respected; `pattern`,
`not`, `if`, `prefixItems` and the like are not. Optional properties are filled in near the root
only, so that a schema that refers to itself comes to an end.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from local.simulator.dice import Dice
from local.simulator.hints import Hints

type Schema = Mapping[str, object]

_SHALLOW = 3
_DEEPEST = 16
# Beyond these a schema is not worth obeying: it has no finite value, or means harm.
_MOST_VALUES = 5_000
_LONGEST = 5_000
_LARGEST_NUMBER = 1e15
_WANTS_THE_QUESTION = re.compile("query|question|text|prompt|message|expression|input")
_FORMATS = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT15M",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b",
}


class SchemaFiller:
    """Fills in one schema.

    Args:
        root: The whole schema; references are looked up in it.
        hints: Names, numbers and topics to use as values.
        dice: Decides where the schema leaves a choice.
    """

    def __init__(self, root: Schema, hints: Hints, dice: Dice) -> None:
        self._root = root
        self._hints = hints
        self._dice = dice
        self._left = _MOST_VALUES
        self._makers: Mapping[str, Callable[[Schema, int], object]] = {
            "object": self._object,
            "array": self._array,
            "string": lambda schema, _: self._string(schema),
            "integer": lambda schema, _: int(self._number(schema, whole=True)),
            "number": lambda schema, _: self._number(schema, whole=False),
            "boolean": lambda _schema, _depth: self._dice.below(2) == 1,
            "null": lambda _schema, _depth: None,
            "any": lambda schema, depth: self._string(schema) if depth else {},
        }

    def fill(self) -> object:
        """Return a value for the whole schema."""
        return self._value(self._root, 0)

    def fill_object(self) -> dict[str, object]:
        """Return a value for a schema that describes an object, whether it says so or not."""
        value = self._value(self._root, 0)
        return value if isinstance(value, dict) else {}

    def _value(self, schema: Schema, depth: int) -> object:
        self._left -= 1
        if self._left < 0:
            return None
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        if options := _list(schema.get("enum")):
            return self._dice.pick(options)
        kind = self._kind(schema, depth)
        return self._makers.get(kind, self._makers["any"])(schema, depth)

    def _resolved(self, schema: Schema, depth: int) -> Schema:
        """Follow a reference, take one branch of a union, merge all parts of a whole."""
        for _ in range(_DEEPEST):
            if isinstance(reference := schema.get("$ref"), str):
                schema = {**self._referred(reference), **_without(schema, "$ref")}
            elif branches := _schemas(schema.get("anyOf")) or _schemas(schema.get("oneOf")):
                branch = self._branch(branches, depth)
                schema = {**_without(schema, "anyOf", "oneOf"), **branch}
            elif parts := _schemas(schema.get("allOf")):
                schema = _merged([_without(schema, "allOf"), *parts])
            else:
                break
        return schema

    def _referred(self, reference: str) -> Schema:
        found: object = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name, {}) if step and isinstance(found, Mapping) else found
        return cast("Schema", found) if isinstance(found, Mapping) else {}

    def _branch(self, branches: Sequence[Schema], depth: int) -> Schema:
        """Prefer a value near the root and nothing deep down, so that recursion ends."""
        nothing = [branch for branch in branches if branch.get("type") == "null"]
        something = [branch for branch in branches if branch.get("type") != "null"]
        plain = [branch for branch in something if "$ref" not in branch]
        if depth > _SHALLOW:
            return (nothing or plain or something)[0]
        return (something or nothing)[0]

    def _kind(self, schema: Schema, depth: int) -> str:
        declared = schema.get("type")
        if isinstance(declared, str):
            return declared
        kinds = [kind for kind in _list(declared) if isinstance(kind, str)]
        if depth > _SHALLOW and "null" in kinds:
            return "null"
        if kinds:
            return next((kind for kind in kinds if kind != "null"), "null")
        return "array" if "items" in schema else "object" if "properties" in schema else "any"

    def _object(self, schema: Schema, depth: int) -> object:
        properties = schema.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        required = [name for name in _list(schema.get("required")) if isinstance(name, str)]
        wanted = dict.fromkeys([*(known if depth < _SHALLOW else ()), *required])
        if depth >= _DEEPEST:
            return {}
        return {str(name): self._property(str(name), known.get(name), depth) for name in wanted}

    def _property(self, name: str, schema: object, depth: int) -> object:
        described = cast("Schema", schema) if isinstance(schema, Mapping) else {"type": "string"}
        return self._value({"title": name, **described}, depth + 1)

    def _array(self, schema: Schema, depth: int) -> object:
        least = _integer(schema.get("minItems"), 0)
        usual = 0 if depth >= _SHALLOW else 1 if schema.get("uniqueItems") else 2
        size = max(least, min(usual, _integer(schema.get("maxItems"), usual)))
        items = schema.get("items")
        item = cast("Schema", items) if isinstance(items, Mapping) else {"type": "string"}
        return [self._value(item, depth + 1) for _ in range(size)] if depth < _DEEPEST else []

    def _string(self, schema: Schema) -> str:
        if isinstance(form := schema.get("format"), str) and form in _FORMATS:
            return _FORMATS[form]
        text = self._words(str(schema.get("title", "")))
        text = text.ljust(_integer(schema.get("minLength"), 0), ".")
        return text[: _integer(schema.get("maxLength"), len(text))]

    def _words(self, name: str) -> str:
        if _WANTS_THE_QUESTION.search(name.lower()):
            return self._hints.excerpt
        return self._dice.pick(self._hints.names or self._hints.topics)

    def _number(self, schema: Schema, *, whole: bool) -> float:
        step = _number(schema.get("multipleOf")) or (1 if whole else 0.5)
        low, high = _bounds(schema, step)
        fitting = [number for number in self._hints.numbers if low <= number <= high]
        usual = low if low > -math.inf else min(1, high)
        start = fitting[0] if fitting else usual + step * self._dice.below(10)
        value = start // step * step
        value = value if value >= low else value + step
        return value if value <= high else high // step * step


def _bounds(schema: Schema, step: float) -> tuple[float, float]:
    """Return the least and greatest number allowed; an exclusive bound moves by a step."""
    lows = [_number(schema.get("minimum")), _moved(schema.get("exclusiveMinimum"), step)]
    highs = [_number(schema.get("maximum")), _moved(schema.get("exclusiveMaximum"), -step)]
    return (
        max((low for low in lows if low is not None), default=-math.inf),
        min((high for high in highs if high is not None), default=math.inf),
    )


def _moved(bound: object, by: float) -> float | None:
    number = _number(bound)
    return None if number is None else number + by


def _merged(parts: Sequence[Schema]) -> Schema:
    """Combine the parts of an `allOf`: properties and required names add up."""
    whole: dict[str, object] = {}
    for part in parts:
        for name, value in part.items():
            earlier = whole.get(name)
            if isinstance(earlier, Mapping) and isinstance(value, Mapping):
                whole[name] = {**earlier, **value}
            elif name == "required":
                whole[name] = [*_list(earlier), *_list(value)]
            else:
                whole[name] = value
    return whole


def _without(schema: Schema, *names: str) -> Schema:
    return {name: value for name, value in schema.items() if name not in names}


def _schemas(value: object) -> list[Schema]:
    return [cast("Schema", item) for item in _list(value) if isinstance(item, Mapping)]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _integer(value: object, otherwise: int) -> int:
    """Read a length, at most 5,000."""
    return min(value, _LONGEST) if isinstance(value, int) else otherwise


def _number(value: object) -> float | None:
    """Read a bound; one too large to compute with is none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return value if abs(value) < _LARGEST_NUMBER else None
