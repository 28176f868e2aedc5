"""What the templates refuse, and what each choice makes of the stack."""

import re
import tomllib
from typing import Any

import pytest
from tests.template.templates import (
    NESTED,
    ON_BEDROCK,
    ON_LAMBDA,
    ROOT,
    Deployment,
    Json,
    nested,
    parameters,
    written,
)

ROOT_RULES: dict[str, Json] = written()["Parameters"]
OWN_NETWORK = {"VpcId": "vpc-0a1b", "SubnetIds": "subnet-0a1b,subnet-0c2d"}


def is_taken(rule: Json, value: str) -> bool:
    """Whether CloudFormation takes the value: a pattern has to match all of it, members of a list one by one."""
    if rule["Type"] == "CommaDelimitedList":
        return all(is_taken({**rule, "Type": "String"}, one) for one in value.split(","))
    if rule["Type"] == "Number":
        return _is_number(rule, value)
    if "AllowedValues" in rule:
        return value in map(str, rule["AllowedValues"])
    long_enough = rule.get("MinLength", 0) <= len(value) <= rule.get("MaxLength", 4096)
    return long_enough and re.fullmatch(rule.get("AllowedPattern", ".*"), value, re.DOTALL) is not None


def _is_number(rule: Json, value: str) -> bool:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        return False
    if "AllowedValues" in rule:
        return float(value) in rule["AllowedValues"]
    return bool(rule["MinValue"] <= float(value) <= rule["MaxValue"])


@pytest.mark.parametrize("name", ["template", *NESTED])
def test_every_parameter_is_described_and_bounded(name: str) -> None:
    bounds = {"AllowedValues", "AllowedPattern", "MinValue", "MinLength", "MaxLength"}
    for parameter, rule in written(name)["Parameters"].items():
        assert rule["Description"], parameter
        assert rule.keys() & bounds, parameter


def test_every_default_and_every_example_is_taken() -> None:
    for name, value in parameters(written(), **ON_BEDROCK, **OWN_NETWORK).items():
        assert is_taken(ROOT_RULES[name], value), name
    for name, rule in ROOT_RULES.items():
        assert "Default" not in rule or is_taken(rule, str(rule["Default"])), name


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "JiraUrl",
            ["", "http://a.example", "https://", "https://user:p@a.example", "https://a.example?x=1"],
        ),
        ("JiraProjectKey", ["", "abc", "A", 'A" OR 1=1']),
        ("GitHubRepo", ["", "name", "https://github.com/a/b", "a/b/c", "a/.."]),
        ("WorkerImageUri", ["", "worker", "a.example/team/worker:1", "a.example/worker", "a.example/w:1 x"]),
        ("WorkerCompute", ["", "ec2", "Fargate"]),
        ("WorkerArchitecture", ["", "arm"]),
        ("WorkerSize", ["", "huge"]),
        ("MaxConcurrency", ["0", "65", "-1", "four"]),
        ("EphemeralStorageGiB", ["20", "201"]),
        ("SandboxFloor", ["", "none"]),
        ("ClaudeTimeoutSeconds", ["0", "-1", "5", "100000", "1e3"]),
        ("ModelMaxTokens", ["2047", "64001"]),
        ("ModelProvider", ["", "openai"]),
        ("ModelIds", ["opus", '["opus"]']),
        ("BedrockModelArns", ["*", "arn:aws:s3:::x", ""]),
        ("BedrockRegion", ["eu", "eu-west-1.evil.example"]),
        ("PollIntervalMinutes", ["0", "7", "61", "1.5"]),
        ("PollState", ["", "on"]),
        ("RepositoryMaxFiles", ["0", "-1", "1000001", "many"]),
        ("RepositoryMaxBytes", ["0", "-1", "34359738369"]),
        ("TicketBudgetUsd", ["0", "-5", "100001", "nan"]),
        ("DailyBudgetUsd", ["0", "-5", "100001"]),
        ("OverBudget", ["", "stop", "Wait"]),
        ("AlarmEmail", ["people", "a@b", "a@b.example,c@d.example", "a @b.example"]),
        ("UseSpot", ["", "true"]),
        ("ShowDashboard", ["", "maybe"]),
        ("VpcId", ["default", "vpc-"]),
        ("SubnetIds", ["subnet-1, subnet-2", "subnet-1,", "vpc-1"]),
        ("AssignPublicIp", ["yes"]),
        ("KmsKeyArn", ["alias/mine", "arn:aws:kms:eu-west-1:111122223333:alias/mine"]),
        ("SecretsPrefix", ["", "/alm", "alm/dev", "alm*"]),
        ("LogRetentionDays", ["0", "31"]),
        ("ReviewEvent", ["", "APPROVE"]),
        ("AtlassianApiUrlPattern", ["https://a.example/jira", "http://a.example/{cloud_id}"]),
        ("GitHubApiUrl", ["http://a.example"]),
        ("AnthropicBaseUrl", ["http://a.example"]),
    ],
)
def test_what_is_out_of_range_is_refused(name: str, values: list[str]) -> None:
    assert [value for value in values if is_taken(ROOT_RULES[name], value)] == []


@pytest.mark.parametrize("preset", ["default", "dev"])
def test_a_preset_says_what_the_template_takes(preset: str) -> None:
    deploy = tomllib.loads((ROOT / "samconfig.toml").read_text())[preset]["deploy"]["parameters"]
    chosen = dict(one.split("=", 1) for one in deploy.get("parameter_overrides", ()))
    assert all(is_taken(ROOT_RULES[name], value) for name, value in chosen.items())
    assert Deployment.of(**chosen).broken_rules() == set()
    assert set(deploy["capabilities"]) == {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}


def test_both_presets_fit_into_one_account() -> None:
    presets = tomllib.loads((ROOT / "samconfig.toml").read_text())
    names = {presets[preset]["global"]["parameters"]["stack_name"] for preset in ("default", "dev")}
    assert len(names) == 2
    assert "SecretsPrefix=alm-dev" in presets["dev"]["deploy"]["parameters"]["parameter_overrides"]


def test_the_form_shows_every_parameter_once() -> None:
    groups = written()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(ROOT_RULES)
    assert all(group["Label"]["default"] for group in groups)


@pytest.mark.parametrize(
    ("chosen", "broken"),
    [
        ({}, set()),
        (ON_LAMBDA, set()),
        ({"WorkerCompute": "lambda"}, {"LambdaIsNoWall"}),
        ({**ON_LAMBDA, "SandboxFloor": "seccomp"}, {"LambdaIsNoWall"}),
        ({**ON_LAMBDA, "MaxConcurrency": "1"}, {"LambdaIsNoWall"}),
        ({"MaxConcurrency": "1"}, set()),
        (OWN_NETWORK, set()),
        ({"VpcId": "vpc-1"}, {"VpcHasSubnets"}),
        ({"SubnetIds": "subnet-1"}, {"SubnetsHaveVpc"}),
        (ON_BEDROCK, set()),
        ({"ModelProvider": "bedrock"}, {"BedrockIsWhole"}),
        ({**ON_BEDROCK, "BedrockModelArns": "arn:aws:bedrock:::none"}, {"BedrockIsWhole"}),
        ({**ON_BEDROCK, "ModelIds": ""}, {"BedrockIsWhole"}),
        ({"ModelProvider": "vertex", "ModelIds": "{}"}, {"VertexIsWhole"}),
        (
            {"ModelProvider": "vertex", "ModelIds": "{}", "VertexProject": "p", "VertexRegion": "global"},
            set(),
        ),
    ],
    ids=str,
)
def test_parameters_that_do_not_go_together_are_refused(chosen: dict[str, str], broken: set[str]) -> None:
    assert Deployment.of(**chosen).broken_rules() == broken


def test_every_rule_says_what_to_do() -> None:
    for rule in written()["Rules"].values():
        assert all(one["AssertDescription"] for one in rule["Assertions"])


def test_without_a_mail_address_nobody_is_written_to_and_every_alarm_stands() -> None:
    without, with_mail = Deployment.of(), Deployment.of(AlarmEmail="people@example.com")
    assert with_mail.resources.keys() - without.resources.keys() == {"AlarmMail"}
    assert with_mail.properties("AlarmMail")["Endpoint"] == "people@example.com"


def test_a_dashboard_is_left_out_where_it_would_cost() -> None:
    with_it, without = Deployment.of(), Deployment.of(ShowDashboard="no")
    assert with_it.resources.keys() - without.resources.keys() == {"Dashboard"}
    assert with_it.outputs() - without.outputs() == {"DashboardUrl"}


@pytest.mark.parametrize(("spot", "names"), [("no", ["FARGATE"]), ("yes", ["FARGATE", "FARGATE_SPOT"])])
def test_spot_is_named_only_where_it_is_asked_for(spot: str, names: list[str]) -> None:
    deployment = Deployment.of(UseSpot=spot)
    told = deployment.properties("PollJira")["Environment"]["Variables"]
    assert deployment.properties("ClusterCapacity")["CapacityProviders"] == names
    assert told["ECS_CAPACITY_PROVIDER"] == names[-1]


def test_on_lambda_there_is_no_cluster_no_network_and_nothing_to_launch() -> None:
    fargate, on_lambda = Deployment.of(), Deployment.of(**ON_LAMBDA)
    kinds = {resource["Type"].split("::")[1] for resource in on_lambda.resources.values()}
    assert not kinds & {"ECS", "EC2"}
    told = on_lambda.properties("PollJira")["Environment"]["Variables"]
    launching = {name: value for name, value in told.items() if name.startswith("ECS_")}
    assert len(launching) == 6
    assert set(launching.values()) == {""}
    assert "RunJob" not in fargate.resources


def test_jobs_at_once_are_bounded_on_either_compute() -> None:
    fargate, on_lambda = Deployment.of(MaxConcurrency="7"), Deployment.of(**ON_LAMBDA, MaxConcurrency="7")
    for deployment in (fargate, on_lambda):
        # On Lambda too: it bounds the claims.
        assert deployment.properties("PollJira")["Environment"]["Variables"]["MAX_CONCURRENCY"] == "7"
    assert on_lambda.properties("RunJobMessages")["ScalingConfig"] == {"MaximumConcurrency": "7"}


def test_ones_own_network_takes_the_place_of_ours() -> None:
    ours, own = Deployment.of(), Deployment.of(**OWN_NETWORK)
    assert ours.resources.keys() - own.resources.keys() == {"Network"}
    told = own.properties("PollJira")["Environment"]["Variables"]
    assert (told["ECS_SUBNETS"], told["ECS_ASSIGN_PUBLIC_IP"]) == (OWN_NETWORK["SubnetIds"], "DISABLED")
    assert own.properties("WorkerSecurityGroup")["VpcId"] == OWN_NETWORK["VpcId"]
    told = ours.properties("PollJira")["Environment"]["Variables"]
    assert told["ECS_ASSIGN_PUBLIC_IP"] == "ENABLED"


@pytest.mark.parametrize("name", [name.title() for name in NESTED])
def test_a_nested_stack_is_told_exactly_what_it_asks_for(name: str) -> None:
    made = nested(name.lower(), Deployment.of(), name)
    assert made.values.keys() == made.template["Parameters"].keys()


def every(node: Any) -> list[Any]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [node, *(found for one in inner for found in every(one))]


@pytest.mark.parametrize("chosen", [{}, ON_LAMBDA, ON_BEDROCK, OWN_NETWORK], ids=str)
def test_nothing_points_to_what_this_choice_does_not_make(chosen: dict[str, str]) -> None:
    deployment = Deployment.of(**chosen)
    properties = [resource["Properties"] for resource in deployment.resources.values()]
    for node in every(properties):
        if isinstance(node, dict) and len(node) == 1 and node.keys() & {"Ref", "Fn::GetAtt"}:
            (name,) = node.values()
            name = name if isinstance(name, str) else name[0]
            assert name in deployment.resources or name.startswith("AWS::"), name
