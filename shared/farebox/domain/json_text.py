"""JSON as bytes: strict on its way in, and never failing on its way out.

The standard library is lenient both ways: it reads numbers JSON does not have, and what it read
from an escape it may not be able to write as UTF-8. Whoever passes values on must do neither.
"""

import json
from math import isfinite
from typing import Final, NoReturn

NESTING_MAX: Final = 512
"""The library reads a little deeper than it writes; no request comes near either."""


def decode_json(text: bytes) -> object:
    """Read a JSON value.

    Raises:
        ValueError: It is not JSON, has a number JSON has not (NaN, Infinity, 1e999), or is nested
            deeper than `NESTING_MAX`.
    """
    try:
        value: object = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if text.count(b"[") + text.count(b"{") > NESTING_MAX:
        _check_nesting(value)
    return value


def encode_json(value: object) -> bytes:
    """Write a JSON value, compact and in UTF-8; escaped where it holds half a surrogate pair."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if isfinite(number) else _refuse(digits)


def _check_nesting(value: object) -> None:
    level, depth = [value], 0
    while level:
        if depth == NESTING_MAX:
            raise ValueError("nested too deeply")
        level = [inner for each in level for inner in _inside(each)]
        depth += 1


def _inside(value: object) -> list[object]:
    """Give what a value contains, as far as that may contain more."""
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    else:
        return []
    return [each for each in inner if isinstance(each, dict | list)]
