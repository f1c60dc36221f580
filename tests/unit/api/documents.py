"""Checks of values against the shapes of `/openapi.json`."""

import jsonschema_rs

from farebox.api.openapi import openapi_document
from farebox.api.schemas import Json

DOCUMENT = openapi_document()


def faults(schema: Json | str, value: object) -> list[str]:
    """List what is wrong with a value; a schema is given whole or by its name."""
    wanted = {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema
    validator = jsonschema_rs.validator_for({**wanted, "components": DOCUMENT["components"]})
    return [error.message for error in validator.iter_errors(value)]


def operation(method: str, path: str) -> Json:
    """Give the description of an operation."""
    described: Json = DOCUMENT["paths"][path][method.lower()]
    return described
