"""What each function of template.yaml may do: the whole matrix, spelled out."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.template_routes import functions, read_template

ROOT = Path(__file__).parents[2]
TEMPLATE = read_template(ROOT / "template.yaml")
RESOURCES = TEMPLATE["Resources"]
FUNCTIONS = functions(TEMPLATE)

AUTHENTICATE = {
    "dynamodb:GetItem AppTable K#*",
    "secretsmanager:GetSecretValue KeyringSecret",
    "secretsmanager:GetSecretValue ServiceKeysSecret",
}
RESOLVE_HOLDS = {
    "dynamodb:GetItem AccountsTable A#*",
    "dynamodb:UpdateItem AccountsTable A#*",
    "dynamodb:GetItem EntriesTable E#*",
    "dynamodb:PutItem EntriesTable E#*",
}
MATRIX = {
    "chat": {
        "logs:CreateLogStream ChatLog",
        "logs:PutLogEvents ChatLog",
        *AUTHENTICATE,
        *RESOLVE_HOLDS,
        "dynamodb:GetItem AppTable I#*",
        "dynamodb:PutItem AppTable I#*",
        "dynamodb:UpdateItem AppTable I#*",
        "dynamodb:DeleteItem AppTable I#*",
        "dynamodb:GetItem AppTable R#*",
        "dynamodb:PutItem AppTable R#*",
        "s3:GetObject AnswersBucket/answers/*",
        "s3:PutObject AnswersBucket/answers/*",
        "secretsmanager:GetSecretValue ProvidersSecret",
        "sqs:SendMessage SettlementsQueue",
    },
    "credits": {
        "logs:CreateLogStream CreditsLog",
        "logs:PutLogEvents CreditsLog",
        *AUTHENTICATE,
        *RESOLVE_HOLDS,
        "dynamodb:GetItem AppTable R#*",
        "s3:GetObject AnswersBucket/answers/*",
    },
    "account": {
        "logs:CreateLogStream AccountLog",
        "logs:PutLogEvents AccountLog",
        *AUTHENTICATE,
        *RESOLVE_HOLDS,
    },
    "system": {
        "logs:CreateLogStream SystemLog",
        "logs:PutLogEvents SystemLog",
        "dynamodb:GetItem AccountsTable A#house#0",
    },
    "sweep_holds": {
        "logs:CreateLogStream SweepHoldsLog",
        "logs:PutLogEvents SweepHoldsLog",
        *RESOLVE_HOLDS,
        "dynamodb:Query AccountsTable/index/holds-by-expiry",
        "dynamodb:Scan AccountsTable",
        "sqs:ReceiveMessage SettlementsQueue",
        "sqs:DeleteMessage SettlementsQueue",
        "sqs:GetQueueAttributes SettlementsQueue",
    },
}

type Statement = Mapping[str, Any]


def role_of(function: str) -> Mapping[str, Any]:
    role: Mapping[str, Any] = RESOURCES[FUNCTIONS[function]["Role"]["Fn::GetAtt"][0]]["Properties"]
    return role


def statements_of(function: str) -> Iterator[Statement]:
    role = role_of(function)
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]
    for policy in role["ManagedPolicyArns"]:
        yield from RESOURCES[policy["Ref"]]["Properties"]["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - IAM takes one, or a list of them
    return value if isinstance(value, list) else [value]


def name_of(resource: Mapping[str, Any]) -> str:
    match resource:
        case {"Ref": name}:
            return str(name)
        case {"Fn::GetAtt": [name, "Arn"]}:
            return str(name)
        case {"Fn::Sub": text}:
            return str(text).replace(".Arn}", "").replace("${", "")
    raise AssertionError(f"{resource} is not a reference")


def partitions_of(statement: Statement) -> list[str]:
    """Give the partition keys a statement is for; empty when it is for all."""
    condition = statement.get("Condition", {})
    return [
        key
        for operator in ("ForAllValues:StringLike", "ForAllValues:StringEquals")
        for key in condition.get(operator, {}).get("dynamodb:LeadingKeys", [])
    ]


def grants(function: str, effect: str) -> set[str]:
    return {
        " ".join([action, name_of(resource), *partitions_of(statement)])
        for statement in statements_of(function)
        if statement["Effect"] == effect
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
class TestRoles:
    def test_a_function_may_do_this_and_nothing_else(self, function: str) -> None:
        assert grants(function, "Allow") == MATRIX[function]

    def test_no_function_may_change_or_remove_an_entry(self, function: str) -> None:
        assert grants(function, "Deny") == {
            "dynamodb:UpdateItem EntriesTable",
            "dynamodb:DeleteItem EntriesTable",
            "dynamodb:BatchWriteItem EntriesTable",
            "dynamodb:PartiQLUpdate EntriesTable",
            "dynamodb:PartiQLDelete EntriesTable",
        }

    def test_no_action_has_a_wildcard(self, function: str) -> None:
        actions = [each for of in statements_of(function) for each in listed(of["Action"])]

        assert not [action for action in actions if "*" in action]

    def test_items_are_reached_by_their_partition_only(self, function: str) -> None:
        """A condition ForAllValues also holds where there is no value, which Null excludes."""
        for statement in statements_of(function):
            actions = listed(statement["Action"])
            if statement["Effect"] == "Allow" and actions[0].startswith("dynamodb:"):
                whole_table = actions in (["dynamodb:Query"], ["dynamodb:Scan"])

                assert bool(partitions_of(statement)) is not whole_table
                assert whole_table or statement["Condition"]["Null"] == {
                    "dynamodb:LeadingKeys": "false"
                }

    def test_only_lambda_takes_the_role(self, function: str) -> None:
        (statement,) = role_of(function)["AssumeRolePolicyDocument"]["Statement"]

        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert statement["Action"] == "sts:AssumeRole"

    def test_no_two_functions_share_a_role(self, function: str) -> None:
        roles = [str(of["Role"]) for of in FUNCTIONS.values()]

        assert roles.count(str(FUNCTIONS[function]["Role"])) == 1
