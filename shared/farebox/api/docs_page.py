"""`/docs`: the page people read, rendered from `/openapi.json`.

It stands alone: nothing is loaded from anywhere, and its policy lets only the style and the script
run that came with it, by their hashes.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path
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
from farebox.api.openapi import openapi_document
from farebox.api.refusals import Refusal, refusals
from farebox.api.routes import API_BASES
from farebox.api.schemas import Json

_STYLE: Final = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
_SCRIPT: Final = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_ICON: Final = (
    '<svg viewBox="0 0 44 28" aria-hidden="true" fill="none" stroke="currentColor" '
    'stroke-width="3"><path d="M2 2h40v7a5 5 0 0 0 0 10v7H2v-7a5 5 0 0 0 0-10z"/>'
    '<path d="M29 6v16" stroke-dasharray="3 3.5"/></svg>'
)
_NOWHERE: Final = "https://farebox.example"
"""Stands for the address in a browser that runs no scripts."""


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


DOCS_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "public, max-age=300",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What the page is to be sent with."""


@cache
def docs_page(public_url: str = "") -> str:
    """Render the page, once a process.

    Args:
        public_url: Where clients reach the API; empty to show where the page came from.
    """
    document = openapi_document(public_url)
    icon = base64.b64encode(
        _ICON.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"')
        .replace("currentColor", "#0b6353")
        .encode()
    ).decode()
    info = document["info"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title>"
        f'<meta name="description" content="{escape(info["summary"])}">'
        f'<link rel="icon" href="data:image/svg+xml;base64,{icon}">'
        f"<style>{_STYLE}</style></head><body>"
        '<a class="skip" href="#content">Skip to the content</a><div class="page">'
        f"<header><h1>{_ICON}{escape(info['title'])}</h1><p>{prose(info['summary'])}</p></header>"
        f'<div class="columns">{_contents(document)}'
        f'<main id="content" tabindex="-1">{_start(document, public_url)}{_groups(document)}'
        f"{_headers(document)}{_errors()}</main></div>"
        f"<footer><p>Version {escape(info['version'])}. The same for machines: "
        '<a href="openapi.json">openapi.json</a>.</p></footer></div>'
        f'<p class="unseen" role="status"></p><script>{_SCRIPT}</script></body></html>'
    )


type _Call = tuple[str, str]
"""A method and a path."""


def _operations(document: Json) -> Mapping[str, tuple[Json, list[_Call]]]:
    """Collect every operation with all the calls that reach it, by name."""
    found: dict[str, tuple[Json, list[_Call]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"].partition("_at_")[0]
            found.setdefault(name, (operation, []))[1].append((method, path))
    return found


def _contents(document: Json) -> str:
    def item(target: str, title: str, below: str = "") -> str:
        return f"<li>{link(target, escape(title))}{below}</li>"

    groups = ""
    for tag in document["tags"]:
        below = "".join(
            item(name, operation["summary"])
            for name, (operation, _) in _operations(document).items()
            if tag["name"] in operation["tags"]
        )
        groups += item(tag["name"].lower(), tag["name"], f"<ul>{below}</ul>")
    return (
        f'<nav aria-label="Contents"><ul>{item("start", "Getting started")}{groups}'
        f"{item('headers', 'Headers')}{item('errors', 'Errors')}</ul></nav>"
    )


# ── Getting started ──────────────────────────────────────────────────────────────────────────────


def _start(document: Json, public_url: str) -> str:
    address = escape(public_url) if public_url else f"<span data-here>{_NOWHERE}</span>"
    bases = "".join(f"<li><code>{address}{base}</code></li>" for base in API_BASES)
    example = document["paths"]["/v1/chat/completions"]["post"]["requestBody"]["content"]
    body = example["application/json"]["examples"]["whole"]["value"]
    return (
        '<section id="start"><h2>Getting started</h2>'
        f"<p>{prose(document['info']['description'])}</p>"
        f'<h3>Addresses</h3><ul class="calls">{bases}</ul>'
        f"<h3>Keys</h3><p>{prose(_credential(document)['description'])}</p>"
        "<h3>A first request</h3>"
        f"{figure('curl', _curl(address, body))}{figure('Python', _python(address, body))}"
        f"<h3>What a request costs</h3>{_paragraphs(_COSTS)}"
        "</section>"
    )


_COSTS: Final = """
Tokens cost what `GET /v1/models` lists, times the power level (`eco` half, `balanced` once,
`precision` twice), plus the markup of the tier. Tokens from a provider's cache cost less.

Before a provider is called, the most the request may cost is set aside, so that requests side by
side cannot spend the same credits. Name an output cap, or `X-Max-Cost`, to have less set aside.
The rest comes back when the answer is through.

Amounts in credits are numbers; beside each stands the exact integer in nano-dollars, `…_nanousd`.
`GET /v1/credits/balance` says what a credit is worth.
"""


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{prose(each.strip())}</p>" for each in text.split("\n\n"))


def _credential(document: Json) -> Json:
    (scheme,) = document["components"]["securitySchemes"].values()
    described: Json = scheme
    return described


def _curl(address: str, body: Json) -> str:
    fields = ",\n".join(f'    "{name}": {json.dumps(value)}' for name, value in body.items())
    return (
        f"curl {address}{API_BASES[0]}/chat/completions \\\n"
        '  -H "Authorization: Bearer $FAREBOX_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{{\n{escape(fields, quote=False)}\n  }}'"
    )


def _python(address: str, body: Json) -> str:
    question = escape(repr(body["messages"]).replace("'", '"'), quote=False)
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{address}{API_BASES[0]}", '
        'api_key=os.environ["FAREBOX_KEY"])\n'
        "answer = client.chat.completions.create(\n"
        f'    model="{escape(body["model"])}",\n    messages={question},\n)\n'
        "print(answer.choices[0].message.content)"
    )


# ── Operations ───────────────────────────────────────────────────────────────────────────────────


def _groups(document: Json) -> str:
    return "".join(
        f'<section id="{escape(tag["name"].lower())}"><h2>{escape(tag["name"])}</h2>'
        f"<p>{prose(tag['description'])}</p>"
        + "".join(
            _operation(name, operation, calls, document["components"]["schemas"])
            for name, (operation, calls) in _operations(document).items()
            if tag["name"] in operation["tags"]
        )
        + "</section>"
        for tag in document["tags"]
    )


def _operation(name: str, operation: Json, calls: Iterable[_Call], schemas: Json) -> str:
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
    links = {_code_of(refusals()[name]): f"error-{name}" for name in reversed(list(names))}
    return ", ".join(link(target, label) for label, target in reversed(links.items()))


def _code_of(refusal: Refusal) -> str:
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


# ── Headers and errors ───────────────────────────────────────────────────────────────────────────


def _headers(document: Json) -> str:
    rows = [
        (name_of(name), noted(kind_of(header["schema"]), header["description"]))
        for name, header in document["components"]["headers"].items()
    ]
    return (
        '<section id="headers"><h2>Headers</h2><p>Figures come with answers that are charged for, '
        f"advice with errors.</p>{table('Of an answer', rows)}</section>"
    )


def _errors() -> str:
    rows = "".join(_error(refusal) for refusal in refusals().values())
    return (
        '<section id="errors"><h2>Errors</h2><p>The body is always '
        f"{code('{"error": {"message", "type", "param", "code"}}')}. Nothing is charged for a "
        "request that is refused.</p><table><caption>By status</caption><tbody>"
        f"{rows}</tbody></table></section>"
    )


def _error(refusal: Refusal) -> str:
    problem = refusal.problem
    return (
        f'<tr id="error-{escape(refusal.name)}"><th scope="row">{problem.status} '
        f'{_code_of(refusal)}<span class="type">{escape(problem.type)}</span></th>'
        f'<td>{prose(refusal.meaning)}<span class="note">“{escape(problem.message)}”</span>'
        f'<span class="note">{_advice(problem.headers)}</span></td></tr>'
    )


def _advice(headers: Mapping[str, str]) -> str:
    if headers.get("x-should-retry") == "false":
        return "Do not retry."
    if "Retry-After" in headers:
        return f"Retry after the seconds in {code('Retry-After')}."
    return ""
