"""The template as SAM translates it: what linters pass and AWS would refuse, or quietly change."""

import json
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

import pytest

pytestmark = pytest.mark.aws

STREAMED_PATHS = [
    base + path
    for base in ("/v1", "/api/v1/llm")
    for path in ("/chat/completions", "/models", "/models/{model+}")
]
BUFFERED_FUNCTIONS = {"CreditsFunction": 8, "AccountFunction": 2, "SystemFunction": 4}
"""How many paths each serves."""

RESOURCES_OF_AN_API = 300
FUNCTION_POLICY_BYTES = 20 * 1024
ROLE_POLICY_CHARACTERS = 10_240
MANAGED_POLICY_CHARACTERS = 6_144
RESOURCES_OF_A_STACK = 500
LONG_ARN = "arn:aws:execute-api:ap-southeast-7:123456789012:a1b2c3d4e5/*/*"

type Template = dict[str, Any]


def named(template: Template, kind: str) -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def paths_of(template: Template) -> dict[str, Any]:
    paths: dict[str, Any] = template["Resources"]["Api"]["Properties"]["Body"]["paths"]
    return paths


def integration_of(path: dict[str, Any]) -> dict[str, Any]:
    method = path["x-amazon-apigateway-any-method"]
    integration: dict[str, Any] = method["x-amazon-apigateway-integration"]
    return integration


def references(value: object) -> Iterator[str]:
    """Yield the names a piece of a template refers to."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)[.}]", text)
        case {"Fn::Sub": [str(text), dict(variables)]}:
            yield from set(re.findall(r"\$\{(\w+)[.}]", text)) - set(variables)
            yield from references(variables)
        case dict():
            for each in value.values():
                yield from references(each)
        case list():
            for each in value:
                yield from references(each)
        case _:
            pass


class TestStreaming:
    @pytest.mark.parametrize("path", STREAMED_PATHS)
    def test_chat_is_streamed_to_the_end_of_the_longest_timeout(
        self, translated: Template, path: str
    ) -> None:
        integration = integration_of(paths_of(translated)[path])

        assert integration["type"] == "aws_proxy"
        assert integration["responseTransferMode"] == "STREAM"
        assert integration["timeoutInMillis"] == 900_000
        assert integration["uri"] == {
            "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2021-11-15/functions/"
            "${ChatFunction.Arn}/response-streaming-invocations"
        }

    def test_nothing_else_is(self, translated: Template) -> None:
        buffered = [
            integration_of(methods)
            for path, methods in paths_of(translated).items()
            if path not in STREAMED_PATHS
        ]

        assert len(buffered) == 14
        for integration in buffered:
            assert "responseTransferMode" not in integration
            assert integration["uri"]["Fn::Sub"].endswith("/invocations")

    @pytest.mark.parametrize(("function", "count"), BUFFERED_FUNCTIONS.items())
    def test_each_buffered_function_serves_its_paths(
        self, translated: Template, function: str, count: int
    ) -> None:
        uris = [
            integration_of(methods)["uri"]["Fn::Sub"] for methods in paths_of(translated).values()
        ]

        assert sum(f"${{{function}.Arn}}" in uri for uri in uris) == count


class TestApi:
    def test_it_is_a_regional_rest_api(self, translated: Template) -> None:
        (api,) = named(translated, "AWS::ApiGateway::RestApi").values()

        assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}

    def test_there_is_one_stage(self, translated: Template) -> None:
        (stage,) = named(translated, "AWS::ApiGateway::Stage").values()

        assert stage["StageName"] == "live"
        assert "TracingEnabled" not in stage

    def test_every_path_answers_a_preflight_without_a_function(self, translated: Template) -> None:
        for methods in paths_of(translated).values():
            preflight = methods["options"]["x-amazon-apigateway-integration"]
            headers = preflight["responses"]["default"]["responseParameters"]

            assert preflight["type"] == "mock"
            assert headers["method.response.header.Access-Control-Allow-Origin"] == "'*'"
            assert "method.response.header.Access-Control-Allow-Credentials" not in headers

    def test_a_missing_route_is_a_404(self, translated: Template) -> None:
        body = translated["Resources"]["Api"]["Properties"]["Body"]
        responses = body["x-amazon-apigateway-gateway-responses"]

        missing = responses["MISSING_AUTHENTICATION_TOKEN"]

        assert missing["statusCode"] == "404"
        assert json.loads(missing["responseTemplates"]["application/json"]) == {
            "error": {
                "message": "There is no such route.",
                "type": "not_found_error",
                "param": None,
                "code": "not_found",
            }
        }
        assert missing["responseParameters"] == {
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'"
        }

    def test_its_resources_are_few(self, translated: Template) -> None:
        segments = [path.strip("/").split("/") for path in paths_of(translated)]

        resources = {tuple(each[:end]) for each in segments for end in range(1, len(each) + 1)}

        assert len(resources) <= RESOURCES_OF_AN_API // 2


class TestPolicies:
    def test_the_permissions_of_a_function_fit_its_policy(self, translated: Template) -> None:
        permissions = named(translated, "AWS::Lambda::Permission")
        functions = {json.dumps(each["FunctionName"]) for each in permissions.values()}

        sizes = [
            sum(
                len(as_statement(name, each))
                for name, each in permissions.items()
                if json.dumps(each["FunctionName"]) == function
            )
            for function in functions
        ]

        assert len(sizes) == 5
        assert max(sizes) < FUNCTION_POLICY_BYTES // 2

    def test_roles_and_policies_are_within_iams_sizes(self, translated: Template) -> None:
        for role in named(translated, "AWS::IAM::Role").values():
            inline = sum(written_out(each["PolicyDocument"]) for each in role["Policies"])

            assert inline < ROLE_POLICY_CHARACTERS // 2
        for policy in named(translated, "AWS::IAM::ManagedPolicy").values():
            assert written_out(policy["PolicyDocument"]) < MANAGED_POLICY_CHARACTERS // 2

    def test_sam_adds_no_role_and_no_policy_of_its_own(self, translated: Template) -> None:
        assert set(named(translated, "AWS::IAM::Role")) == {
            "ChatRole",
            "CreditsRole",
            "AccountRole",
            "SystemRole",
            "SweepHoldsRole",
        }
        for role in named(translated, "AWS::IAM::Role").values():
            assert all(set(policy) == {"Ref"} for policy in role["ManagedPolicyArns"])


class TestStack:
    def test_no_resource_depends_on_itself(self, translated: Template) -> None:
        resources = translated["Resources"]
        graph = {
            name: {
                other for other in [*references(of), *of.get("DependsOn", [])] if other in resources
            }
            for name, of in resources.items()
        }

        order = list(TopologicalSorter(graph).static_order())

        assert len(order) == len(resources)
        assert order.index("ChatFunction") < order.index("Api")

    def test_every_reference_leads_somewhere(self, translated: Template) -> None:
        known = {*translated["Resources"], *translated["Parameters"]}

        assert set(references(translated)) - known <= {"AWS::StackName", "AWS::NoValue"}

    def test_it_is_well_below_the_size_of_a_stack(self, translated: Template) -> None:
        assert len(translated["Resources"]) < RESOURCES_OF_A_STACK // 4

    def test_nothing_in_it_costs_by_the_hour(self, translated: Template) -> None:
        kinds = {resource["Type"] for resource in translated["Resources"].values()}

        assert kinds == {
            "AWS::ApiGateway::Deployment",
            "AWS::ApiGateway::RestApi",
            "AWS::ApiGateway::Stage",
            "AWS::CloudWatch::Alarm",
            "AWS::DynamoDB::Table",
            "AWS::Events::Rule",
            "AWS::IAM::ManagedPolicy",
            "AWS::IAM::Role",
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::EventSourceMapping",
            "AWS::Lambda::Function",
            "AWS::Lambda::LayerVersion",
            "AWS::Lambda::Permission",
            "AWS::Logs::LogGroup",
            "AWS::S3::Bucket",
            "AWS::S3::BucketPolicy",
            "AWS::SNS::Topic",
            "AWS::SQS::Queue",
            "AWS::SecretsManager::Secret",
        }


def as_statement(name: str, permission: dict[str, Any]) -> str:
    """Write a permission as Lambda keeps it in the function's policy, with names at their longest.

    https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html (2026-11)
    """
    path = json.dumps(permission["SourceArn"])
    return json.dumps(
        {
            "Sid": f"{'s' * 40}-{name}-ABCDEFGHIJKL",
            "Effect": "Allow",
            "Principal": {"Service": permission["Principal"]},
            "Action": permission["Action"],
            "Resource": f"arn:aws:lambda:ap-southeast-7:123456789012:function:{'f' * 64}",
            "Condition": {"ArnLike": {"AWS:SourceArn": LONG_ARN + path}},
        }
    )


def written_out(document: object) -> int:
    """Count a policy's characters with every reference at the length of a long ARN."""
    text = json.dumps(document, separators=(",", ":"))
    return len(text) + text.count('"Fn::') * 160 + text.count('"Ref"') * 160
