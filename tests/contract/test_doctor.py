"""`alm doctor` against stand-ins and moto: what it finds, and how it says it."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from tests.contract.deployed import template
from tests.contract.doctor_jira import RIGHTS, teach

from alm.aws import LocalAws
from alm.doctor import _settings
from alm.doctor import aws as aws_checks
from alm.doctor import github as github_checks
from alm.doctor import jira as jira_checks
from alm.doctor import model as model_checks
from alm.doctor import money as money_checks
from alm.doctor.finding import Finding, Grade
from alm.environment import REGION
from alm.settings import LocalSettings, checked
from alm.standins.github import GitHubStandIn
from alm.standins.http import Fault, Route, json_answer
from alm.standins.jira import JiraStandIn
from alm.standins.model import ScriptedModel, Turn

OTHERS = {
    "JIRA_URL": "https://jira.invalid",
    "JIRA_PROJECT_KEY": "DEMO",
    "JIRA_CLIENT_ID": "id",
    "JIRA_CLIENT_SECRET": "secret",
    "GITHUB_REPO": "owner/name",
    "GITHUB_TOKEN": "write",
    "GITHUB_READ_TOKEN": "read",
    "ANTHROPIC_API_KEY": "sk-ant-doctor",
}
SESSION = boto3.session.Session("local", "local", region_name=REGION)


@pytest.fixture
def hub() -> Iterator[GitHubStandIn]:
    # Not held against the contract as a whole: the document we keep has no page of repository settings.
    with GitHubStandIn() as running:
        yield running


@pytest.fixture
def account(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    return aws


def told(**variables: str) -> LocalSettings:
    return checked({**OTHERS, **variables})


def jira_told(jira: JiraStandIn, **variables: str) -> LocalSettings:
    return told(**{**jira.environment(), **variables})


def graded(findings: list[Finding], grade: Grade) -> list[str]:
    return [f"{one.topic}: {one.said}" for one in findings if one.grade is grade]


def test_a_service_account_with_every_right_is_all_well(jira: JiraStandIn) -> None:
    teach(jira)
    jira.create_issue("Bug", "One")
    findings = list(jira_checks.account(jira_told(jira)))
    assert {one.grade for one in findings} == {Grade.OK}
    assert [one.topic for one in findings][-1] == "jira labels"


@pytest.mark.parametrize("right", RIGHTS)
def test_a_missing_right_is_a_fault_of_its_name(jira: JiraStandIn, right: str) -> None:
    teach(jira, rights=tuple(one for one in RIGHTS if one != right))
    jira.create_issue("Bug", "One")
    findings = list(jira_checks.account(jira_told(jira)))
    assert [one.topic for one in findings if one.grade is Grade.FAULT] == [f"jira {right}"]


def test_a_right_to_administrate_is_a_warning(jira: JiraStandIn) -> None:
    teach(jira, rights=(*RIGHTS, "ADMINISTER_PROJECTS"))
    jira.create_issue("Bug", "One")
    found = graded(list(jira_checks.account(jira_told(jira))), Grade.WARNING)
    assert found == ["jira ADMINISTER_PROJECTS: the account may administer the project, which it never needs"]


def test_labels_that_no_screen_shows_are_a_fault(jira: JiraStandIn) -> None:
    teach(jira, operations=("set",))
    jira.create_issue("Bug", "One")
    found = graded(list(jira_checks.account(jira_told(jira))), Grade.FAULT)
    assert found == ["jira labels: cannot be edited on DEMO-1 (200)"]


def test_a_project_without_issues_or_the_right_types_is_a_warning(jira: JiraStandIn) -> None:
    teach(jira, types=("Bug", "Task"))
    found = graded(list(jira_checks.account(jira_told(jira))), Grade.WARNING)
    assert [line.partition(":")[0] for line in found] == ["jira issue types", "jira labels"]


def test_a_project_that_is_not_shown_is_a_fault(jira: JiraStandIn) -> None:
    teach(jira)
    found = graded(list(jira_checks.account(jira_told(jira, JIRA_PROJECT_KEY="NOPE"))), Grade.FAULT)
    assert found[0] == "jira project: NOPE is not shown (404)"


def test_good_tokens_are_all_well_and_nothing_is_changed(hub: GitHubStandIn) -> None:
    hub.seed({"a": b"1"})
    before = dict(hub.repository.refs("refs/"))
    findings = list(github_checks.tokens(told(**hub.environment())))
    assert {one.grade for one in findings} == {Grade.OK}
    assert {request.status for request in hub.requests if request.method == "POST"} == {403, 422}
    assert dict(hub.repository.refs("refs/")) == before


def test_a_write_token_that_only_reads_is_a_fault_for_each_right(hub: GitHubStandIn) -> None:
    hub.seed({"a": b"1"})
    both = {"GITHUB_TOKEN": hub.settings.read_token, "GITHUB_READ_TOKEN": hub.settings.write_token}
    findings = list(github_checks.tokens(told(**{**hub.environment(), **both})))
    assert graded(findings, Grade.FAULT) == [
        "GITHUB_TOKEN: cannot write contents (403)",
        "GITHUB_TOKEN: cannot write pull requests (403)",
    ]
    assert graded(findings, Grade.WARNING) == [
        "GITHUB_READ_TOKEN: may write contents (422)",
        "GITHUB_READ_TOKEN: may write pull requests (422)",
    ]


def test_one_token_for_both_rooms_is_a_warning(hub: GitHubStandIn) -> None:
    hub.seed({"a": b"1"})
    same = {"GITHUB_READ_TOKEN": hub.settings.write_token}
    found = graded(list(github_checks.tokens(told(**{**hub.environment(), **same}))), Grade.WARNING)
    assert [line.partition(":")[0] for line in found] == ["GITHUB_READ_TOKEN"]


def test_a_token_that_does_not_open_the_repository_is_asked_nothing_more(hub: GitHubStandIn) -> None:
    hub.seed({"a": b"1"})
    wrong = {"GITHUB_TOKEN": "other"}
    found = graded(list(github_checks.tokens(told(**{**hub.environment(), **wrong}))), Grade.FAULT)
    assert found == ["GITHUB_TOKEN: does not open the repository (401)"]


def test_a_classic_token_and_one_that_administrates_are_warnings(hub: GitHubStandIn) -> None:
    hub.seed({"a": b"1"})
    repository = {"default_branch": "main"}
    scopes = {"X-OAuth-Scopes": "repo, workflow"}
    hub.faults.add(Fault("GET", "/api/v3/repos/[^/]+/[^/]+$", 200, scopes, repository, times=2))
    hub.add_routes([Route("GET", ".*/actions/permissions", lambda _: json_answer(200, {"enabled": True}))])
    found = graded(list(github_checks.tokens(told(**hub.environment()))), Grade.WARNING)
    assert sum("classic token with the scopes repo, workflow" in line for line in found) == 2
    assert sum("may administrate" in line for line in found) == 2


def test_each_model_that_agents_may_use_is_asked_for_one_token() -> None:
    with ScriptedModel(lambda _: Turn(text="yes")) as model:
        settings = told(ANTHROPIC_BASE_URL=model.url, MODEL_ALLOWLIST="opus,haiku")
        findings = list(model_checks.access(settings))
        assert [one.grade for one in findings] == [Grade.OK, Grade.OK]
        assert [body["max_tokens"] for _, body in model.requests] == [1, 1]


@pytest.mark.parametrize(
    ("status", "mend"), [(401, "Renew the credential"), (404, "Check CLAUDE_MODEL"), (529, "Try again")]
)
def test_a_model_that_does_not_answer_is_a_fault_with_its_own_remedy(status: int, mend: str) -> None:
    with ScriptedModel(lambda _: Turn(status=status)) as model:
        settings = told(ANTHROPIC_BASE_URL=model.url, MODEL_ALLOWLIST="haiku")
        (found,) = model_checks.access(settings)
    assert found.grade is Grade.FAULT
    assert f"answered {status}" in found.said
    assert found.mend.startswith(mend)


def test_a_model_service_that_is_not_there_is_a_fault() -> None:
    settings = told(ANTHROPIC_BASE_URL="http://127.0.0.1:9", MODEL_ALLOWLIST="haiku")
    (found,) = model_checks.access(settings)
    assert (found.grade, found.said) == (Grade.FAULT, "the service does not answer")


def test_the_actions_and_budgets_we_ship_fit_together() -> None:
    (found,) = money_checks.budgets(told())
    assert (found.topic, found.grade) == ("budgets", Grade.OK)
    assert "$10.00 a ticket, $50.00 a day" in found.said


def test_a_budget_in_the_file_that_is_too_small_for_an_action_is_a_warning() -> None:
    findings = list(money_checks.budgets(told(TICKET_BUDGET_USD="6")))
    assert [(one.topic, one.grade) for one in findings] == [("budget of implement", Grade.WARNING)]


def test_secrets_that_are_missing_or_malformed_are_faults_and_are_not_shown(account: LocalAws) -> None:
    manager = SESSION.client("secretsmanager", endpoint_url=account.endpoint)
    secret = f"not-json-{uuid4().hex}"
    manager.create_secret(Name="alm/jira", SecretString=secret)
    manager.create_secret(Name="alm/github/read", SecretString='{"token": "t"}')
    try:
        findings = list(aws_checks.secrets(SESSION, "alm", told()))
    finally:
        for name in ("alm/jira", "alm/github/read"):
            manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert {one.topic: one.grade for one in findings} == {
        "alm/anthropic": Grade.FAULT,
        "alm/github/read": Grade.OK,
        "alm/github/write": Grade.FAULT,
        "alm/jira": Grade.FAULT,
    }
    assert secret not in str(findings)


@pytest.mark.usefixtures("account")
def test_a_stack_that_is_not_there_is_a_fault() -> None:
    (found,) = aws_checks.stack(SESSION, "nowhere")
    assert found.grade is Grade.FAULT
    assert "nowhere" in found.said


def test_a_deployed_budget_that_is_too_small_for_an_action_is_a_warning(account: LocalAws) -> None:
    name = f"alm-{uuid4().hex[:12]}"
    body = {
        **json.loads(template(name)),
        "Parameters": {one: {"Type": "Number"} for one in ("TicketBudgetUsd", "DailyBudgetUsd")},
    }
    SESSION.client("cloudformation", endpoint_url=account.endpoint).create_stack(
        StackName=name,
        TemplateBody=json.dumps(body),
        Parameters=[
            {"ParameterKey": "TicketBudgetUsd", "ParameterValue": "10"},
            {"ParameterKey": "DailyBudgetUsd", "ParameterValue": "7"},
        ],
    )
    found = graded(list(aws_checks.stack(SESSION, name)), Grade.WARNING)
    assert found == ["budget of implement: $8.00 is more than DAILY_BUDGET_USD=$7.00: it can never run"]


@pytest.mark.usefixtures("account")
def test_the_identity_is_the_callers() -> None:
    (found,) = aws_checks.identity(SESSION)
    assert "arn:aws:" in found.said


def test_a_file_that_cannot_be_used_is_a_finding_and_not_the_end(tmp_path: Path) -> None:
    settings, found = _settings(tmp_path / "nowhere.env")
    assert settings is None
    assert found.grade is Grade.FAULT


def test_a_malformed_credential_is_a_finding_that_does_not_show_it(tmp_path: Path) -> None:
    values = {**OTHERS, "GITHUB_TOKEN": "two words"}
    (tmp_path / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))
    settings, found = _settings(tmp_path / ".env")
    assert settings is None
    assert "alm/github/write cannot be used: token" in found.said
    assert "two words" not in found.said
