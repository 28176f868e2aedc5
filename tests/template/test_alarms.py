"""What people are told: every alarm, what it counts in the lines the functions really print, and the dashboard."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from math import ceil
from typing import Any

import pytest
from tests.builders import action, agent_run, delivery, denial, job
from tests.template.log_filters import logged, matches, value_at
from tests.template.templates import ON_LAMBDA, ROOT, Deployment, nested, written
from tests.unit.test_run_job import World

from orchestrator.adapters.powertools_log import NAMESPACE, PowertoolsEvents
from orchestrator.domain.halt import Halt
from orchestrator.domain.job import result_key
from orchestrator.domain.money import Limits, OverBudget
from orchestrator.errors import ConfigError, JobFailed, SandboxRefused
from orchestrator.usecases.unusable import tell_unusable

ALARMS = nested("alarms", Deployment.of(), "Alarms")
OURS = "ALMOrchestrator/AWS::StackName"
NAMES = {
    *("DenialsOfAnAction", "DenialRate", "SandboxRefused", "DeadJobs", "DeadResults", "PollMissing"),
    *("PollErrors", "PublishErrors", "ConfigUnusable", "WorkerStarts", "JobFailures", "OldestJob"),
    *("BudgetReached", "JobsSentAgain", "ForgedJobs", "TrackErrors"),
}


_NUMBERS = count()


def printed() -> PowertoolsEvents:
    """A log of its own: Powertools keeps each service's for good, with the output it was made with."""
    return PowertoolsEvents(f"service-{next(_NUMBERS)}")


def alarms(deployment: Deployment = ALARMS) -> dict[str, Any]:
    return deployment.of_type("AWS::CloudWatch::Alarm")


def metrics(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every metric an alarm looks at."""
    if "Metrics" not in alarm:
        return [alarm]
    return [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]


def counted(lines: list[dict[str, Any]], group: str) -> dict[str, float]:
    """What the metric filters of a log group make of these lines."""
    sums: dict[str, float] = {}
    for found in ALARMS.of_type("AWS::Logs::MetricFilter").values():
        (made,) = found["MetricTransformations"]
        for line in lines if found["LogGroupName"] == group else ():
            if matches(found["FilterPattern"], line):
                is_path = made["MetricValue"].startswith("$")
                value = value_at(made["MetricValue"], line) if is_path else float(made["MetricValue"])
                sums[made["MetricName"]] = sums.get(made["MetricName"], 0) + value
    return sums


def job_that(world: World, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """What is counted of one job, from what the worker prints about it."""
    replace(world.use_case, events=printed())(delivery(), Halt())
    return counted(logged(capsys.readouterr().out), "WorkerLogs")


def test_these_are_all_the_alarms_there_are() -> None:
    assert alarms().keys() == NAMES
    on_lambda = nested("alarms", Deployment.of(**ON_LAMBDA), "Alarms")
    assert NAMES - alarms(on_lambda).keys() == {"WorkerStarts"}
    assert not on_lambda.of_type("AWS::Events::Rule")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_alarm_says_what_to_do_and_goes_to_the_topic(name: str) -> None:
    alarm = alarms()[name]
    assert alarm["AlarmActions"] == ["AlarmTopic"]
    # What happened, and what a person does about it; CloudWatch takes 1,024 characters.
    assert 120 <= len(alarm["AlarmDescription"]) <= 1024
    assert re.search(r"(?i)\b(look|see|find|log|read)\b", alarm["AlarmDescription"])
    assert alarm["TreatMissingData"] == ("breaching" if name == "PollMissing" else "notBreaching")
    assert alarm["AlarmName"].startswith("AWS::StackName ")


def test_a_job_that_went_well_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert job_that(World(), capsys) == {"JobsEnded": 1}


def test_every_denial_is_counted_whatever_the_action(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.agent.answer = agent_run(denials=(denial(), denial()))
    assert job_that(world, capsys)["Denials"] == 2


def test_a_job_that_failed_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.agent.faults.plan("run", JobFailed("It broke."))
    assert job_that(world, capsys) == {"JobsEnded": 1, "JobsFailed": 1}


def test_a_refused_sandbox_is_a_failure_and_is_told_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.agent.faults.plan("run", SandboxRefused("No wall could be built.", ()))
    assert job_that(world, capsys) == {"JobsEnded": 1, "JobsFailed": 1, "SandboxRefused": 1}


@pytest.mark.parametrize("group", ["PollJiraLogs", "WorkerLogs", "PublishResultLogs"])
def test_a_configuration_that_cannot_be_used_is_told_by_each_function(
    group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_unusable(ConfigError("The secret alm/jira is missing."), printed())
    assert counted(logged(capsys.readouterr().out), group) == {"ConfigUnusable": 1}


@pytest.mark.parametrize(
    "limits", [Limits(ticket_usd=0.01), Limits(day_usd=0.01, over=OverBudget.REFUSE)], ids=["ticket", "day"]
)
def test_a_job_that_is_refused_for_want_of_money_is_told_whosever_budget_it_was(
    limits: Limits, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job_that(World(limits=limits), capsys) == {"JobsEnded": 1, "JobsFailed": 1, "BudgetReached": 1}


def test_a_job_that_waits_for_the_next_day_is_told_and_is_no_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spending = World(limits=Limits(day_usd=action().budget_usd))
    job_that(spending, capsys)
    spending.artifacts.contents.pop(result_key(job().job_id))
    assert job_that(spending, capsys) == {"BudgetReached": 1}


def test_the_first_job_that_finds_no_money_raises_the_alarm() -> None:
    alarm = alarms()["BudgetReached"]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


@pytest.mark.parametrize("name", ["PollErrors", "PublishErrors", "TaskStartFailures", "JobsResent"])
def test_a_metric_that_an_alarm_reads_is_printed_without_dimensions(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    read = [one for alarm in alarms().values() for one in metrics(alarm) if one["MetricName"] == name]
    assert read
    assert all(one["Namespace"] == NAMESPACE and "Dimensions" not in one for one in read)
    printed().metric(name, 1)
    (line,) = logged(capsys.readouterr().out)
    (made,) = line["_aws"]["CloudWatchMetrics"]
    assert (made["Namespace"], made["Dimensions"]) == (NAMESPACE, [[]])
    assert made["Metrics"][0]["Name"] == name


def test_an_alarm_counts_what_a_filter_makes() -> None:
    made = {
        one["MetricTransformations"][0]["MetricName"]
        for one in ALARMS.of_type("AWS::Logs::MetricFilter").values()
    }
    read = {
        one["MetricName"] for alarm in alarms().values() for one in metrics(alarm) if one["Namespace"] == OURS
    }
    assert read == made


def test_denials_are_told_by_action_without_a_list_of_actions() -> None:
    (query,) = alarms()["DenialsOfAnAction"]["Metrics"]
    assert query["Expression"] == (
        'SELECT SUM(PermissionDenials) FROM SCHEMA("ALMOrchestrator", action) GROUP BY action'
    )
    actions = {path.stem for path in (ROOT / "prompts").glob("*.md")}
    assert actions
    assert not [action for action in actions if action in json.dumps(written("alarms"), default=str).split()]


@pytest.mark.parametrize(
    ("every", "minutes"), [("1", 5), ("2", 8), ("5", 17), ("15", 37), ("30", 67), ("60", 127)]
)
def test_a_poll_that_is_missing_is_told_when_two_are_and_the_last_has_watched(
    every: str, minutes: int
) -> None:
    told = nested("alarms", Deployment.of(PollIntervalMinutes=every), "Alarms")
    alarm = alarms(told)["PollMissing"]
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (60, minutes, 1)
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "PollJira"}]


def test_every_interval_that_may_be_chosen_has_its_silence() -> None:
    chosen = written()["Parameters"]["PollIntervalMinutes"]["AllowedValues"]
    silence, watches = written("alarms")["Mappings"]["Silence"], written()["Mappings"]["Watches"]
    assert {str(one) for one in chosen} == silence.keys()
    for one in chosen:
        watched_min = ceil(int(watches[str(one)]["Seconds"]) / 60)
        # Lambda's metric of a call comes when the call has ended.
        assert silence[str(one)]["Minutes"] == 2 * one + watched_min + 2


def test_a_stack_that_is_paused_does_not_miss_its_poll() -> None:
    paused = nested("alarms", Deployment.of(PollState="DISABLED"), "Alarms")
    assert alarms(paused)["PollMissing"]["ActionsEnabled"] is False
    assert alarms()["PollMissing"]["ActionsEnabled"] is True


@pytest.mark.parametrize(
    ("name", "queue"), [("DeadJobs", "JobDeadLetters"), ("DeadResults", "ResultDeadLetters")]
)
def test_one_message_that_is_dead_is_told(name: str, queue: str) -> None:
    alarm = alarms()[name]
    looked_at = [{"Name": "QueueName", "Value": f"{queue}.QueueName"}]
    assert [one["Dimensions"] for one in metrics(alarm)] == [looked_at, looked_at]
    # The poll that looks into the queue hides what it reads: a message must not look gone then.
    names = {one["MetricName"].removeprefix("ApproximateNumberOfMessages") for one in metrics(alarm)}
    assert names == {"Visible", "NotVisible"}
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


def test_a_worker_that_could_not_start_is_told_with_the_reason() -> None:
    (rule,) = ALARMS.of_type("AWS::Events::Rule").values()
    assert rule["EventPattern"]["detail"] == {
        "clusterArn": ["Cluster.Arn"],
        "lastStatus": ["STOPPED"],
        "stopCode": ["TaskFailedToStart"],
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == "AlarmTopic"
    assert "<reason>" in target["InputTransformer"]["InputTemplate"]


def test_only_alarms_and_events_of_this_account_write_to_the_topic() -> None:
    (policy,) = Deployment.of().of_type("AWS::SNS::TopicPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert set(statement["Principal"]["Service"]) == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_dashboard_shows_what_there_is_to_see() -> None:
    (found,) = (
        nested("dashboard", Deployment.of(), "Dashboard").of_type("AWS::CloudWatch::Dashboard").values()
    )
    body = found["DashboardBody"]
    text = body["Fn::Sub"] if isinstance(body, dict) else body
    widgets = json.loads(text)["widgets"]
    shown = set(re.findall(r'MetricName=\\"(\w+)|"ALMOrchestrator", "(\w+)"', text))
    assert {one or other for one, other in shown} == {
        *("Jobs", "JobSeconds", "PermissionDenials", "CostUsd", "SandboxProbes", "OldestJobSeconds"),
        *("JiraRequests", "GitHubRequests", "JiraRateLimitRemaining", "GitHubRateLimitRemaining"),
        *("TasksLaunched", "TaskStartFailures", "PollErrors", "PublishErrors"),
        *("BudgetReached", "JobsResent"),
    }
    places = [(one["x"], one["y"]) for one in widgets]
    assert len(places) == len(set(places)) == 12
