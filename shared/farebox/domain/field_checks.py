"""What a value in a request body may be, as data: each check finds fault and describes itself.

One declaration serves twice: the request is refused by it, and `/openapi.json` documents it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

type Json = Mapping[str, object]


class Check(Protocol):
    """A rule about one value."""

    def fault(self, value: object) -> str | None:
        """Say what is wrong with the value, `None` if nothing is."""
        ...

    def schema(self) -> dict[str, object]:
        """Describe the rule as a JSON schema."""
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds, both inclusive."""

    low: float
    high: float

    def fault(self, value: object) -> str | None:
        """Find what is no number, or one out of bounds."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "must be a number"
        if not self.low <= value <= self.high:
            return f"must be between {self.low:g} and {self.high:g}"
        return None

    def schema(self) -> dict[str, object]:
        """Describe it."""
        return {"type": "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number within bounds, both inclusive; `high=None` leaves it open above."""

    low: int
    high: int | None = None

    def fault(self, value: object) -> str | None:
        """Find what is no whole number, or one out of bounds."""
        if isinstance(value, bool) or not isinstance(value, int):
            return "must be an integer"
        if value < self.low:
            return f"must be at least {self.low}"
        if self.high is not None and value > self.high:
            return f"must be at most {self.high}"
        return None

    def schema(self) -> dict[str, object]:
        """Describe it."""
        upper = {} if self.high is None else {"maximum": self.high}
        return {"type": "integer", "minimum": self.low, **upper}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def fault(self, value: object) -> str | None:
        """Find what is neither."""
        return None if isinstance(value, bool) else "must be true or false"

    def schema(self) -> dict[str, object]:
        """Describe it."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Text:
    """A string of limited length."""

    longest: int

    def fault(self, value: object) -> str | None:
        """Find what is no string, or too long a one."""
        if not isinstance(value, str):
            return "must be a string"
        return f"must be at most {self.longest} characters" if len(value) > self.longest else None

    def schema(self) -> dict[str, object]:
        """Describe it."""
        return {"type": "string", "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some strings."""

    choices: tuple[str, ...]

    def fault(self, value: object) -> str | None:
        """Find any other value."""
        return None if value in self.choices else f"must be one of {', '.join(self.choices)}"

    def schema(self) -> dict[str, object]:
        """Describe it."""
        return {"type": "string", "enum": list(self.choices)}


@dataclass(frozen=True, slots=True)
class Object:
    """A JSON object; with `values`, one whose every value passes that check."""

    values: Check | None = None

    def fault(self, value: object) -> str | None:
        """Find what is no object, or a value in it at fault."""
        if not isinstance(value, dict):
            return "must be an object"
        if self.values is not None:
            for name, each in value.items():
                if fault := self.values.fault(each):
                    return f"has a value at '{name}' that {fault}"
        return None

    def schema(self) -> dict[str, object]:
        """Describe it."""
        inner = {} if self.values is None else {"additionalProperties": self.values.schema()}
        return {"type": "object", **inner}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of so many values that each pass a check."""

    values: Check
    longest: int
    shortest: int = 0

    def fault(self, value: object) -> str | None:
        """Find what is no list, too short or long a one, or an element at fault."""
        if not isinstance(value, list):
            return "must be an array"
        if not self.shortest <= len(value) <= self.longest:
            return f"must have between {self.shortest} and {self.longest} elements"
        for index, each in enumerate(value):
            if fault := self.values.fault(each):
                return f"has an element [{index}] that {fault}"
        return None

    def schema(self) -> dict[str, object]:
        """Describe it."""
        bounds = {"minItems": self.shortest, "maxItems": self.longest}
        return {"type": "array", "items": self.values.schema(), **bounds}


@dataclass(frozen=True, slots=True)
class Either:
    """Whatever passes one of several checks."""

    checks: tuple[Check, ...]

    def fault(self, value: object) -> str | None:
        """Find what passes none of them."""
        faults = [check.fault(value) for check in self.checks]
        return None if None in faults else " or ".join(fault for fault in faults if fault)

    def schema(self) -> dict[str, object]:
        """Describe it."""
        return {"anyOf": [check.schema() for check in self.checks]}
