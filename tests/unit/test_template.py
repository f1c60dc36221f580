"""The functions of template.yaml and the routes to them; tests/aws has what SAM makes of it."""

import os
from pathlib import Path
from typing import Any

import pytest

from farebox.api.routes import ROUTES
from farebox.settings import read_settings
from local.template_routes import ANY, ApiEvent, TemplateRoutes, functions, read_template

ROOT = Path(__file__).parents[2]
TEMPLATE = read_template(ROOT / "template.yaml")
RESOURCES = TEMPLATE["Resources"]
FUNCTIONS = functions(TEMPLATE)
SERVED = TemplateRoutes.of(TEMPLATE)
REQUESTS = [
    (route.method, path.replace("{model+}", "meta-llama/llama-3.3-70b"), route.function)
    for route in ROUTES
    for path in route.paths
]


def environment_of(function: str) -> dict[str, Any]:
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    return {**shared, **FUNCTIONS[function]["Environment"]["Variables"]}


class TestFunctions:
    def test_each_has_a_folder_with_a_handler_and_each_folder_is_deployed(self) -> None:
        handlers = {file.parent.name for file in ROOT.glob("functions/*/handler.py")}

        assert handlers == {"chat", "credits", "account", "system", "sweep_holds"}
        assert set(FUNCTIONS) == handlers

    def test_all_run_the_same_python_on_the_same_processor(self) -> None:
        shared = TEMPLATE["Globals"]["Function"]

        assert shared["Runtime"] == "python3.13"
        assert shared["Architectures"] == ["arm64"]
        assert shared["Layers"] == [{"Ref": "FareboxLayer"}, {"Ref": "DependenciesLayer"}]

    @pytest.mark.parametrize("layer", ["FareboxLayer", "DependenciesLayer"])
    def test_layers_are_built_for_that_python_and_that_processor(self, layer: str) -> None:
        properties = RESOURCES[layer]["Properties"]

        assert properties["CompatibleRuntimes"] == ["python3.13"]
        assert properties["CompatibleArchitectures"] == ["arm64"]
        assert RESOURCES[layer]["Metadata"] == {
            "BuildMethod": "python3.13",
            "BuildArchitecture": "arm64",
        }

    def test_memory_and_time_are_bounded(self) -> None:
        assert {name: (of["MemorySize"], of["Timeout"]) for name, of in FUNCTIONS.items()} == {
            "chat": (512, 900),
            "credits": (1024, 15),
            "account": (1024, 15),
            "system": (1024, 10),
            "sweep_holds": (256, 50),
        }

    def test_a_streamed_function_is_started_by_the_wrapper_of_our_layer(self) -> None:
        wrapper = environment_of("chat")["AWS_LAMBDA_EXEC_WRAPPER"]
        file = ROOT / wrapper.replace("/opt/python/", "shared/")

        assert FUNCTIONS["chat"]["Handler"] == "handler.app"
        assert wrapper == "/opt/python/farebox/runtime/exec-wrapper"
        assert os.access(file, os.X_OK)

    @pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"chat"}))
    def test_any_other_function_is_started_by_lambda_itself(self, name: str) -> None:
        assert FUNCTIONS[name]["Handler"] == "handler.handler"
        assert "AWS_LAMBDA_EXEC_WRAPPER" not in environment_of(name)

    @pytest.mark.parametrize("name", sorted(FUNCTIONS))
    def test_each_has_a_log_of_its_own_that_is_kept_for_a_time(self, name: str) -> None:
        log = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]
        others = [of["LoggingConfig"]["LogGroup"]["Ref"] for of in FUNCTIONS.values()]

        assert others.count(log) == 1
        assert RESOURCES[log]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}

    @pytest.mark.parametrize("name", sorted(FUNCTIONS))
    def test_the_environment_is_all_the_settings_need(self, name: str) -> None:
        deployed = {
            key: value if isinstance(value, str) else "0.001"
            for key, value in environment_of(name).items()
        }

        settings = read_settings({**deployed, "AWS_REGION": "eu-central-1"})

        assert settings.accounts_table == "0.001"
        assert not settings.sandbox_lenient

    @pytest.mark.parametrize("name", sorted(FUNCTIONS))
    def test_it_is_named_in_its_metrics_and_not_traced(self, name: str) -> None:
        assert environment_of(name)["POWERTOOLS_SERVICE_NAME"] == name
        assert environment_of(name)["POWERTOOLS_METRICS_NAMESPACE"] == "Farebox"
        assert "Tracing" not in FUNCTIONS[name]
        assert "Tracing" not in TEMPLATE["Globals"]["Function"]


class TestRoutes:
    @pytest.mark.parametrize(("method", "path", "function"), REQUESTS)
    def test_every_route_reaches_its_function(self, method: str, path: str, function: str) -> None:
        assert SERVED.route_for(method, path) == function

    @pytest.mark.parametrize(("_method", "path", "function"), REQUESTS)
    def test_a_wrong_method_reaches_it_too_and_gets_its_405(
        self, _method: str, path: str, function: str
    ) -> None:
        assert SERVED.route_for("PATCH", path) == function

    @pytest.mark.parametrize("event", SERVED.events, ids=lambda event: event.path)
    def test_every_event_has_a_route_behind_it(self, event: ApiEvent) -> None:
        fixed_part = event.path.partition("{")[0]

        assert any(
            path.startswith(fixed_part) for _, path, name in REQUESTS if name == event.function
        )

    @pytest.mark.parametrize(
        "path",
        ["/v1", "/v2/models", "/v1/chat", "/v1/keys", "/v1/health", "/api/v1/models", "/chat"],
    )
    def test_nothing_else_is_served(self, path: str) -> None:
        assert SERVED.route_for("GET", path) is None

    def test_no_path_is_given_to_two_functions(self) -> None:
        paths = [event.path for event in SERVED.events]

        assert len(paths) == len(set(paths))
        assert {event.method for event in SERVED.events} == {ANY}
