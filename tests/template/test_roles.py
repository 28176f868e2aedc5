"""What each role may do. A new wildcard, or another room's secret, fails here until somebody has thought about it."""

import re

import pytest
from tests.template.templates import (
    KEY,
    ON_BEDROCK,
    ON_LAMBDA,
    ROOT,
    Deployment,
    granted,
    listed,
    nested,
    statements,
)

BRIEF, RESULT, CHANGES, TRANSCRIPT = (
    f"${{ArtifactsBucket.Arn}}/jobs/*/{name}"
    for name in ("brief.json", "result.json", "changes-*", "transcript.jsonl")
)
READ, WRITE = {"s3:GetObject"}, {"s3:PutObject"}
TELEMETRY = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
TASKS = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task/${Cluster}/*"
# Everything a role may do on more than one named resource.
WILD = {
    "PollJiraRole": {
        "*": {"ecs:ListTasks", *TELEMETRY},
        RESULT: READ | WRITE,
        BRIEF: WRITE,
        TASKS: {"ecs:DescribeTasks", "ecs:TagResource"},
    },
    "PollJiraEveryMinuteRole": {},
    "WorkerTaskRole": {},
    "WorkerStartRole": {"*": {"ecr:GetAuthorizationToken"}},
    "RunJobRole": {"*": TELEMETRY},
    "TrackJobRole": {"*": TELEMETRY, BRIEF: READ},
    "JobArtifactsRole": {BRIEF: READ, RESULT: READ | WRITE, CHANGES: READ | WRITE, TRANSCRIPT: WRITE},
    "PublishResultRole": {"*": TELEMETRY, BRIEF: READ, RESULT: READ, CHANGES: READ},
}
ROOMS = {
    "PollJiraRole": {"JiraSecret", "SigningSecret"},
    "PollJiraEveryMinuteRole": set[str](),
    "WorkerTaskRole": {"GitHubReadSecret", "AnthropicSecret"},
    "WorkerStartRole": set[str](),
    "RunJobRole": {"GitHubReadSecret", "AnthropicSecret"},
    "TrackJobRole": {"SigningSecret"},
    "JobArtifactsRole": set[str](),
    "PublishResultRole": {"JiraSecret", "GitHubWriteSecret", "SigningSecret"},
}
TRUSTED = {
    "PollJiraEveryMinuteRole": "scheduler",
    "WorkerTaskRole": "ecs-tasks",
    "WorkerStartRole": "ecs-tasks",
}
BOTH = {"default": Deployment.of(), "on Lambda": Deployment.of(**ON_LAMBDA)}
# An account that has everything switched on.
FULL = {"KmsKeyArn": KEY, "UseSpot": "yes", "AlarmEmail": "people@example.com"}


def roles(deployment: Deployment) -> set[str]:
    return set(deployment.of_type("AWS::IAM::Role"))


def where(role: str, **chosen: str) -> Deployment:
    """A stack that has the role."""
    return Deployment.of(**(ON_LAMBDA if role == "RunJobRole" else {}), **chosen)


def test_these_are_all_the_roles_there_are() -> None:
    assert set().union(*map(roles, BOTH.values())) == ROOMS.keys() == WILD.keys()
    assert roles(BOTH["default"]) - roles(BOTH["on Lambda"]) == {"WorkerTaskRole", "WorkerStartRole"}


@pytest.mark.parametrize("chosen", [{}, FULL], ids=["default", "full"])
@pytest.mark.parametrize("role", WILD)
def test_a_role_has_no_wildcard_but_those_that_are_known(role: str, chosen: dict[str, str]) -> None:
    allowed = granted(where(role, **chosen), role)
    assert not {action for actions in allowed.values() for action in actions if re.search(r"[*?]", action)}
    assert {name: done for name, done in allowed.items() if re.search(r"[*?]", name)} == WILD[role]


@pytest.mark.parametrize("role", WILD)
def test_a_policy_allows_plainly_and_names_no_exceptions(role: str) -> None:
    for statement in statements(where(role), role):
        assert statement["Effect"] == "Allow"
        assert statement.keys() <= {"Effect", "Action", "Resource", "Condition"}


@pytest.mark.parametrize("role", ROOMS)
def test_a_role_reads_its_own_secrets_and_no_other_rooms(role: str) -> None:
    allowed = granted(where(role), role, "secretsmanager:")
    assert allowed == {name: {"secretsmanager:GetSecretValue"} for name in ROOMS[role]}


@pytest.mark.parametrize(
    ("provider", "secret"), [("anthropic", "AnthropicSecret"), ("bedrock", None), ("vertex", "VertexSecret")]
)
def test_the_worker_reads_the_key_of_its_models_service_only(provider: str, secret: str | None) -> None:
    deployment = Deployment.of(ModelProvider=provider)
    assert granted(deployment, "WorkerTaskRole", "secretsmanager:").keys() - {"GitHubReadSecret"} == {
        *([secret] if secret else [])
    }
    made = set(deployment.of_type("AWS::SecretsManager::Secret"))
    always = {"JiraSecret", "GitHubReadSecret", "GitHubWriteSecret", "SigningSecret"}
    assert made == {*always, *([secret] if secret else [])}


def test_a_role_touches_only_the_queues_of_its_room() -> None:
    receive = {
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    }
    send = {"sqs:SendMessage"}
    fargate, on_lambda = BOTH["default"], BOTH["on Lambda"]
    # It looks into the dead letters and cannot take anything from them.
    look, count = {"sqs:ReceiveMessage"}, {*send, "sqs:GetQueueAttributes"}
    for deployment in (fargate, on_lambda):
        assert granted(deployment, "PollJiraRole", "sqs:") == {
            "JobQueue": count,
            "ResultQueue": count,
            "JobDeadLetters": look,
            "ResultDeadLetters": look,
        }
    for deployment, role in ((fargate, "WorkerTaskRole"), (on_lambda, "RunJobRole")):
        assert granted(deployment, role, "sqs:") == {"JobQueue": receive}
        assert granted(deployment, "TrackJobRole", "sqs:") == {"ResultQueue": send}
    assert granted(fargate, "PublishResultRole", "sqs:") == {"ResultQueue": receive}


def test_the_poll_alone_lists_jobs_and_only_those_under_way() -> None:
    touch = {"JobsTable": {"dynamodb:GetItem", "dynamodb:UpdateItem"}}
    for name, deployment in BOTH.items():
        assert granted(deployment, "PollJiraRole", "dynamodb:") == {
            **touch,
            "${JobsTable.Arn}/index/active": {"dynamodb:Query"},
        }, name
        assert granted(deployment, "PublishResultRole", "dynamodb:") == touch, name


def test_the_role_an_agent_could_reach_starts_nothing_and_makes_nobody_else_of_it() -> None:
    services = {
        action.partition(":")[0]
        for actions in granted(Deployment.of(**ON_BEDROCK, **FULL), "WorkerTaskRole").values()
        for action in actions
    }
    assert services == {"secretsmanager", "lambda", "sqs", "bedrock", "kms"}


def test_the_worker_may_ask_bedrock_only_where_it_is_the_provider() -> None:
    model = ON_BEDROCK["BedrockModelArns"]
    assert granted(Deployment.of(**ON_BEDROCK), "WorkerTaskRole", "bedrock:").keys() == {model}
    for name, deployment in BOTH.items():
        for role in roles(deployment):
            assert not granted(deployment, role, "bedrock:"), name


def test_the_poll_starts_this_worker_in_this_cluster_and_passes_its_roles_to_nobody_else() -> None:
    found = {
        action: statement
        for statement in statements(BOTH["default"], "PollJiraRole")
        for action in statement["Action"]
    }
    here = {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": ["Cluster", "Arn"]}}}
    assert found["ecs:RunTask"]["Resource"] == ["WorkerTask"]
    assert all(
        found[f"ecs:{name}"]["Condition"] == here for name in ("RunTask", "ListTasks", "DescribeTasks")
    )
    assert found["ecs:TagResource"]["Condition"] == {"StringEquals": {"ecs:CreateAction": "RunTask"}}
    assert set(found["iam:PassRole"]["Resource"]) == {"WorkerTaskRole", "WorkerStartRole"}
    assert found["iam:PassRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    }


def test_where_lambda_runs_the_jobs_the_poll_starts_nothing() -> None:
    allowed = granted(BOTH["on Lambda"], "PollJiraRole")
    assert not [action for actions in allowed.values() for action in actions if re.match("ecs:|iam:", action)]


def test_a_role_writes_its_own_log_and_no_other() -> None:
    wanted = {"PollJiraRole": "PollJiraLogs", "PublishResultRole": "PublishResultLogs"}
    wanted |= {"RunJobRole": "WorkerLogs", "WorkerStartRole": "WorkerLogs", "TrackJobRole": "TrackJobLogs"}
    for role in ROOMS:
        allowed = granted(where(role), role, "logs:")
        assert allowed == (
            {wanted[role]: {"logs:CreateLogStream", "logs:PutLogEvents"}} if role in wanted else {}
        )


@pytest.mark.parametrize("role", ROOMS)
def test_no_managed_policy_of_aws_is_attached(role: str) -> None:
    carried = where(role, **FULL).properties(role).get("ManagedPolicyArns", [])
    assert all(arn.keys() == {"Ref"} for arn in carried)


@pytest.mark.parametrize("role", ROOMS.keys() - {"JobArtifactsRole"})
def test_a_role_trusts_one_service(role: str) -> None:
    (trust,) = where(role).properties(role)["AssumeRolePolicyDocument"]["Statement"]
    services = trust["Principal"]["Service"]
    assert (services if isinstance(services, list) else [services]) == [
        f"{TRUSTED.get(role, 'lambda')}.amazonaws.com"
    ]
    if TRUSTED.get(role) == "ecs-tasks":
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


@pytest.mark.parametrize(
    "role",
    [
        *("PollJiraRole", "WorkerTaskRole", "RunJobRole", "PublishResultRole"),
        *("TrackJobRole", "JobArtifactsRole"),
    ],
)
def test_a_key_of_ones_own_is_used_through_the_stacks_services_only(role: str) -> None:
    found = [
        one for one in statements(where(role, KmsKeyArn=KEY), role) if one["Action"][0].startswith("kms:")
    ]
    (statement,) = found
    assert (statement["Action"], statement["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], [KEY])
    assert statement["Condition"]["StringEquals"].keys() == {"kms:ViaService"}
    assert not granted(where(role), role, "kms:")


def test_an_image_is_pulled_from_the_repository_that_the_parameter_names() -> None:
    repository = "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/"
    for uri, name in (
        ("1.dkr.ecr.eu-west-1.example/worker:1", "worker"),
        (f"1.dkr.ecr.eu-west-1.example/alm.worker@sha256:{'0f' * 32}", "alm.worker"),
    ):
        allowed = granted(Deployment.of(WorkerImageUri=uri), "WorkerStartRole", "ecr:")
        assert allowed.keys() == {"*", repository + name}


def test_the_network_lets_workers_use_this_bucket_only() -> None:
    network = nested("network", BOTH["default"], "Network")
    endpoints = network.of_type("AWS::EC2::VPCEndpoint").values()
    found = [one for endpoint in endpoints for one in endpoint["PolicyDocument"]["Statement"]]
    allowed = {
        str(resource): set(listed(statement["Action"]))
        for statement in found
        for resource in listed(statement["Resource"])
    }
    bucket = {"s3:GetObject", "s3:PutObject", "s3:ListBucket"}
    layers = {"Fn::Sub": "arn:${AWS::Partition}:s3:::prod-${AWS::Region}-starport-layer-bucket/*"}
    assert allowed == {
        "ArtifactsBucket.Arn": bucket,
        "ArtifactsBucket.Arn/*": bucket,
        str(layers): {"s3:GetObject"},
    }


@pytest.mark.parametrize("path", ["template.yaml", "infra/network.yaml", "infra/alarms.yaml"])
def test_every_wildcard_in_a_template_stands_near_its_reason(path: str) -> None:
    lines = (ROOT / path).read_text().splitlines()
    pattern = r"(arn:|Arn\}).*[*]|: \"\*\"|:\*$"
    wild = [
        number for number, line in enumerate(lines) if re.search(pattern, line) and "AllowedP" not in line
    ]
    for number in wild:
        statement = lines[max(0, number - 10) : number]
        start = max(index for index, line in enumerate(statement) if re.search(r"Effect:", line))
        assert any(line.strip().startswith("#") for line in statement[start:]), lines[number]
