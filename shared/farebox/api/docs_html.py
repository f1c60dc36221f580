"""Small pieces of HTML for `farebox.api.docs_page`; whatever they are given comes out escaped."""

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

from farebox.api.schemas import Json

_CODE: Final = re.compile(r"`([^`]+)`")
_ENDLESS: Final = 2**63 - 1


def prose(text: str) -> str:
    """Write a sentence, with what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def code(text: str) -> str:
    """Write code inside a line."""
    return f"<code>{escape(text)}</code>"


def link(target: str, content: str) -> str:
    """Link to another place of the page; the content is HTML."""
    return f'<a href="#{escape(target)}">{content}</a>'


def figure(caption: str, content: str) -> str:
    """Show code that can be copied; the content is HTML."""
    label = escape(caption)
    button = f'<button type="button" class="copy" aria-label="Copy: {label}" hidden>Copy</button>'
    return (
        f"<figure><figcaption>{label}{button}</figcaption>"
        f'<pre tabindex="0" role="group" aria-label="{label}"><code>{content}</code></pre>'
        "</figure>"
    )


def folded(summary: str, content: str) -> str:
    """Show a summary that opens; the content is HTML."""
    return f"<details><summary>{prose(summary)}</summary>{content}</details>"


def table(caption: str, rows: Iterable[tuple[str, str]]) -> str:
    """Make a table of names, each with what it means; both are HTML."""
    body = "".join(f'<tr><th scope="row">{name}</th><td>{note}</td></tr>' for name, note in rows)
    return f"<table><caption>{prose(caption)}</caption><tbody>{body}</tbody></table>"


def breakable(name: str) -> str:
    """Write a long name so that it may break after its underscores, dots and hyphens."""
    return re.sub(r"([_.-])", r"\1<wbr>", escape(name))


def name_of(name: str, *, required: bool = False) -> str:
    """Name a field."""
    mark = ' <span class="required">required</span>' if required else ""
    return f"<code>{breakable(name)}</code>{mark}"


def noted(kind: str, note: str) -> str:
    """Say what a field may be, and what it means."""
    return f'<span class="type">{escape(kind)}</span>{prose(note)}'


def kind_of(schema: Mapping[str, Any]) -> str:
    """Say in words what a schema allows; that it may be null goes without saying."""
    choices = [each for each in schema.get("enum", ()) if each is not None]
    if choices:
        return " | ".join(_value(each) for each in choices)
    if "const" in schema:
        return _value(schema["const"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        kinds = dict.fromkeys(kind_of(each) for each in schema["anyOf"])
        return " or ".join(kind for kind in kinds if kind != "null")
    return _plain_kind(schema)


def _plain_kind(schema: Mapping[str, Any]) -> str:
    types = schema.get("type", "anything")
    name = types if isinstance(types, str) else next(each for each in types if each != "null")
    if name == "array":
        return f"list of {kind_of(schema['items'])}"
    if "maxLength" in schema:
        return f"{name}, at most {schema['maxLength']:,} characters"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None and high < _ENDLESS:
        return f"{name}, {low:,} to {high:,}"
    return "date and time" if schema.get("format") == "date-time" else str(name)


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def flattened(schema: Json, schemas: Json, prefix: str = "") -> Iterable[tuple[str, Json]]:
    """List the fields of an object with those of the objects in it, by dotted names."""
    for name, field in schema.get("properties", {}).items():
        shape, suffix = _shape_in(field, schemas)
        yield prefix + name, shape | field if "enum" in shape else field
        yield from flattened(shape, schemas, f"{prefix}{name}{suffix}.")


def _shape_in(field: Json, schemas: Json) -> tuple[Json, str]:
    """Find the named shape in a field, and how a path into it is written; empty for none."""
    for each in field.get("anyOf", (field,)):
        if "$ref" in each:
            return schemas[kind_of(each)], ""
        if "$ref" in each.get("items", {}):
            return schemas[kind_of(each["items"])], "[]"
    return {}, ""
