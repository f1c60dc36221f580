"""What API Gateway does before, or instead of, invoking a function: read from template.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.template_routes import Template, TemplateRoutes, functions

NOT_FOUND: Final = "MISSING_AUTHENTICATION_TOKEN"
"""The type of response for a route that is not there; API Gateway's own name for it."""

TOO_LARGE: Final = "REQUEST_TOO_LARGE"

_API: Final = "AWS::Serverless::Api"
_DEFAULT_TIMEOUT_SECONDS: Final = 3
"""Lambda's. https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html (2026-11)"""


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """An answer no function gave."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Gateway:
    """The API of a template, in front of its functions."""

    def __init__(self, template: Template) -> None:
        self._routes = TemplateRoutes.of(template)
        self._responses = _gateway_responses(template)
        self.timeouts_seconds: Mapping[str, int] = {
            name: properties.get("Timeout", _DEFAULT_TIMEOUT_SECONDS)
            for name, properties in functions(template).items()
        }
        """The timeout of every function."""

    @property
    def served(self) -> frozenset[str]:
        """The functions that requests can reach."""
        return frozenset(event.function for event in self._routes.events)

    def route(self, method: str, path: str) -> str | GatewayAnswer:
        """Name the function a request is for, or give the answer it gets without one."""
        if method == "OPTIONS":
            preflight = self._routes.preflight_for(path)
            if preflight is not None:
                return GatewayAnswer(200, preflight, b"{}\n")
        return self._routes.route_for(method, path) or self.response(NOT_FOUND)

    def response(self, kind: str) -> GatewayAnswer:
        """Give a gateway response by its type.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
        """
        return self._responses[kind]


def _gateway_responses(template: Template) -> dict[str, GatewayAnswer]:
    (api,) = (each for each in template["Resources"].values() if each["Type"] == _API)
    return {
        kind: _gateway_answer(response)
        for kind, response in api["Properties"]["GatewayResponses"].items()
        if "StatusCode" in response
    }


def _gateway_answer(response: Mapping[str, Any]) -> GatewayAnswer:
    """Read one response; its header values are literals in single quotes."""
    headers = response.get("ResponseParameters", {}).get("Headers", {})
    body: str = response["ResponseTemplates"]["application/json"]
    return GatewayAnswer(
        int(response["StatusCode"]),
        {"Content-Type": "application/json"}
        | {name: value.strip("'") for name, value in headers.items()},
        body.encode(),
    )
