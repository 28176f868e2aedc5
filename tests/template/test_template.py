"""State, queues and functions of the stack, after SAM's own transformation and with nothing deployed."""

import pytest
from tests.template.templates import KEY, ON_BEDROCK, ON_LAMBDA, Deployment, Json, parameters

from alm.aws import TABLE_FORM
from orchestrator.adapters.dynamodb import ACTIVE
from orchestrator.config import (
    ActionSettings,
    MoneySettings,
    PollSettings,
    PublishSettings,
    RepositorySettings,
    ResultQueueSettings,
    TrackSettings,
    WorkerSettings,
)

SETTINGS: dict[str, type[ActionSettings]] = {
    "PollJira": PollSettings,
    "WorkerTask": WorkerSettings,
    "RunJob": WorkerSettings,
    "TrackJob": TrackSettings,
    "PublishResult": PublishSettings,
}
QUEUES = {"JobQueue": "JobDeadLetters", "ResultQueue": "ResultDeadLetters"}
CONSUMERS = {"JobQueue": "RunJob", "ResultQueue": "PublishResult"}
LOGS = {
    "PollJira": "PollJiraLogs",
    "RunJob": "WorkerLogs",
    "TrackJob": "TrackJobLogs",
    "PublishResult": "PublishResultLogs",
}
# Where the layer and the image put their own files, a switch for tests, and keys where there is no role: nothing a
# deployment says.
NOT_IN_TEMPLATE = {"prompts_dir", "claude_cli", "claude_max_retries", "bedrock_secret"}
NO_SETTINGS = {"POWERTOOLS_LOG_LEVEL", "TMPDIR"}


def variables(deployment: Deployment, name: str) -> Json:
    """What a function or a task is told in its environment."""
    properties = deployment.properties(name)
    if name != "WorkerTask":
        told: Json = properties["Environment"]["Variables"]
        return told
    return {one["Name"]: one.get("Value", "") for one in properties["ContainerDefinitions"][0]["Environment"]}


def test_every_queue_is_fifo_encrypted_and_has_a_dead_letter_queue_after_four_deliveries(
    fargate: Deployment,
) -> None:
    queues = fargate.of_type("AWS::SQS::Queue")
    assert queues.keys() == {*QUEUES, *QUEUES.values()}
    assert all(queue["FifoQueue"] and queue["SqsManagedSseEnabled"] for queue in queues.values())
    for name, dead_letters in QUEUES.items():
        assert queues[name]["RedrivePolicy"] == {
            "deadLetterTargetArn": {"Fn::GetAtt": [dead_letters, "Arn"]},
            "maxReceiveCount": 4,
        }


def test_a_message_stays_hidden_for_six_times_its_functions_timeout(on_lambda: Deployment) -> None:
    for queue, function in CONSUMERS.items():
        timeout_s = on_lambda.properties(function)["Timeout"]
        assert 6 * timeout_s <= on_lambda.properties(queue)["VisibilityTimeout"] <= 12 * 3600


def test_each_queue_feeds_its_function_one_message_at_a_time(on_lambda: Deployment) -> None:
    mappings = on_lambda.of_type("AWS::Lambda::EventSourceMapping").values()
    fed = {
        mapping["EventSourceArn"]["Fn::GetAtt"][0]: (mapping["FunctionName"]["Ref"], mapping["BatchSize"])
        for mapping in mappings
    }
    assert fed == {queue: (function, 1) for queue, function in CONSUMERS.items()}


def test_a_result_that_has_to_wait_is_no_error_of_the_publisher(fargate: Deployment) -> None:
    mapping = fargate.properties("PublishResultMessages")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize(("function", "model"), SETTINGS.items())
def test_a_function_is_told_exactly_what_its_settings_read(
    function: str, model: type[ActionSettings]
) -> None:
    deployment = Deployment.of(**(ON_LAMBDA if function == "RunJob" else {}))
    told = set(variables(deployment, function)) - NO_SETTINGS
    read = {*model.model_fields, *(ResultQueueSettings.model_fields if function == "PublishResult" else ())}
    assert told == {name.upper() for name in read - NOT_IN_TEMPLATE}


@pytest.mark.parametrize(
    ("function", "chosen"),
    [
        ("PollJira", {}),
        ("PollJira", ON_LAMBDA),
        ("WorkerTask", {}),
        ("WorkerTask", ON_BEDROCK),
        ("RunJob", ON_LAMBDA),
        ("RunJob", {**ON_LAMBDA, **ON_BEDROCK}),
        ("TrackJob", {}),
        ("PublishResult", {}),
    ],
)
def test_what_a_function_is_told_makes_settings_that_can_be_used(
    function: str, chosen: dict[str, str]
) -> None:
    environment = {
        name: value if isinstance(value, str) else "https://known-to-aws.example"
        for name, value in variables(Deployment.of(**chosen), function).items()
    }
    assert SETTINGS[function].read(environment)


def test_task_and_function_tell_the_worker_the_same(fargate: Deployment, on_lambda: Deployment) -> None:
    differ = {"TMPDIR", "CLAUDE_TIMEOUT_SECONDS", "SANDBOX_FLOOR"}
    task, function = variables(fargate, "WorkerTask"), variables(on_lambda, "RunJob")
    assert task.keys() == function.keys()
    assert {name for name in task if task[name] != function[name]} == differ


def test_an_environment_holds_the_names_of_secrets_and_no_secret(fargate: Deployment) -> None:
    (container,) = fargate.properties("WorkerTask")["ContainerDefinitions"]
    assert "Secrets" not in container
    for name in ("PollJira", "WorkerTask", "TrackJob", "PublishResult"):
        told = {key: value for key, value in variables(fargate, name).items() if key.endswith("_SECRET")}
        assert told
        assert all(value.startswith("alm/") for value in told.values())


def test_the_poll_is_scheduled_every_minute_and_never_runs_twice_at_once(fargate: Deployment) -> None:
    (schedule,) = fargate.of_type("AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == "rate(1 minutes)"
    assert schedule["State"] == "ENABLED"
    assert schedule["Target"]["Arn"] == {"Fn::GetAtt": ["PollJira", "Arn"]}
    assert fargate.properties("PollJira")["ReservedConcurrentExecutions"] == 1


def test_a_stack_that_is_paused_polls_no_more() -> None:
    (schedule,) = Deployment.of(PollState="DISABLED").of_type("AWS::Scheduler::Schedule").values()
    assert schedule["State"] == "DISABLED"


def test_job_records_are_keyed_by_job_id_expire_and_can_be_restored(fargate: Deployment) -> None:
    (table,) = fargate.of_type("AWS::DynamoDB::Table").values()
    assert table["KeySchema"] == [{"AttributeName": "job_id", "KeyType": "HASH"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_table_on_one_machine_has_the_form_of_the_deployed_one(fargate: Deployment) -> None:
    table = fargate.properties("JobsTable")
    assert {name: table.get(name) for name in TABLE_FORM} == TABLE_FORM


def test_an_index_lists_the_jobs_under_way_and_is_found_where_it_is_asked_for(fargate: Deployment) -> None:
    (index,) = fargate.properties("JobsTable")["GlobalSecondaryIndexes"]
    assert index["IndexName"] == ACTIVE
    assert index["KeySchema"] == [{"AttributeName": ACTIVE, "KeyType": "HASH"}]
    # Whole records: one query tells the poll all it has to know.
    assert index["Projection"] == {"ProjectionType": "ALL"}


@pytest.mark.parametrize(("every", "watched_s"), [("1", "50"), ("2", "110"), ("5", "280"), ("60", "280")])
def test_a_poll_watches_until_the_next_one_comes(every: str, watched_s: str) -> None:
    told = variables(Deployment.of(PollIntervalMinutes=every), "PollJira")
    assert told["WATCH_SECONDS"] == watched_s


def test_every_interval_that_may_be_chosen_has_its_watch_and_it_fits_into_the_function(
    fargate: Deployment,
) -> None:
    chosen = fargate.template["Parameters"]["PollIntervalMinutes"]["AllowedValues"]
    watches = fargate.template["Mappings"]["Watches"]
    assert {str(one) for one in chosen} == watches.keys()
    for one in chosen:
        seconds = int(watches[str(one)]["Seconds"])
        assert seconds == min(60 * one - 10, 280)
        # Room for a look that has begun, and for what a poll does before it watches.
        assert seconds + 20 <= fargate.properties("PollJira")["Timeout"]


def test_track_job_is_told_the_budgets_that_were_chosen_and_no_worker_is() -> None:
    money = {"TicketBudgetUsd": "3", "DailyBudgetUsd": "12", "OverBudget": "refuse"}
    told = variables(Deployment.of(**money), "TrackJob")
    assert "TICKET_BUDGET_USD" not in variables(Deployment.of(**money), "WorkerTask")
    assert [told[f"{one}_BUDGET_USD"] for one in ("TICKET", "DAILY")] == ["3", "12"]
    assert told["OVER_BUDGET"] == "refuse"


def test_the_deployments_budgets_are_those_of_the_settings() -> None:
    money = MoneySettings()
    told = variables(Deployment.of(), "TrackJob")
    assert float(told["TICKET_BUDGET_USD"]) == money.ticket_budget_usd
    assert float(told["DAILY_BUDGET_USD"]) == money.daily_budget_usd
    assert told["OVER_BUDGET"] == money.over_budget


@pytest.mark.parametrize(("name", "chosen"), [("WorkerTask", {}), ("RunJob", ON_LAMBDA)])
def test_the_worker_is_told_how_large_a_repository_may_be(name: str, chosen: dict[str, str]) -> None:
    told = variables(Deployment.of(**chosen, RepositoryMaxFiles="7", RepositoryMaxBytes="8"), name)
    assert (told["REPOSITORY_MAX_FILES"], told["REPOSITORY_MAX_BYTES"]) == ("7", "8")
    default, settings = variables(Deployment.of(**chosen), name), RepositorySettings()
    assert int(default["REPOSITORY_MAX_FILES"]) == settings.repository_max_files
    assert int(default["REPOSITORY_MAX_BYTES"]) == settings.repository_max_bytes


def test_artifacts_are_private_encrypted_and_expire(fargate: Deployment) -> None:
    (bucket,) = fargate.of_type("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 90)


def test_artifacts_are_reached_over_tls_only(fargate: Deployment) -> None:
    (policy,) = fargate.of_type("AWS::S3::BucketPolicy").values()
    (statement,) = (one for one in policy["PolicyDocument"]["Statement"] if one["Sid"] == "TlsOnly")
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2


def test_state_outlives_the_stack(fargate: Deployment) -> None:
    for name in ("JobsTable", "ArtifactsBucket"):
        resource = fargate.resources[name]
        assert {resource["DeletionPolicy"], resource["UpdateReplacePolicy"]} == {"Retain"}


def test_every_functions_log_has_an_end(on_lambda: Deployment) -> None:
    for function, group in LOGS.items():
        assert on_lambda.properties(function)["LoggingConfig"]["LogGroup"] == {"Ref": group}
    assert on_lambda.of_type("AWS::Logs::LogGroup").keys() == set(LOGS.values())
    assert all(
        group["RetentionInDays"] == "30" for group in on_lambda.of_type("AWS::Logs::LogGroup").values()
    )


def test_the_zip_functions_share_the_layer_and_the_worker_is_an_image(on_lambda: Deployment) -> None:
    assert on_lambda.properties("RunJob")["PackageType"] == "Image"
    for name in ("PollJira", "PublishResult"):
        assert on_lambda.properties(name)["Layers"][0]["Ref"].startswith("CoreLayer")


def test_every_function_is_traced(on_lambda: Deployment) -> None:
    for function in on_lambda.of_type("AWS::Lambda::Function").values():
        assert function["TracingConfig"] == {"Mode": "Active"}


def test_a_key_of_ones_own_encrypts_everything_that_is_kept() -> None:
    own = Deployment.of(KmsKeyArn=KEY)
    (bucket,) = own.of_type("AWS::S3::Bucket").values()
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    assert own.properties("JobsTable")["SSESpecification"]["KMSMasterKeyId"] == KEY
    assert {queue["KmsMasterKeyId"] for queue in own.of_type("AWS::SQS::Queue").values()} == {KEY}
    assert {secret["KmsKeyId"] for secret in own.of_type("AWS::SecretsManager::Secret").values()} == {KEY}
    assert {group["KmsKeyId"] for group in own.of_type("AWS::Logs::LogGroup").values()} == {KEY}


def test_the_stack_tells_the_commands_where_everything_is(fargate: Deployment, on_lambda: Deployment) -> None:
    wanted = {
        *("JobsTableName", "ArtifactsBucketName", "JobQueueUrl", "JobDeadLettersUrl", "SecretsPrefix"),
        *("ResultQueueUrl", "ResultDeadLettersUrl", "WorkerLogsName", "DashboardUrl", "WorkerCompute"),
    }
    assert wanted <= on_lambda.outputs()
    assert fargate.outputs() - on_lambda.outputs() == {"ClusterName"}


def test_what_a_person_has_to_give_is_little() -> None:
    template = Deployment.of().template
    asked = {name for name, rule in template["Parameters"].items() if "Default" not in rule}
    assert (
        asked
        == parameters(template).keys() & asked
        == {*("JiraUrl", "JiraProjectKey", "GitHubRepo", "WorkerImageUri")}
    )
