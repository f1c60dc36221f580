from pathlib import Path
from typing import Any

import pytest
import yaml

from local.template_routes import ApiEvent, TemplateRoutes, read_template

CORS = {"AllowOrigin": "'*'", "AllowHeaders": "'authorization'", "MaxAge": "'60'"}


def routes(*events: tuple[str, str, str], cors: bool = False) -> TemplateRoutes:
    """Make a template with a function for each name, and read its routes."""
    resources: dict[str, Any] = {
        "Api": {"Type": "AWS::Serverless::Api", "Properties": {"Cors": CORS} if cors else {}}
    }
    for number, (function, method, path) in enumerate(events):
        resources[f"Function{number}"] = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": f"functions/{function}",
                "Events": {"It": {"Type": "Api", "Properties": {"Method": method, "Path": path}}},
            },
        }
    return TemplateRoutes.of({"Resources": resources})


class TestRouteFor:
    def test_a_path_that_is_spelled_out_wins_over_a_parameter_and_a_greedy_one(self) -> None:
        served = routes(
            ("greedy", "ANY", "/images/{proxy+}"),
            ("parameter", "ANY", "/images/{id}"),
            ("literal", "ANY", "/images/edits"),
        )

        assert served.route_for("POST", "/images/edits") == "literal"
        assert served.route_for("POST", "/images/42") == "parameter"
        assert served.route_for("POST", "/images/42/report") == "greedy"

    def test_the_first_segment_that_differs_decides(self) -> None:
        served = routes(("late", "ANY", "/{base}/models"), ("early", "ANY", "/v1/{proxy+}"))

        assert served.route_for("GET", "/v1/models") == "early"
        assert served.route_for("GET", "/v2/models") == "late"

    def test_a_method_that_is_named_wins_over_any(self) -> None:
        served = routes(("every", "ANY", "/models"), ("get", "get", "/models"))

        assert served.route_for("GET", "/models") == "get"
        assert served.route_for("POST", "/models") == "every"

    def test_an_event_without_the_method_does_not_shadow_a_greedy_one(self) -> None:
        served = routes(("post", "POST", "/chat/completions"), ("rest", "ANY", "/{proxy+}"))

        assert served.route_for("POST", "/chat/completions") == "post"
        assert served.route_for("GET", "/chat/completions") == "rest"

    def test_a_greedy_path_needs_at_least_one_segment(self) -> None:
        served = routes(("below", "ANY", "/credits/{proxy+}"))

        assert served.route_for("GET", "/credits/a") == "below"
        assert served.route_for("GET", "/credits/a/b/c") == "below"
        assert served.route_for("GET", "/credits") is None
        assert served.route_for("GET", "/credits/") is None

    def test_a_parameter_stands_for_exactly_one_segment(self) -> None:
        served = routes(("one", "ANY", "/images/{id}/report"))

        assert served.route_for("POST", "/images/42/report") == "one"
        assert served.route_for("POST", "/images//report") is None
        assert served.route_for("POST", "/images/4/2/report") is None

    def test_a_slash_at_the_end_is_ignored(self) -> None:
        served = routes(("models", "ANY", "/models"), ("root", "ANY", "/"))

        assert served.route_for("GET", "/models/") == "models"
        assert served.route_for("GET", "/") == "root"

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/model"), ("GET", "/models/x"), ("PUT", "/models")]
    )
    def test_what_no_event_names_reaches_nothing(self, method: str, path: str) -> None:
        served = routes(("models", "GET", "/models"))

        assert served.route_for(method, path) is None


class TestPreflight:
    def test_with_cors_api_gateway_answers_options_by_itself(self) -> None:
        served = routes(("models", "ANY", "/models"), cors=True)

        assert served.route_for("OPTIONS", "/models") is None
        assert served.preflight_for("/models") == {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Headers": "authorization",
            "Access-Control-Max-Age": "60",
        }

    def test_without_cors_options_reaches_the_function(self) -> None:
        served = routes(("models", "ANY", "/models"))

        assert served.route_for("OPTIONS", "/models") == "models"
        assert served.preflight_for("/models") is None

    def test_a_path_that_is_not_served_has_no_preflight(self) -> None:
        served = routes(("models", "ANY", "/models"), cors=True)

        assert served.preflight_for("/elsewhere") is None


class TestEvents:
    def test_an_event_carries_its_method_in_capitals_and_its_functions_folder(self) -> None:
        served = routes(("chat", "post", "/chat/completions"))

        assert served.events == (ApiEvent("POST", "/chat/completions", "chat"),)


class TestReadTemplate:
    def test_tags_are_read_in_their_long_form(self, tmp_path: Path) -> None:
        file = tmp_path / "template.yaml"
        file.write_text(
            "A: !Ref Table\n"
            "B: !GetAtt Table.Stream.Arn\n"
            "C: !Sub ${Table}/x\n"
            "D: !If [HasIt, !Ref Table, {Key: !Sub '${Table}'}]\n"
        )

        assert read_template(file) == {
            "A": {"Ref": "Table"},
            "B": {"Fn::GetAtt": ["Table", "Stream.Arn"]},
            "C": {"Fn::Sub": "${Table}/x"},
            "D": {"Fn::If": ["HasIt", {"Ref": "Table"}, {"Key": {"Fn::Sub": "${Table}"}}]},
        }

    def test_a_tag_on_a_mapping_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "template.yaml"
        file.write_text("A: !Transform {Name: x}\n")

        with pytest.raises(yaml.YAMLError, match="!Transform of a mapping"):
            read_template(file)
