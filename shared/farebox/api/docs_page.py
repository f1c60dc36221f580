"""`/docs`: the page people read, rendered from `/openapi.json`.

It stands alone: nothing is loaded from anywhere, and its policy lets only the style and the script
run that came with it, by their hashes.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from farebox.api.docs_html import (
    breakable,
    code,
    figure,
    kind_of,
    link,
    name_of,
    noted,
    prose,
    table,
)
from farebox.api.docs_operations import code_of, groups, operations
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
        f'<main id="content" tabindex="-1">{_start(document, public_url)}{groups(document)}'
        f"{_headers(document)}{_errors()}</main></div>"
        f"<footer><p>Version {escape(info['version'])}. The same for machines: "
        '<a href="openapi.json">openapi.json</a>.</p></footer></div>'
        f'<p class="unseen" role="status"></p><script>{_SCRIPT}</script></body></html>'
    )


def _contents(document: Json) -> str:
    def item(target: str, title: str, below: str = "") -> str:
        return f"<li>{link(target, escape(title))}{below}</li>"

    items = ""
    for tag in document["tags"]:
        below = "".join(
            item(name, operation["summary"])
            for name, (operation, _) in operations(document).items()
            if tag["name"] in operation["tags"]
        )
        items += item(tag["name"].lower(), tag["name"], f"<ul>{below}</ul>")
    return (
        f'<nav aria-label="Contents"><ul>{item("start", "Getting started")}{items}'
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
`precision` twice), plus the markup of the tier. Tokens from a provider's cache may cost less.

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
    question = escape(json.dumps(body["messages"]), quote=False)
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{address}{API_BASES[0]}", '
        'api_key=os.environ["FAREBOX_KEY"])\n'
        "answer = client.chat.completions.create(\n"
        f'    model="{escape(body["model"])}",\n    messages={question},\n)\n'
        "print(answer.choices[0].message.content)"
    )


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
        f'{code_of(refusal)}<span class="type">{breakable(problem.type)}</span></th>'
        f'<td>{prose(refusal.meaning)}<span class="note">“{escape(problem.message)}”</span>'
        f'<span class="note">{_advice(problem.headers)}</span></td></tr>'
    )


def _advice(headers: Mapping[str, str]) -> str:
    if headers.get("x-should-retry") == "false":
        return "Do not retry."
    if "Retry-After" in headers:
        return f"Retry after the seconds in {code('Retry-After')}."
    return ""
