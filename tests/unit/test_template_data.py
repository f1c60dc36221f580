"""The stores, secrets, queues and alarms of template.yaml."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from farebox.adapters.key_ring import KEYRING, SERVICE_KEYS
from farebox.adapters.provider_endpoints import SECRET as PROVIDERS
from farebox.adapters.tables import TABLES, Table
from farebox.observability import NAMESPACE
from farebox.services.admitted import LOSS_METRIC
from local.template_routes import functions, read_template

ROOT = Path(__file__).parents[2]
TEMPLATE = read_template(ROOT / "template.yaml")
RESOURCES = TEMPLATE["Resources"]
VARIABLES = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
SWEEPER = functions(TEMPLATE)["sweep_holds"]
CREATED_WITH = {
    "BillingMode",
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
}


def named(kind: str) -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in RESOURCES.items()
        if resource["Type"] == kind
    }


class TestTables:
    @pytest.mark.parametrize("table", TABLES, ids=lambda table: table.setting)
    def test_each_has_the_keys_the_adapters_use(self, table: Table) -> None:
        deployed = RESOURCES[VARIABLES[table.setting]["Ref"]]["Properties"]
        wanted = table.creation("any")
        del wanted["TableName"]

        assert {key: value for key, value in deployed.items() if key in CREATED_WITH} == wanted

    @pytest.mark.parametrize("table", TABLES, ids=lambda table: table.setting)
    def test_only_those_that_keep_money_are_guarded_against_loss(self, table: Table) -> None:
        deployed = RESOURCES[VARIABLES[table.setting]["Ref"]]
        recovery = deployed["Properties"].get("PointInTimeRecoverySpecification")

        assert (recovery == {"PointInTimeRecoveryEnabled": True}) is table.keeps_money
        assert deployed["Properties"].get("DeletionProtectionEnabled", False) is table.keeps_money
        assert (deployed["DeletionPolicy"] == "Retain") is table.keeps_money
        assert deployed["UpdateReplacePolicy"] == "Retain"

    @pytest.mark.parametrize("table", TABLES, ids=lambda table: table.setting)
    def test_only_a_table_with_an_expiry_forgets(self, table: Table) -> None:
        deployed = RESOURCES[VARIABLES[table.setting]["Ref"]]["Properties"]
        expiry = deployed.get("TimeToLiveSpecification", {}).get("AttributeName")

        assert expiry == table.expiry_attribute

    def test_all_are_encrypted_and_have_names_of_cloudformations_making(self) -> None:
        for properties in named("AWS::DynamoDB::Table").values():
            assert properties["SSESpecification"] == {"SSEEnabled": True}
            assert "TableName" not in properties


class TestAnswersBucket:
    def test_it_is_private(self) -> None:
        block = RESOURCES["AnswersBucket"]["Properties"]["PublicAccessBlockConfiguration"]

        assert block == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }

    def test_it_forgets_after_a_day(self) -> None:
        (rule,) = RESOURCES["AnswersBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]

        assert rule["Status"] == "Enabled"
        assert rule["ExpirationInDays"] == 1
        assert "Prefix" not in rule

    def test_it_is_spoken_to_over_tls_only(self) -> None:
        (statement,) = RESOURCES["AnswersBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]

        assert statement["Effect"] == "Deny"
        assert statement["Principal"] == "*"
        assert statement["Action"] == "s3:*"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


class TestSecrets:
    def test_each_has_the_name_it_is_asked_for_by(self) -> None:
        prefix = VARIABLES["SECRETS_PREFIX"]["Fn::Sub"]

        names = {of["Name"]["Fn::Sub"] for of in named("AWS::SecretsManager::Secret").values()}

        assert names == {prefix + name for name in (PROVIDERS, KEYRING, SERVICE_KEYS)}

    def test_none_has_a_value_that_a_deployment_could_put_back(self) -> None:
        for properties in named("AWS::SecretsManager::Secret").values():
            assert set(properties) == {"Name", "Description"}

    def test_the_pepper_survives_its_stack(self) -> None:
        assert RESOURCES["KeyringSecret"]["DeletionPolicy"] == "Retain"

    def test_no_function_is_given_a_secret_but_only_the_name(self) -> None:
        for properties in functions(TEMPLATE).values():
            variables = {**VARIABLES, **properties["Environment"]["Variables"]}

            assert not re.search(r"resolve:|KEY|TOKEN|PASSWORD|PEPPER", str(variables))


class TestSettlementsQueue:
    def test_a_failed_settlement_is_tried_every_minute_for_an_hour(self) -> None:
        queue = RESOURCES["SettlementsQueue"]["Properties"]

        assert queue["VisibilityTimeout"] == 60
        assert queue["RedrivePolicy"] == {
            "deadLetterTargetArn": {"Fn::GetAtt": ["UnsettledQueue", "Arn"]},
            "maxReceiveCount": 60,
        }

    def test_its_consumer_ends_before_a_message_is_shown_again(self) -> None:
        queue = RESOURCES["SettlementsQueue"]["Properties"]

        assert SWEEPER["Timeout"] < queue["VisibilityTimeout"]
        assert SWEEPER["Events"]["Settlements"]["Properties"]["Queue"] == {
            "Fn::GetAtt": ["SettlementsQueue", "Arn"]
        }

    def test_a_message_that_failed_does_not_bring_back_its_batch(self) -> None:
        settlements = SWEEPER["Events"]["Settlements"]["Properties"]

        assert settlements["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_messages_are_kept_for_two_weeks(self) -> None:
        for queue in named("AWS::SQS::Queue").values():
            assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
            assert queue["SqsManagedSseEnabled"] is True


class TestSchedule:
    def test_holds_are_swept_every_minute_by_runs_that_do_not_overlap(self) -> None:
        assert SWEEPER["Events"]["EveryMinute"]["Properties"]["Schedule"] == "rate(1 minute)"

    def test_a_part_of_all_accounts_is_looked_at_every_hour(self) -> None:
        hourly = SWEEPER["Events"]["EveryHour"]["Properties"]

        assert hourly["Schedule"] == "cron(30 * * * ? *)"
        assert json.loads(hourly["Input"]) == {"scan": True}
        assert SWEEPER["Timeout"] < 60

    def test_a_run_that_failed_is_left_to_the_next(self) -> None:
        assert SWEEPER["EventInvokeConfig"] == {
            "MaximumRetryAttempts": 0,
            "MaximumEventAgeInSeconds": 60,
        }


class TestAlarms:
    def test_each_of_the_four_tells_somebody(self) -> None:
        alarms = named("AWS::CloudWatch::Alarm")

        assert set(alarms) == {"LossAlarm", "UnsettledAlarm", "SweepAlarm", "ServerErrorsAlarm"}
        for alarm in alarms.values():
            assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]

    def test_a_single_loss_is_alarming_and_looked_for_where_it_is_counted(self) -> None:
        alarm = RESOURCES["LossAlarm"]["Properties"]

        assert (alarm["Namespace"], alarm["MetricName"]) == (NAMESPACE, LOSS_METRIC)
        assert alarm["Dimensions"] == [{"Name": "service", "Value": "chat"}]
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)

    def test_a_sweeper_that_is_silent_is_as_bad_as_one_that_fails(self) -> None:
        assert RESOURCES["SweepAlarm"]["Properties"]["TreatMissingData"] == "breaching"

    def test_one_message_nobody_could_settle_is_enough(self) -> None:
        alarm = RESOURCES["UnsettledAlarm"]["Properties"]

        assert alarm["Dimensions"] == [
            {"Name": "QueueName", "Value": {"Fn::GetAtt": ["UnsettledQueue", "QueueName"]}}
        ]
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)

    def test_errors_are_counted_on_the_stage_that_is_deployed(self) -> None:
        alarm = RESOURCES["ServerErrorsAlarm"]["Properties"]
        api = RESOURCES["Api"]["Properties"]

        assert alarm["Dimensions"] == [
            {"Name": "ApiName", "Value": api["Name"]},
            {"Name": "Stage", "Value": api["StageName"]},
        ]
