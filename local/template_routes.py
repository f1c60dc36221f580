"""Which function API Gateway hands a request to, read from template.yaml.

The local front serves by this and by nothing else, so that a route which is missing from the
template, and would be missing on AWS, is missing here as well.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

import yaml

type Template = Mapping[str, Any]

ANY: Final = "ANY"
_FUNCTION: Final = "AWS::Serverless::Function"
_API: Final = "AWS::Serverless::Api"
_CORS_HEADERS: Final = {
    "AllowOrigin": "Access-Control-Allow-Origin",
    "AllowMethods": "Access-Control-Allow-Methods",
    "AllowHeaders": "Access-Control-Allow-Headers",
    "MaxAge": "Access-Control-Max-Age",
}


@dataclass(frozen=True, slots=True)
class ApiEvent:
    """One event of a function: the method and path that reach it."""

    method: str
    """In capitals; `ANY` for every method."""
    path: str
    """As in the template: `{name}` stands for one segment, `{name+}` for the rest."""
    function: str
    """The function's folder below functions/."""


class TemplateRoutes:
    """API Gateway's choice among the events of a template."""

    def __init__(self, events: Iterable[ApiEvent], preflight: Mapping[str, str]) -> None:
        """Take the events, and the headers a preflight is answered with; none without CORS."""
        self.events = tuple(events)
        self._preflight = preflight

    @classmethod
    def of(cls, template: Template) -> Self:
        """Read the routes of a template with one API."""
        return cls(api_events(template), _preflight_headers(template))

    def route_for(self, method: str, path: str) -> str | None:
        """Name the function a request reaches, `None` if it reaches none.

        Of the events with this method and path the one with the most specific path wins: segment
        by segment, text before `{name}` before `{name+}`. An event that lacks the method does not
        shadow a less specific one. A slash at the end is ignored.

        As measured on AWS: https://github.com/ministackorg/ministack/pull/1423 (2026-08),
        https://github.com/aws-powertools/powertools-lambda-python/issues/1552 (2022-09).
        """
        if method == "OPTIONS" and self._preflight:
            return None
        segments = _segments(path)
        reached = [
            event
            for event in self.events
            if event.method in {method, ANY} and _matches(_segments(event.path), segments)
        ]
        winner = min(reached, key=_generality, default=None)
        return winner.function if winner else None

    def preflight_for(self, path: str) -> Mapping[str, str] | None:
        """Give the headers API Gateway answers OPTIONS with by itself, `None` if it does not."""
        segments = _segments(path)
        served = any(_matches(_segments(event.path), segments) for event in self.events)
        return self._preflight if served and self._preflight else None


def read_template(file: Path) -> Template:
    """Read a template, with its tags in their long form: `!Ref X` as `{"Ref": "X"}`."""
    loader = _Loader(file.read_text(encoding="utf-8"))
    try:
        template: Template = loader.get_single_data()
    finally:
        loader.dispose()
    return template


def functions(template: Template) -> dict[str, Mapping[str, Any]]:
    """Give the properties of every function, by its folder below functions/."""
    return {
        PurePosixPath(resource["Properties"]["CodeUri"]).name: resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == _FUNCTION
    }


def api_events(template: Template) -> Iterator[ApiEvent]:
    """Yield every event of the API, in the template's order."""
    for name, properties in functions(template).items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "Api":
                wanted = event["Properties"]
                yield ApiEvent(wanted["Method"].upper(), wanted["Path"], name)


def _preflight_headers(template: Template) -> dict[str, str]:
    (api,) = (each for each in template["Resources"].values() if each["Type"] == _API)
    cors = api["Properties"].get("Cors", {})
    return {_CORS_HEADERS[setting]: value.strip("'") for setting, value in cors.items()}


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _matches(wanted: list[str], segments: list[str]) -> bool:
    if wanted[-1].endswith("+}") and len(segments) > len(wanted):
        segments = [*segments[: len(wanted) - 1], "/".join(segments[len(wanted) - 1 :])]
    return len(wanted) == len(segments) and all(
        theirs == ours or (ours.startswith("{") and theirs != "")
        for ours, theirs in zip(wanted, segments, strict=True)
    )


def _generality(event: ApiEvent) -> tuple[list[int], bool]:
    kinds = [
        2 if each.endswith("+}") else int(each.startswith("{")) for each in _segments(event.path)
    ]
    return kinds, event.method == ANY


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, object]:
    value: object
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            raise yaml.constructor.ConstructorError(problem=f"!{tag} of a mapping")
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {"Ref" if tag == "Ref" else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _long_form)
