"""The operations on `/docs`: calls, callers, parameters, bodies and answers."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

from farebox.api.chat_schema import HANDLING_WORDS
from farebox.api.docs_html import (
    code,
    figure,
    flattened,
    folded,
    kind_of,
    link,
    name_of,
    noted,
    prose,
    table,
)
from farebox.api.refusals import Refusal, refusals
from farebox.api.schemas import Json

type Call = tuple[str, str]
"""A method and a path."""


def operations(document: Json) -> Mapping[str, tuple[Json, list[Call]]]:
    """Collect every operation with all the calls that reach it, by name."""
    found: dict[str, tuple[Json, list[Call]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"].partition("_at_")[0]
            found.setdefault(name, (operation, []))[1].append((method, path))
    return found


def groups(document: Json) -> str:
    """Show every operation, by group."""
    return "".join(
        f'<section id="{escape(tag["name"].lower())}"><h2>{escape(tag["name"])}</h2>'
        f"<p>{prose(tag['description'])}</p>"
        + "".join(
            _operation(name, operation, calls, document["components"]["schemas"])
            for name, (operation, calls) in operations(document).items()
            if tag["name"] in operation["tags"]
        )
        + "</section>"
        for tag in document["tags"]
    )


def _operation(name: str, operation: Json, calls: Iterable[Call], schemas: Json) -> str:
    lines = "".join(
        f'<li><span class="method {method}">{method.upper()}</span>{code(path)}</li>'
        for method, path in calls
    )
    return (
        f'<article id="{escape(name)}"><h3>{link(name, escape(operation["summary"]))}</h3>'
        f'<ul class="calls">{lines}</ul><p>{prose(operation["description"])}</p>'
        f'<p class="who">{_who(operation["security"])}</p>'
        f"{_parameters(operation)}{_body(operation, schemas)}{_answers(operation, schemas)}"
        "</article>"
    )


def _who(security: list[dict[str, list[str]]]) -> str:
    if not security:
        return "Open to anyone."
    (scopes,) = security[0].values()
    if not scopes:
        return "For any valid key."
    return f"For keys with the scope {', '.join(code(scope) for scope in scopes)}."


_PLACES: Final = {"header": "Headers", "query": "In the query", "path": "In the path"}


def _parameters(operation: Json) -> str:
    tables = ""
    for place, caption in _PLACES.items():
        rows = [
            (
                name_of(each["name"], required=each.get("required", False)),
                noted(kind_of(each["schema"]), each["description"]),
            )
            for each in operation.get("parameters", ())
            if each["in"] == place
        ]
        tables += table(caption, rows) if rows else ""
    return tables


def _body(operation: Json, schemas: Json) -> str:
    if "requestBody" not in operation:
        return ""
    content = operation["requestBody"]["content"]["application/json"]
    schema = schemas[kind_of(content["schema"])]
    tables = "".join(
        table(f"Body: {words[0].lower()}{words[1:].rstrip('.')}", _fields(schema, handling, words))
        for handling, words in HANDLING_WORDS.items()
    )
    examples = "".join(
        folded(each["summary"], figure(each["summary"], _json(each["value"])))
        for each in content["examples"].values()
    )
    return f"<h4>Body</h4><p>{prose(schema['description'])}</p>{tables}<h4>Examples</h4>{examples}"


def _json(value: object) -> str:
    return escape(json.dumps(value, indent=2, ensure_ascii=False), quote=False)


def _fields(schema: Json, handling: str, words: str) -> Iterable[tuple[str, str]]:
    for name, field in schema["properties"].items():
        if field["x-handling"] == handling:
            plain = {key: value for key, value in field.items() if value != [None]}
            label = name_of(name, required=name in schema["required"])
            yield label, noted(kind_of(plain), field["description"].removesuffix(words).strip())


def _answers(operation: Json, schemas: Json) -> str:
    rows = []
    for status, response in operation["responses"].items():
        content = response["content"].get("application/json", {})
        examples = content.get("examples")
        note = _codes(examples) if examples else prose(response["description"])
        rows.append((code(status), note))
    summary = f"Answers: {', '.join(operation['responses'])}"
    return folded(summary, table("By status", rows)) + _shape(operation["responses"], schemas)


def _codes(names: Iterable[str]) -> str:
    """List the codes of some errors, each leading to where it is explained."""
    links = {code_of(refusals()[name]): f"error-{name}" for name in reversed(list(names))}
    return ", ".join(link(target, label) for label, target in reversed(links.items()))


def code_of(refusal: Refusal) -> str:
    """Show the code of an error, unless it is one of a provider's own."""
    return "the provider's own" if refusal.open_code else name_of(refusal.problem.code)


def _shape(responses: Json, schemas: Json) -> str:
    content = responses["200"]["content"].get("application/json", {})
    if "$ref" not in content.get("schema", {}):
        return ""
    schema = schemas[kind_of(content["schema"])]
    rows = [
        (name_of(name), noted(kind_of(field), field.get("description", "")))
        for name, field in flattened(schema, schemas)
    ]
    example = content.get("example")
    shown = figure("Example", _json(example)) if example else ""
    return folded("What the answer holds", shown + table(schema["description"], rows))
