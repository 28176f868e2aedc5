"""Settings and secrets: what is wrong is named, what was given is never shown."""

from collections.abc import Mapping

import pytest

from orchestrator.config import JiraSettings, PollSettings, PublishSettings, TrackSettings, WorkerSettings
from orchestrator.domain.money import Limits, OverBudget
from orchestrator.domain.publishable import PROTECTED
from orchestrator.domain.repository_limits import RepositoryLimits
from orchestrator.errors import ConfigError
from orchestrator.secret_values import AnthropicSecret, GitHubSecret, JiraSecret, parsed_secret

GIVEN: Mapping[str, str] = {
    "JOBS_TABLE": "alm-jobs",
    "ARTIFACTS_BUCKET": "alm-artifacts",
    "JOB_QUEUE_URL": "http://127.0.0.1:1/jobs.fifo",
    "RESULT_QUEUE_URL": "http://127.0.0.1:1/results.fifo",
    "TRACK_FUNCTION": "track_job",
    "ARTIFACTS_ROLE": "arn:aws:iam::111122223333:role/artifacts",
    "JIRA_URL": "https://acme.example.net/",
    "JIRA_PROJECT_KEY": "DEMO",
    "GITHUB_REPO": "acme/shop",
    "GITHUB_SECRET": "alm/github/read",
}
HIDDEN = "hunter2-do-not-show"


def read_all(given: Mapping[str, str]) -> None:
    """Read the settings of all functions."""
    for settings in (PollSettings, WorkerSettings, TrackSettings, PublishSettings):
        settings.read(given)


def refusal(**wrong: str) -> str:
    """What is said of the settings with these variables."""
    with pytest.raises(ConfigError) as caught:
        read_all({**GIVEN, **wrong})
    assert caught.value.__suppress_context__
    return str(caught.value)


def test_settings_are_read_by_the_names_people_know() -> None:
    settings = WorkerSettings.read({**GIVEN, "CLAUDE_TIMEOUT_SECONDS": "90.5", "CLAUDE_MODEL": "some-model"})
    assert (settings.track_function, settings.github_repo) == ("track_job", "acme/shop")
    assert (settings.claude_timeout_seconds, settings.claude_model) == (90.5, "some-model")


def test_defaults_are_the_vendors_own_addresses() -> None:
    publish, worker = PublishSettings.read(GIVEN), WorkerSettings.read(GIVEN)
    assert publish.github_api_url == "https://api.github.com"
    assert publish.atlassian_api_url_pattern == "https://api.atlassian.com/ex/jira/{cloud_id}"
    assert (worker.anthropic_base_url, worker.claude_model) == ("https://api.anthropic.com", None)


def test_addresses_lose_their_last_slash() -> None:
    assert JiraSettings.read(GIVEN).jira_url == "https://acme.example.net"


def test_each_function_reads_only_its_own_settings() -> None:
    assert not hasattr(PollSettings.read(GIVEN), "github_secret")
    for name in ("jira_url", "jobs_table", "result_queue_url", "signing_secret", "limits"):
        assert not hasattr(WorkerSettings.read(GIVEN), name)


@pytest.mark.parametrize("name", GIVEN)
def test_a_missing_variable_is_named(name: str) -> None:
    given = {known: value for known, value in GIVEN.items() if known != name}
    with pytest.raises(ConfigError, match=f"{name}: Field required"):
        read_all(given)


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_variable_counts_as_missing(name: str, blank: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: Field required"):
        read_all({**GIVEN, name: blank})


def test_a_blank_optional_variable_leaves_the_default() -> None:
    blank = {"CLAUDE_MODEL": "", "CLAUDE_TIMEOUT_SECONDS": " ", "ANTHROPIC_BASE_URL": ""}
    assert WorkerSettings.read({**GIVEN, **blank}) == WorkerSettings.read(GIVEN)
    assert JiraSettings.read({**GIVEN, "JIRA_CLOUD_ID": " "}).jira_cloud_id is None


def test_white_space_around_a_value_is_no_part_of_it() -> None:
    assert JiraSettings.read({**GIVEN, "JIRA_PROJECT_KEY": " DEMO\n"}).jira_project_key == "DEMO"


def test_every_wrong_variable_is_named_at_once() -> None:
    names = ("GITHUB_REPO", "GITHUB_API_URL", "CLAUDE_MAX_RETRIES")
    with pytest.raises(ConfigError) as caught:
        WorkerSettings.read({**GIVEN, **dict.fromkeys(names, HIDDEN)})
    said = str(caught.value)
    assert all(name in said for name in names)
    assert HIDDEN not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JIRA_URL", HIDDEN),
        ("JIRA_URL", f"ftp://{HIDDEN}.example.net"),
        ("JIRA_URL", f"https://user:{HIDDEN}@acme.example.net"),
        ("JIRA_URL", f"https://acme.example.net/?token={HIDDEN}"),
        ("GITHUB_API_URL", f"https://acme.example.net/#{HIDDEN}"),
        ("GITHUB_SERVER_URL", f"//{HIDDEN}"),
        ("ATLASSIAN_TOKEN_URL", HIDDEN),
        ("ATLASSIAN_API_URL_PATTERN", f"https://{HIDDEN}.example.net/no-place-for-the-id"),
        ("ATLASSIAN_API_URL_PATTERN", f"{HIDDEN}/{{cloud_id}}"),
        ("ANTHROPIC_BASE_URL", HIDDEN),
        ("GITHUB_REPO", HIDDEN),
        ("GITHUB_REPO", f"https://github.example.net/acme/{HIDDEN}"),
        ("GITHUB_REPO", f"acme/{HIDDEN}/more"),
        ("GITHUB_REPO", f"{HIDDEN}/.."),
        ("GITHUB_REPO", f"{HIDDEN}/a b"),
        ("CLAUDE_TIMEOUT_SECONDS", HIDDEN),
        ("CLAUDE_TIMEOUT_SECONDS", "0"),
        ("CLAUDE_TIMEOUT_SECONDS", "-5"),
        ("CLAUDE_TIMEOUT_SECONDS", "nan"),
        ("CLAUDE_TIMEOUT_SECONDS", "inf"),
        ("TICKET_BUDGET_USD", HIDDEN),
        ("TICKET_BUDGET_USD", "0"),
        ("TICKET_BUDGET_USD", "nan"),
        ("TICKET_BUDGET_USD", "inf"),
        ("DAILY_BUDGET_USD", "0"),
        ("DAILY_BUDGET_USD", "-1"),
        ("DAILY_BUDGET_USD", "nan"),
        ("DAILY_BUDGET_USD", "inf"),
        ("REPOSITORY_MAX_FILES", "0"),
        ("REPOSITORY_MAX_FILES", HIDDEN),
        ("REPOSITORY_MAX_BYTES", "-1"),
        ("REPOSITORY_MAX_BYTES", "1.5"),
        ("OVER_BUDGET", HIDDEN),
        ("OVER_BUDGET", "ignore"),
        ("WATCH_SECONDS", HIDDEN),
        ("WATCH_SECONDS", "-1"),
        ("WATCH_SECONDS", "281"),
        ("WATCH_SECONDS", "45.5"),
        ("CLAUDE_MAX_RETRIES", "11"),
        ("CLAUDE_MAX_RETRIES", "1.5"),
        ("PROTECTED_PATHS", f"!{HIDDEN}"),
        ("PROTECTED_PATHS", f"docs/[{HIDDEN}]"),
        ("PROTECTED_PATHS", f"docs/../{HIDDEN}"),
        ("PROTECTED_PATHS", ","),
    ],
)
def test_a_malformed_variable_is_named_and_not_shown(name: str, value: str) -> None:
    said = refusal(**{name: value})
    assert f"{name}: " in said
    assert HIDDEN not in said


def test_budgets_are_on_by_default_and_a_job_over_the_days_waits() -> None:
    assert TrackSettings.read(GIVEN).limits == Limits(10.0, 50.0, OverBudget.WAIT)


def test_each_budget_is_the_one_that_was_given() -> None:
    given = {"TICKET_BUDGET_USD": "7.5", "DAILY_BUDGET_USD": "80", "OVER_BUDGET": "refuse"}
    limits = TrackSettings.read({**GIVEN, **given}).limits
    assert limits == Limits(ticket_usd=7.5, day_usd=80.0, over=OverBudget.REFUSE)


def test_the_largest_repository_is_the_one_that_was_given() -> None:
    assert WorkerSettings.read(GIVEN).repository_limits == RepositoryLimits(100_000, 2 * 1024**3)
    given = {"REPOSITORY_MAX_FILES": "5", "REPOSITORY_MAX_BYTES": "6"}
    assert WorkerSettings.read({**GIVEN, **given}).repository_limits == RepositoryLimits(5, 6)


def test_a_poll_watches_for_nobody_and_looks_into_no_dead_letters_unless_it_is_told_to() -> None:
    silent = PollSettings.read(GIVEN)
    assert silent.watch_seconds == 0
    assert (silent.job_dead_letters_url, silent.result_dead_letters_url) == (None, None)
    told = {"WATCH_SECONDS": "280", "JOB_DEAD_LETTERS_URL": "a", "RESULT_DEAD_LETTERS_URL": "b"}
    poll = PollSettings.read({**GIVEN, **told})
    assert (poll.watch_seconds, poll.job_dead_letters_url, poll.result_dead_letters_url) == (280, "a", "b")


@pytest.mark.parametrize("repo", ["acme/shop", "octo-cat/my.repo_1", "person_acme/.github", "a/-"])
def test_every_repository_name_github_gives_is_taken(repo: str) -> None:
    assert WorkerSettings.read({**GIVEN, "GITHUB_REPO": repo}).github_repo == repo


def test_protected_paths_stand_between_commas_and_take_the_place_of_ours() -> None:
    given = WorkerSettings.read({**GIVEN, "PROTECTED_PATHS": " /infra/** , *.tf,"})
    assert given.protected_paths == ("/infra/**", "*.tf")
    assert WorkerSettings.read({**GIVEN, "PROTECTED_PATHS": " "}).protected_paths == PROTECTED


def test_secrets_are_read_from_json_without_the_white_space_around_them() -> None:
    jira = parsed_secret(JiraSecret, "alm/jira", '{"client_id": "id", "client_secret": "s3cret\\n"}')
    assert (jira.client_id, jira.client_secret) == ("id", "s3cret")
    assert parsed_secret(GitHubSecret, "alm/github/read", '{"token": " t "}').token == "t"
    assert parsed_secret(AnthropicSecret, "alm/anthropic", '{"api_key": "k"}').api_key == "k"


@pytest.mark.parametrize(
    "value",
    [
        HIDDEN,
        f'"{HIDDEN}"',
        f'["{HIDDEN}"]',
        f'{{"token": "{HIDDEN}"',
        f'{{"token": ["{HIDDEN}"]}}',
        f'{{"{HIDDEN}": ""}}',
        f'{{"token": "t", "extra": "{HIDDEN}"}}',
        f'{{"token": "{HIDDEN}\\nx-header: y"}}',
        f'{{"token": "{HIDDEN} two words"}}',
        f'{{"token": "{HIDDEN}é"}}',
        '{"token": ""}',
        '{"token": " "}',
        '{"token": null}',
        "",
        "null",
    ],
)
def test_a_secret_that_cannot_be_used_is_named_and_nothing_of_it_is_shown(value: str) -> None:
    with pytest.raises(ConfigError, match="The secret alm/github/read cannot be used") as caught:
        parsed_secret(GitHubSecret, "alm/github/read", value)
    assert HIDDEN not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_field_of_a_secret_that_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match="client_secret: missing"):
        parsed_secret(JiraSecret, "alm/jira", f'{{"client_id": "{HIDDEN}"}}')


def test_printing_a_secret_shows_nothing_of_it() -> None:
    secret = parsed_secret(
        JiraSecret, "alm/jira", f'{{"client_id": "{HIDDEN}", "client_secret": "{HIDDEN}"}}'
    )
    assert HIDDEN not in f"{secret!r} {secret}"
